"""A scrubbed hypothesis as a picture: what each claim costs, and what others keep."""

from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator, PercentFormatter

from visioncircuits.figures import (
    FAINT,
    INK,
    RULE,
    Canvas,
    add_axes,
    add_text,
    figure_or_new,
    inches,
)
from visioncircuits.scrubbing.scrub import Claim, Scrubbed

_WHOLE, _CLAIM, _RIVAL, _OTHER = "#0571b0", "#92c5de", "#b26a00", "#c9ccd1"
_ROW, _TOP, _FOOT, _GAP = 0.24, 0.82, 0.5, 0.34


@matplotlib.rc_context({"font.size": 8})
def scrub_panel(found: Scrubbed, *, figure: Canvas | None = None) -> Canvas:
    """Draw the share of the behavior that is kept, with 95 % intervals over draws.

    Above that of the whole hypothesis and of each claim by itself, below that of the alternatives;
    those that score as well are set off.

    Parameters
    ----------
    found
        From `scrub`.
    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one; `.save(path)` writes it.

    Examples
    --------
    >>> import numpy as np
    >>> whole = Claim("arch", "whole", np.array([[0.9, 0.9], [0.95, 0.8]]))
    >>> nothing = Claim("nothing claimed", "alternative", np.array([[-0.1, 0.2], [0.3, -0.2]]))
    >>> claims, alternatives = scrub_panel(Scrubbed(whole, (), (nothing,), 0.9)).axes
    """
    above, below = (found.whole, *found.claims), found.alternatives
    high = _TOP + _ROW * (len(above) + len(below)) + _GAP * bool(below) + _FOOT
    figure = figure_or_new(figure, (8.4, high))
    width, height = inches(figure)
    scale = (height - _TOP - _FOOT - _GAP * bool(below)) / (len(above) + len(below))
    left, right = 0.44 * width, 0.14 * width
    add_text(figure, 0.03 * width, 0.31, found.whole.name, fontsize=13, color=INK, weight="bold")
    add_text(figure, 0.03 * width, 0.55, _summary(found), fontsize=9, color=FAINT)
    lowest = min(0.0, *(claim.interval[0] for claim in (*above, *below)))
    limits = max(lowest, -0.5) - 0.02, 1.04
    wide = width - left - right
    add_text(
        figure, 0.97 * width, _TOP - 0.06, "(exchanged among so many)", fontsize=7, color=FAINT,
        ha="right",
    )  # fmt: skip
    colors = [_WHOLE, *[_CLAIM] * len(found.claims)]
    axes = add_axes(figure, left, _TOP, wide, scale * len(above))
    _bars(axes, above, colors, limits)
    if below:
        axes.tick_params(labelbottom=False)
        top = _TOP + scale * len(above) + _GAP
        rivals = {other.name for other in found.rivals}
        colors = [_RIVAL if other.name in rivals else _OTHER for other in below]
        axes = add_axes(figure, left, top, wide, scale * len(below))
        _bars(axes, below, colors, limits)
        add_text(
            figure, 0.03 * width, top - 0.1, "other hypotheses; orange: scores as well",
            fontsize=8, color=FAINT,
        )  # fmt: skip
    axes.set_xlabel("share of the behavior that is kept: 0 at random, 100 % as it is", color=INK)
    return figure


def _summary(found: Scrubbed) -> str:
    low, high = found.whole.interval
    rivals = len(found.rivals)
    return (
        f"keeps {found.whole.share:.1%} ({low:.1%} … {high:.1%}) of the behavior, correlation "
        f"{found.correlation:.2f}; {rivals} of {len(found.alternatives)} alternatives score as well"
    )


def _bars(
    axes: Axes, claims: Sequence[Claim], colors: Sequence[str], limits: tuple[float, float]
) -> None:
    axes.axvline(0, color=RULE, lw=0.8, zorder=0)
    axes.axvline(1, color=RULE, lw=0.8, zorder=0)
    for place, (claim, color) in enumerate(zip(claims, colors, strict=True)):
        share = max(claim.share, limits[0])
        axes.barh(place, share, color=color, height=0.62)
        low, high = (min(max(end, limits[0]), limits[1]) for end in claim.interval)
        axes.plot([low, high], [place, place], color=INK, lw=1.1, solid_capstyle="butt")
        text = f"{claim.share:.1%}"
        if claim.pictures is not None:
            text += f"  ({claim.pictures:.3g})"
        axes.annotate(
            text, (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=7.5,
            color=FAINT, annotation_clip=False,
        )  # fmt: skip
    axes.set_yticks(range(len(claims)), [str(claim) for claim in claims])
    axes.set_ylim(len(claims) - 0.5, -0.5)
    axes.set_xlim(*limits)
    axes.xaxis.set_major_locator(MultipleLocator(0.25))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.tick_params(length=0, labelcolor=INK, labelsize=8)
    axes.spines[:].set_visible(False)
