"""Units that detect an absence of color: two layers at once."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float
from scipy.stats import spearmanr

from visioncircuits.networks import Network, Unit
from visioncircuits.stimuli import StimulusSet, circle, color_contrast
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import SHUFFLED
from visioncircuits.thread.intervals import middle
from visioncircuits.tuning import measure
from visioncircuits.tuning.achromatic import black_and_white
from visioncircuits.weights import connection_cards, expanded_weights, strongest_inputs

ABSENT = here(
    "color inputs of units that detect an absence of color in the center inhibit there and excite "
    "around, black-and-white inputs the other way round",
    "mixed3b:208: nine color inputs -1 to -.49 in the center, nine others +.29 to +.68",
)


@part(ABSENT, stand_ins=(SHUFFLED,))
def center_here(study: Study) -> Iterator[Row | Plate]:
    """Figure 10: two layers at once.

    Five units are chosen by stimuli: those that gray discs on an even hue activate furthest beyond
    discs of a hue on gray and beyond that hue all over. An input's color is its response to hues
    of one brightness, against its response to black and white gratings.
    """
    network, layer = study.network, study.layer("mixed3b")
    lack = absence(network, layer)
    units = [f"{layer}:{unit}" for unit in np.argsort(-lack)[:5]]
    source = study.layer("maxpool1")
    weights = expanded_weights(network, source, units)
    before = study.layer("conv2d2")
    white = black_and_white(network, before)["white"].to_numpy(float).clip(0)
    hues = StimulusSet(
        color_contrast,
        {"orientation": range(0, 360, 45), "hue": range(0, 360, 30), "apart": (0.0, 180.0)},
    )
    colored = measure(network, before, hues).max(hues.dims).values.astype(float).clip(0)
    index = colored / (colored + white).clip(1e-9)
    contrasts, colors = [], []
    for unit in units:
        inputs = strongest_inputs(weights, unit, top=18)
        contrasts.append([center_less_ring(each.kernel.double().numpy()) for each in inputs])
        colors.append(
            [index[each.source.index] for each in inputs if isinstance(each.source, Unit)]
        )
    found, rng = ranked(contrasts, colors), study.rng("absence")
    shuffled = [
        ranked(contrasts, [rng.permutation(each).tolist() for each in colors]) for _ in range(1000)
    ]
    low, high = middle(shuffled)
    yield ABSENT.found(
        f"rank correlation {found:.2f}",
        holds=found < low,
        interval=f"inputs shuffled within a unit: {low:.2f} to {high:.2f}",
        why=f"Of an input's color with its kernel's middle less its rim, 18 strongest inputs of "
        f"{source} into each of five units ({', '.join(units)}), a mean over units.",
    )
    cards = sorted(
        strongest_inputs(weights, units[0], top=18),
        key=lambda each: -index[each.source.index] if isinstance(each.source, Unit) else 0.0,
    )
    names = [units[0], *(str(each.source) for each in cards)]
    yield Plate(
        "absence",
        connection_cards(cards, study.thumbnails(names), columns=9),
        f"Figure 10 from {network.name}: the 18 strongest inputs of {units[0]} from {source}, the "
        "most colored first.",
    )


def absence(network: Network, layer: str) -> Float[np.ndarray, " units"]:
    """Compute by how much gray on a hue activates units more than a hue on gray, or all over."""
    field = float(min(*network.layer(layer).receptive_field, network.size))
    axes, gray = {"radius": [field * part for part in (0.1, 0.15, 0.2)]}, "#808080"
    responses: dict[str, list[np.ndarray]] = {"inside": [], "outside": [], "all over": []}
    for hue in ("#bf4040", "#80bf40", "#40bfbf", "#8040bf"):
        for name, ink, ground in (
            ("inside", gray, hue), ("outside", hue, gray), ("all over", hue, hue)
        ):  # fmt: skip
            discs = StimulusSet(
                circle, axes, {"fill": 1.0, "width": 0.0, "ink": ink, "ground": ground}
            )
            responses[name].append(measure(network, layer, discs).max("radius").values)
    inside, outside, whole = (np.mean(each, 0) for each in responses.values())
    return np.asarray(inside - np.maximum(outside, whole))


def center_less_ring(kernel: np.ndarray) -> float:
    """Compute the mean of a kernel's middle less that of its rim, over its largest weight."""
    height, width = kernel.shape
    y, x = np.mgrid[:height, :width]
    away = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2)
    inside = away <= height / 5
    return float(
        (kernel[inside].mean() - kernel[~inside].mean()) / max(np.abs(kernel).max(), 1e-30)
    )


def ranked(contrasts: Sequence[Sequence[float]], colors: Sequence[Sequence[float]]) -> float:
    """Average rank correlations over units."""
    pairs = zip(contrasts, colors, strict=True)
    return float(np.mean([spearmanr(*pair).statistic for pair in pairs]))
