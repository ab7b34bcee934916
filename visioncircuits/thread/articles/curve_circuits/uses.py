"""What curve detectors are used for, and how many parameters they have."""

import inspect
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from visioncircuits import handwritten
from visioncircuits.networks import Feature, LayerGraph, Network, Unit, parse
from visioncircuits.stimuli import StimulusSet, circle, double_curve, evolute, line, spiral
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import Unavailable
from visioncircuits.thread.intervals import middle
from visioncircuits.tuning import measure
from visioncircuits.weights import expanded_weights

DOWNSTREAM = here(
    "curves are used for circles, spirals, double curves and evolutes in mixed4a",
    "circles, S, spirals, divots, evolutes",
)
PARAMETERS = here("curve detection involves more than 50,000 parameters", "more than 50,000")
FEWER = here(
    "symmetry leaves few free numbers: rotation saves 10 to 20 times, all together 50",
    "about 50 times",
)


@part(DOWNSTREAM)
def used_for(study: Study) -> Iterator[Row | Plate]:
    """What curves are used for.

    The units of mixed4a that the family feeds most, by the norm of the positive weights, are
    tested with circles, spirals, double curves and evolutes. The null takes as many units at
    random.
    """
    network = study.network
    late = study.detectors("curve", "mixed3b")
    layer = study.layer("mixed4a")
    weights = expanded_weights(network, list(late["unit"]), layer)
    norms = weights.weight.clamp(min=0).square().sum((1, 2, 3)).sqrt().numpy()
    field = float(min(max(network.layer(layer).receptive_field), 180))
    radii = {"radius": tuple(field * part for part in (0.08, 0.14, 0.22))}
    around = range(0, 360, study.of(30, quick=90))
    turned = {**radii, "orientation": around}
    stroke = {"width": 3.0}
    shapes = {
        "circles": StimulusSet(circle, radii, stroke),
        "spirals": StimulusSet(spiral, {"orientation": around}, stroke),
        "double curves": StimulusSet(double_curve, turned, stroke),
        "evolutes": StimulusSet(evolute, turned, stroke),
    }
    straight = StimulusSet(line, {"orientation": range(0, 180, 15)}, stroke)
    plain = measure(network, layer, straight).max("orientation").values.clip(0)
    shaped = np.max(
        [a.max([d for d in a.dims if d != "unit"]).values
         for a in (measure(network, layer, each) for each in shapes.values())], 0,
    ).clip(0)  # fmt: skip
    rather = (shaped - plain) / (shaped + plain).clip(1e-9)
    count = 20
    top = np.argsort(norms)[::-1][:count]
    rng = study.rng("downstream")
    chance = [rather[rng.choice(len(rather), count, replace=False)].mean() for _ in range(2000)]
    low, high = middle(chance)
    yield DOWNSTREAM.found(
        f"{rather[top].mean():+.2f}",
        holds=bool(rather[top].mean() > high),
        interval=f"chance {low:+.2f} to {high:+.2f}",
        why=f"(shapes − lines) / (shapes + lines), the strongest response to either, mean of the "
        f" {count} units of {layer} with the largest positive weights from the family.",
    )
    names = [str(Unit(layer, int(unit))) for unit in top[: study.of(12, quick=6)]]
    yield Plate(
        "used-for",
        thumbnails(study, names),
        f"The units of {layer} that the curve family excites most, by feature visualization: "
        f"{', '.join(names)}.",
    )


def thumbnails(study: Study, names: Sequence[str]) -> Image.Image:
    """Put pictures of features side by side."""
    drawn = [picture.resize((128, 128)) for picture in study.pictures(names)]
    row = Image.new("RGB", (len(drawn) * 136 - 8, 128), "white")
    for place, picture in enumerate(drawn):
        row.paste(picture, (place * 136, 0))
    return row


@part(PARAMETERS, FEWER)
def parameters(study: Study) -> Iterator[Row | Plate]:
    """How many parameters.

    What is counted is every weight on a path from the picture to the family, bottlenecks
    included; and of the hand-set network its weights, and the numbers that they follow from.
    """
    late = study.detectors("curve", "mixed3b")
    counted = weights_on_paths(study.network, [parse(unit) for unit in late["unit"]])
    yield PARAMETERS.found(
        f"{counted:,}",
        holds=counted > 50_000,
        why="All weights on paths from the picture; the article does not state which it counted.",
    )
    network = handwritten.curves()
    written = sum(int((p != 0).sum()) for p in network.module.parameters())
    free = len(inspect.signature(handwritten.curves).parameters)
    yield FEWER.found(
        f"{written:,} weights that are not 0, from {free} parameters",
        holds=written / free > 50,
        why="The hand-set network's; its formulas hold more constants than these.",
    )


def weights_on_paths(network: Network, units: Sequence[Feature]) -> int:
    """Count the weights on all paths from the picture to units of a layer."""
    module = network.module
    if not isinstance(module, LayerGraph):
        raise Unavailable(f"the graph of {network.name} is not known")
    counted = 0
    for name, branch in network.branches(units[0].layer).items():
        inside = sum(isinstance(unit, Unit) and unit.index in branch for unit in units)
        if inside:
            counted += _behind(module, f"{name}_pre_relu", inside)
    return counted


def _behind(module: LayerGraph, last: str, kept: int) -> int:
    """Count the weights of a layer, `kept` units of it, and of all before it."""
    waiting, seen, counted = [last], set[str](), 0
    while waiting:
        name = waiting.pop()
        if name in seen or name not in module.sources:
            continue
        seen.add(name)
        waiting += module.sources[name]
        for parameter in module.operation(name).parameters():
            counted += (
                parameter.numel() * kept // len(parameter) if name == last else parameter.numel()
            )
    return counted
