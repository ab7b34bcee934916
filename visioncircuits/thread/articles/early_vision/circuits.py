"""Circuits of a network."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from visioncircuits.comparison import placement
from visioncircuits.stimuli import StimulusSet, curve
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import NEGATIVE, SHUFFLED
from visioncircuits.thread.intervals import middle, null
from visioncircuits.tuning import black_and_white, circle_detectors, measure
from visioncircuits.weights import connection_cards, expanded_weights, strongest_inputs

NOT_COLOR = here(
    "detectors of black and white are inhibited by units that respond to color", "12 of 12"
)
ROUND = here("small circles in mixed3a are excited by tiny curves, each where it faces", "")
EDGES = here(
    "boundaries have line and color contrast detectors as inputs beside high-low frequency ones",
    "2 and 2 of 10 inputs",
    stand_ins=NEGATIVE,
)
TRIANGLE_HERE = here("a triangle is made of lines", "")
FUR_HERE = here("detectors of oriented fur come in mirror images", "")


@part(NOT_COLOR, ROUND, EDGES, TRIANGLE_HERE, FUR_HERE, stand_ins=(SHUFFLED,))
def circuits_here(study: Study) -> Iterator[Row | Plate]:
    """Circuits of this network."""
    yield from black_and_white_inputs(study)
    yield from small_circles(study)
    yield from boundaries(study)
    curves = study.found("curve", "mixed3b")["unit"].tolist()
    if curves:
        yield Plate(
            "explorer",
            cards(study, curves[0], study.layer("mixed3a"), 16),
            f"{curves[0]}: its 16 strongest inputs, as a page of the weight explorer shows them.",
        )
    yield TRIANGLE_HERE.untestable("no stimulus here is a triangle, so that no test finds one")
    yield FUR_HERE.untestable("no stimulus here is fur, so that no test finds its detectors")


def black_and_white_inputs(study: Study) -> Iterator[Row | Plate]:
    """Test which of their inputs inhibit detectors of black and white."""
    before, layer = study.layer("conv2d2"), study.layer("mixed3a")
    table = black_and_white(study.network, layer)
    units = table.loc[table["detector"], "unit"].tolist()
    if len(units) < 3:
        yield NOT_COLOR.untestable(f"{len(units)} detectors of black and white found in {layer}")
        return
    sources = black_and_white(study.network, before)
    white, tinted = sources["white"].to_numpy(), sources["tinted"].to_numpy()
    color = tinted / (white + tinted).clip(1e-9)
    weights = expanded_weights(study.network, before, units)
    sums = weights.weight.sum((2, 3)).cpu().numpy()
    norms = weights.weight.square().sum((2, 3)).cpu().numpy()
    top = np.argsort(-norms, axis=1)[:, :16]
    signs = np.sign(np.take_along_axis(sums, top, 1))

    def apart(signs: np.ndarray) -> float:
        values = color[top]
        return float(values[signs < 0].mean() - values[signs > 0].mean())

    rng = study.rng("black and white")
    chance = [apart(rng.permuted(signs, axis=1)) for _ in range(2000)]
    low, high = middle(chance)
    found = apart(signs)
    yield NOT_COLOR.found(
        f"color preference of what inhibits less that of what excites: {found:+.2f}",
        holds=found > high,
        interval=f"{low:+.2f} to {high:+.2f} with shuffled signs",
        why=f"The 16 strongest inputs of {len(units)} detectors; a source's preference is its "
        "response to tinted gratings over that plus its response to black and white ones. Holds "
        "above the interval.",
    )
    unit = table[table["detector"]].sort_values("white")["unit"].iloc[-1]
    yield Plate(
        "black-and-white",
        cards(study, unit, before, 16),
        f"{unit}, which responds to black and white and not to color, and its 16 strongest inputs.",
    )


def cards(study: Study, unit: str, source: str, top: int) -> Image.Image:
    """Draw the strongest inputs of a unit, as the article's circuits do."""
    found = strongest_inputs(expanded_weights(study.network, source, unit), top=top)
    features = [found[0].target, *(connection.source for connection in found)]
    return connection_cards(found, study.thumbnails(features), size=96, columns=8)


def small_circles(study: Study) -> Iterator[Row | Plate]:
    """Test where the curves lie that excite a small circle."""
    before, layer = study.layer("conv2d2"), study.layer("mixed3a")
    table = circle_detectors(study.network, layer)
    units = table.loc[table["detector"], "unit"].tolist()
    field = min(study.network.layer(before).receptive_field)
    arcs = StimulusSet(
        curve,
        {"orientation": range(0, 360, 15), "radius": (field / 6, field / 4, field / 3)},
        {"width": 2.0},
    )
    responses = measure(study.network, before, arcs).clip(min=0).max("radius").values
    best = responses.max(1)
    units_of = np.arange(len(best))
    opposite = responses[units_of, (responses.argmax(1) + 12) % 24]
    tiny = np.flatnonzero((best > np.median(best)) & (opposite < best / 2))
    if len(units) < 3 or len(tiny) < 3:
        yield ROUND.untestable(
            f"{len(units)} small circles found in {layer}, {len(tiny)} tiny curves in {before}"
        )
        return
    angles = np.exp(2j * np.pi * np.arange(24) / 24)
    orientations = np.degrees(np.angle(responses[tiny] @ angles)) % 360
    kernels = expanded_weights(study.network, [f"{before}:{unit}" for unit in tiny], units)
    values = kernels.weight.cpu().numpy()
    exciting = values.sum((2, 3)) > 0

    def off(order: np.ndarray) -> float:
        facing = [placement(row[mask], orientations[order][mask])
                  for row, mask in zip(values, exciting, strict=True)]  # fmt: skip
        return float(np.median(np.abs(np.concatenate(facing))))

    rng = study.rng("circles")
    low, high = null(off, np.arange(len(tiny)), rng, draws=study.of(1000, quick=200))
    found = off(np.arange(len(tiny)))
    yield ROUND.found(
        f"median {found:.0f}° from where they face",
        holds=found <= 45 and found < low,
        interval=f"{low:.0f}° to {high:.0f}° with shuffled orientations",
        why=f"{exciting.sum()} kernels from {len(tiny)} tiny curves into {len(units)} small "
        "circles; circles activate these twice as much as curves. The angle between where a curve "
        "excites from and where it faces: holds up to a median of 45° and below the interval.",
    )
    yield Plate(
        "small-circle",
        cards(study, units[0], before, 8),
        f"{units[0]}, a small circle, and its strongest inputs.",
    )


def boundaries(study: Study) -> Iterator[Row | Plate]:
    """Test the inputs of boundaries beside high-low frequency detectors."""
    layer, after = study.layer("mixed3a"), study.layer("mixed3b")
    high_low = study.detectors("high-low", "mixed3a")["unit"].tolist()
    others = [
        *study.members("line", "mixed3a")["unit"],
        *study.members("color-contrast", "mixed3a")["unit"],
    ]  # fmt: skip
    if len(others) < 3:
        yield EDGES.untestable(f"{len(others)} line and color contrast detectors in {layer}")
        return
    weights = expanded_weights(study.network, layer, after)
    squares = weights.weight.square().sum((2, 3)).cpu().numpy()
    names = [str(feature) for feature in weights.inputs]
    first, second = (
        squares[:, [names.index(unit) for unit in units]].sum(1) for units in (high_low, others)
    )
    rest = squares.sum(1) - first
    share = second / rest.clip(1e-30)
    if len(share) <= 20:
        yield EDGES.untestable(f"{len(share)} units are in {after}; more than 20 are needed")
        return
    top = np.argsort(-first)[:20]
    found, expected = share[top].mean(), len(others) / (len(names) - len(high_low))
    rng = study.rng("boundaries")
    chance = [rng.choice(share, 20, replace=False).mean() for _ in range(2000)]
    low, high = middle(chance)
    yield EDGES.found(
        f"{found:.1%} of the other squared weight",
        holds=bool(found > high),
        interval=f"{low:.1%} to {high:.1%} of 20 units at random",
        why=f"The 20 units of {after} with the largest weights from the {len(high_low)} high-low "
        f"detectors; {len(others)} lines and color contrasts are {expected:.1%} of the other "
        "units. Holds above the interval.",
    )
    exciting = weights.weight.clamp(min=0).square().sum((2, 3)).cpu().numpy()
    strongest = exciting[:, [names.index(unit) for unit in high_low]].sum(1).argmax()
    unit = f"{after}:{strongest}"
    yield Plate(
        "boundary",
        cards(study, unit, layer, 16),
        f"{unit}, which high-low frequency detectors excite most, and its strongest inputs.",
    )
