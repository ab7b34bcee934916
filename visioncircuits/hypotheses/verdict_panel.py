"""A verdict as a picture: the unit's tuning, and the outcome of each prediction."""

import math
import textwrap

import numpy as np
from matplotlib.axes import Axes

from visioncircuits.figures import Figure
from visioncircuits.hypotheses.verdicts import LEVEL, Outcome, Verdict
from visioncircuits.tuning.plots import FAINT, INK, RULE, number

_OUTCOME_COLORS = {"holds": "#2e7d32", "fails": "#c62828", "open": "#b26a00"}
_VERDICT_COLORS = {"supported": "#2e7d32", "refuted": "#c62828", "undecided": "#b26a00"}


def verdict_panel(verdict: Verdict) -> Figure:
    """Draw a unit's tuning in every variant, and each prediction's effect against its bounds.

    Parameters
    ----------
    verdict
        From `judge` or `judge_all`.

    Returns
    -------
    Figure
        Shown by a notebook; `.save(path)` writes it.

    Examples
    --------
    >>> from visioncircuits.hypotheses import Hypothesis, Prediction, effects, judge
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> claim = Prediction("responds to one direction of an edge", effects.echo, most=0.1)
    >>> edges = Hypothesis("edge", named("edges"), (claim,))
    >>> verdict = judge(untrained("bvlc_googlenet"), "conv2d0:5", edges)
    >>> verdict_panel(verdict).get_size_inches().tolist()
    [10.5, 4.2]
    """
    outcomes = verdict.outcomes
    height = 1.1 + 0.62 * max(len(outcomes), 5)
    figure = Figure(figsize=(10.5, height))
    figure.text(0.03, 1 - 0.38 / height, verdict.unit, fontsize=13, color=INK, weight="bold")
    figure.text(
        0.03, 1 - 0.62 / height, f"as a {verdict.hypothesis.name} detector", fontsize=9, color=FAINT
    )
    figure.text(
        0.97, 1 - 0.38 / height, verdict.status, fontsize=13, weight="bold", ha="right",
        color=_VERDICT_COLORS[verdict.status],
    )  # fmt: skip
    color = _OUTCOME_COLORS["fails"] if verdict.by_chance and not verdict.missed else FAINT
    figure.text(0.97, 1 - 0.62 / height, _p(verdict), fontsize=8, color=color, ha="right")
    bottom, top = 0.55 / height, 1 - 1.0 / height
    if axis := next(iter(verdict.evidence.axes), None):
        _curves(figure.add_axes((0.06, bottom, 0.3, top - bottom)), verdict, axis)
    rows = (top - bottom) / len(outcomes)
    for place, outcome in enumerate(outcomes):
        low = top - (place + 1) * rows
        _claim(figure, outcome, low + rows / 2)
        bar = figure.add_axes((0.72, low + rows * 0.3, 0.2, rows * 0.4))
        _bar(bar, outcome, verdict.control(outcome))
    return figure


def _p(verdict: Verdict) -> str:
    if math.isnan(verdict.p):
        return "no other unit to compare with"
    tried = f", corrected for {verdict.tried} units" if verdict.tried > 1 else ""
    sign = f" > {LEVEL}" if verdict.by_chance else ""
    refuted = "every prediction holds, but " if sign and not verdict.missed else ""
    return f"{refuted}p = {verdict.p:.2g}{sign} against shuffled units of the layer{tried}"


def _curves(axes: Axes, verdict: Verdict, axis: str) -> None:
    """Draw the tuning over one axis, thin lines for the variants."""
    evidence = verdict.evidence
    values = evidence.axes[axis]
    last = np.moveaxis(evidence.responses[0], 1 + evidence.axis_index(axis), -1)
    each = last.reshape(len(last), -1, len(values)).mean(1)
    named = values.dtype.kind not in "fiu" or not np.isfinite(values).all()
    places = np.arange(len(values)) if named else values
    marker = "o" if len(values) == 1 else "none"
    for curve in each:
        axes.plot(places, curve, color=RULE, linewidth=0.8, marker=marker)
    color = _VERDICT_COLORS[verdict.status]
    axes.plot(places, each.mean(0), color=color, linewidth=2, marker=marker)
    axes.set_xlabel(axis, fontsize=8, color=INK)
    axes.set_title(
        f"activation by {axis}; thin: each of {len(each)} variants",
        fontsize=8,
        color=FAINT,
        loc="left",
    )
    axes.set_ylim(0, max(float(each.max()), 1e-9) * 1.08)
    if named:
        axes.set_xticks(places, [v if isinstance(v, str) else number(v) for v in values])
    elif 90 < values[-1] < 360:
        axes.set_xticks([angle for angle in range(0, 361, 45) if angle <= values[-1] + 15])
    axes.margins(x=0.0 if len(values) > 1 else 0.5)
    axes.tick_params(labelsize=7, color=FAINT, labelcolor=FAINT)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(RULE)


def _claim(figure: Figure, outcome: Outcome, y: float) -> None:
    claim = textwrap.fill(outcome.prediction.claim, 52)
    figure.text(0.41, y, claim, fontsize=8.5, color=INK, va="center")
    figure.text(
        0.94,
        y,
        outcome.status,
        fontsize=8.5,
        color=_OUTCOME_COLORS[outcome.status],
        va="center",
        weight="bold",
    )


def _bar(axes: Axes, outcome: Outcome, control: str) -> None:
    """Draw an effect with its interval on a line, the allowed range shaded."""
    prediction = outcome.prediction
    bounds = [bound for bound in (prediction.least, prediction.most) if math.isfinite(bound)]
    finite = [abs(v) for v in (*bounds, outcome.effect, *outcome.interval) if math.isfinite(v)]
    # ratios can be infinite: what lies far beyond the bound is clipped
    end = min(max(finite) * 1.15 or 1.0, 4 * max(abs(bound) for bound in bounds) or 1.0)
    start = min(0.0, *(v for v in (outcome.effect, outcome.interval[0]) if math.isfinite(v)), 0.0)
    axes.set_xlim(start, end)
    axes.set_ylim(0, 1)
    axes.axvspan(
        max(prediction.least, start), min(prediction.most, end), color="#e8f3e9", linewidth=0
    )
    for bound in bounds:
        axes.axvline(bound, color="#7fae82", linewidth=1)
    if not math.isnan(outcome.effect):
        low, high = (min(max(v, start), end) for v in outcome.interval)
        at = min(max(outcome.effect, start), end)
        axes.plot([low, high], [0.5, 0.5], color=_OUTCOME_COLORS[outcome.status], linewidth=2.5)
        axes.plot(
            [at], [0.5], "o", color=_OUTCOME_COLORS[outcome.status], markersize=5, clip_on=False
        )
    axes.set_yticks([])
    ticks = sorted({start, *bounds})
    axes.set_xticks(ticks, [number(round(tick, 3)) for tick in ticks])
    axes.tick_params(labelsize=6.5, length=2, color=RULE, labelcolor=FAINT, pad=1)
    text = "nothing drives it" if math.isnan(outcome.effect) else number(outcome.effect)
    text = f"{control}: {text}" if control else text
    axes.text(1.0, 1.12, text, transform=axes.transAxes, fontsize=7, ha="right", color=INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
