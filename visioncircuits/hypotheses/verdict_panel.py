"""A verdict as a picture: the unit's tuning, and the outcome of each prediction."""

import math
import textwrap

import numpy as np
from matplotlib.axes import Axes

from visioncircuits.figures import (
    FAINT,
    INK,
    RULE,
    AnyFigure,
    Canvas,
    add_axes,
    add_text,
    figure_or_new,
    inches,
)
from visioncircuits.hypotheses.outcome import Outcome
from visioncircuits.hypotheses.verdicts import LEVEL, Verdict
from visioncircuits.tuning.plots import number
from visioncircuits.wording import counted, with_article

_OUTCOME_COLORS = {"holds": "#2e7d32", "fails": "#c62828", "open": "#b26a00", "doubtful": "#b26a00"}
_VERDICT_COLORS = {"supported": "#2e7d32", "refuted": "#c62828", "undecided": "#b26a00"}


def verdict_panel(verdict: Verdict, *, figure: Canvas | None = None) -> Canvas:
    """Draw a unit's tuning in every variant, and each prediction's effect against its bounds.

    The outcomes on photographs come last, where these were given.

    Parameters
    ----------
    verdict
        From `judge` or `judge_all`.
    figure
        A figure or subfigure to draw into; by default a new `Figure`.

    Returns
    -------
    Figure or SubFigure
        The one that was given, or the new one; `.save(path)` writes it.

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
    outcomes = (*verdict.outcomes, *verdict.photographs)
    figure = figure_or_new(figure, (10.5, 1.1 + 0.62 * max(len(outcomes), 5)))
    width, height = inches(figure)
    left, right = 0.03 * width, 0.97 * width
    add_text(figure, left, 0.38, verdict.unit, fontsize=13, color=INK, weight="bold")
    about = f"as {with_article(verdict.hypothesis.name)} detector"
    if verdict.evidence.firing is not None:
        about += f"; positive at {verdict.evidence.firing[0]:.1%} of positions in photographs"
    add_text(figure, left, 0.62, about, fontsize=9, color=FAINT)
    color = _VERDICT_COLORS[verdict.status]
    add_text(
        figure, right, 0.38, verdict.status, fontsize=13, weight="bold", ha="right", color=color
    )
    color = _OUTCOME_COLORS["fails"] if verdict.by_chance and not verdict.missed else FAINT
    add_text(figure, right, 0.62, _p(verdict), fontsize=8, color=color, ha="right")
    rows = (height - 1.55) / len(outcomes)
    if axis := next(iter(verdict.evidence.axes), None):
        curves = add_axes(figure, 0.06 * width, 1.0, 0.3 * width, height - 1.55)
        _curves(curves, verdict, axis)
    for place, outcome in enumerate(outcomes):
        top = 1.0 + place * rows
        word = outcome.status
        if outcome in verdict.photographs and word != "holds":
            word = "doubtful"
        _claim(figure, outcome, word, top + rows / 2)
        bar = add_axes(figure, 0.72 * width, top + rows * 0.3, 0.2 * width, rows * 0.4)
        _bar(bar, outcome, _OUTCOME_COLORS[word], verdict.control(outcome))
    if notes := "; ".join(verdict.notes):
        add_text(figure, right, height - 0.2, notes, fontsize=7.5, color=FAINT, ha="right")
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
        f"activation by {axis}; thin: each of {counted(len(each), 'variant')}",
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


def _claim(figure: AnyFigure, outcome: Outcome, word: str, middle: float) -> None:
    width, _ = inches(figure)
    claim = textwrap.fill(outcome.prediction.claim, max(int(0.31 * width / 0.062), 8))
    style = {"fontsize": 8.5, "va": "center"}
    add_text(figure, 0.41 * width, middle, claim, color=INK, **style)
    color = _OUTCOME_COLORS[word]
    add_text(figure, 0.935 * width, middle, word, color=color, weight="bold", **style)


def _bar(axes: Axes, outcome: Outcome, color: str, control: str) -> None:
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
        axes.plot([low, high], [0.5, 0.5], color=color, linewidth=2.5)
        axes.plot([at], [0.5], "o", color=color, markersize=5, clip_on=False)
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
