"""An induction as a picture: kernels predicted and trained, correlations and what chance gives."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from visioncircuits.comparison.induction import Induction
from visioncircuits.comparison.induction_chance import Score
from visioncircuits.comparison.induction_step import TUNING, WEIGHTS, InductionStep
from visioncircuits.errors import InputError
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
from visioncircuits.weights import signed_colors

_VERDICTS = {"follows": "#0571b0", "partly": "#d98c1f", "does not follow": "#ca0020"}
_TILE, _ROW, _LEFT, _GAP, _TOP, _FOOT = 0.34, 1.12, 0.3, 0.6, 1.05, 0.62
"""Inches: a kernel, a unit's two rows of them with its name, margins."""


def induction_panel(
    found: Induction, *, units: int = 6, sources: int = 12, figure: Canvas | None = None
) -> Canvas:
    """Draw predicted and trained kernels of the best and the worst units, and all correlations.

    Parameters
    ----------
    found
        From `induct`.
    units
        How many have their kernels drawn: half of them those with the best weights, half those with
        the worst.
    sources
        How many kernels of each at most: those with the largest weights, predicted and trained.
    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one; `.save(path)` writes it.

    Raises
    ------
    InputError
        Where no unit could be tested.

    Examples
    --------
    >>> from visioncircuits.comparison import induct, theory_by_design
    >>> from visioncircuits.handwritten import load
    >>> network = load("high-low")
    >>> early, late = (theory_by_design(network, layer) for layer in ("conv2d1", "mixed3a"))
    >>> found = induct(network, "mixed3a", early, later=late, draws=20)
    >>> panel = induction_panel(found, units=2)
    >>> [axes.get_title() for axes in panel.axes[:2]]
    ['correlation of weights', 'correlation of tuning']
    """
    steps = sorted(found.tested, key=lambda step: -_of(step.weights).found)
    if not steps:
        raise InputError(f"no unit of {found.layer} could be tested: {found.summary}")
    shown = _ends(steps, units)
    across = min(max(len(step.sources) for step in shown), sources)
    wide = _LEFT + across * _TILE + 0.9 + 5.6
    high = _TOP + max(len(shown) * _ROW, 0.21 * len(steps) + 0.1, 2.0) + _FOOT
    figure = figure_or_new(figure, (max(wide, 9.0), high))
    width, height = inches(figure)
    add_text(figure, _LEFT, 0.3, f"{found.source} → {found.layer}", fontsize=13, color=INK,
             weight="bold")  # fmt: skip
    counted, _, weight = found.summary.partition(": ")[2].partition("; ")
    add_text(figure, _LEFT, 0.52, counted, fontsize=9, color=INK)
    add_text(figure, _LEFT, 0.72, f"explained: {weight}", fontsize=9, color=FAINT)
    plots = width - _LEFT - across * _TILE - 0.9 - 0.3
    left = _LEFT + across * _TILE + 1.15
    each = (plots - 0.25 - 0.35) / 2
    low = height - _TOP - _FOOT - 0.12
    axes = [
        add_axes(figure, left + column * (each + 0.35), _TOP + 0.12, each, low)
        for column in range(2)
    ]
    _scores(
        axes[0], steps, [_of(step.weights) for step in steps], "weights", WEIGHTS, trained=False
    )
    _scores(axes[1], steps, [_of(step.tuning) for step in steps], "tuning", TUNING, trained=True)
    axes[0].set_yticks(range(len(steps)), [step.unit for step in steps], fontsize=7)
    for tick, step in zip(axes[0].get_yticklabels(), steps, strict=True):
        tick.set_color(_VERDICTS[step.verdict])
    for row, step in enumerate(shown):
        _kernels(figure, step, _TOP + row * _ROW, sources)
    add_text(
        figure, _LEFT, height - 0.12,
        "Kernels: above as the rule predicts, below as trained; each row relative to its largest "
        "weight. Bars: 95 % of chance, dark with labels exchanged, pale with other units;\ncross: "
        "the best rule of another family; ring: the trained kernels from the same sources; dashed: "
        "what a unit that follows must reach. Blue: follows; orange: partly; red: does not.",
        fontsize=7, color=FAINT, va="bottom",
    )  # fmt: skip
    return figure


def _of(score: Score | None) -> Score:
    assert score is not None, "a step that was tested has scores"
    return score


def _ends(steps: Sequence[InductionStep], units: int) -> list[InductionStep]:
    """Take the first half and the last half of as many steps.

    Examples
    --------
    >>> _ends([1, 2, 3, 4, 5], 4)
    [1, 2, 4, 5]
    """
    if len(steps) <= units:
        return list(steps)
    best = -(-units // 2)
    return [*steps[:best], *steps[len(steps) - (units - best) :]]


def _kernels(figure: Canvas, step: InductionStep, top: float, most: int) -> None:
    assert step.predicted is not None
    assert step.trained is not None
    squares = [np.square(kernels).sum((1, 2)) for kernels in (step.predicted, step.trained)]
    strength = squares[0] * squares[1]
    chosen = np.sort(np.argsort(-strength, kind="stable")[:most])
    title = add_text(figure, _LEFT, top + 0.2, step.unit, fontsize=8.5, color=INK, weight="bold")
    title.set_color(_VERDICTS[step.verdict])
    add_text(
        figure, _LEFT + 1.0, top + 0.2,
        str(step.label),
        fontsize=7.5, color=FAINT,
    )  # fmt: skip
    for row, kernels in enumerate((step.predicted, step.trained)):
        axes = add_axes(figure, _LEFT, top + 0.26 + row * (_TILE + 0.04), len(chosen) * _TILE,
                        _TILE)  # fmt: skip
        axes.imshow(_strip(kernels[chosen]), aspect="auto", interpolation="nearest")
        axes.set_axis_off()


def _strip(kernels: Float[np.ndarray, "sources height width"]) -> np.ndarray:
    """Set kernels side by side, with white around each."""
    colors = signed_colors(kernels, float(np.abs(kernels).max()))
    zoom = max(24 // max(kernels.shape[1:]), 1)
    large = colors.repeat(zoom, 1).repeat(zoom, 2)
    around = np.pad(large, [(0, 0), (0, 0), (1, 1), (0, 0)], constant_values=255)
    return np.concatenate(list(around), 1)


def _scores(
    axes: Axes,
    steps: Sequence[InductionStep],
    scores: Sequence[Score],
    title: str,
    least: float,
    *,
    trained: bool,
) -> None:
    for row, (step, score) in enumerate(zip(steps, scores, strict=True)):
        axes.plot(score.units, [row + 0.14] * 2, color="#dadde2", lw=3.2, solid_capstyle="butt")
        axes.plot(score.labels, [row - 0.14] * 2, color="#a4a9b1", lw=3.2, solid_capstyle="butt")
        if score.rivals:
            axes.plot(score.rival[1], row, "x", color=FAINT, ms=4, mew=0.9)
        if trained:
            axes.plot(step.ceiling, row, "o", mfc="none", mec=FAINT, ms=5, mew=0.8)
        axes.plot(score.found, row, "o", color=_VERDICTS[step.verdict], ms=4.5)
    axes.axvline(0, color=RULE, lw=0.8, zorder=0)
    axes.axvline(least, color=RULE, lw=0.8, ls=(0, (3, 2)), zorder=0)
    lowest = min(min(s.found, *s.labels, *s.units) for s in scores)
    axes.set_xlim(min(lowest, 0) - 0.05, 1.05)
    axes.set_ylim(len(steps) - 0.5, -0.5)
    axes.set_title(f"correlation of {title}", fontsize=9, color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_yticks([])
    axes.tick_params(labelsize=7, length=2, color=RULE)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
