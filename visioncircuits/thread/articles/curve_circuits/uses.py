"""What curve detectors are used for, and how few numbers would make them."""

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from visioncircuits import handwritten
from visioncircuits.networks import Unit
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
FEWER = here(
    "symmetry leaves few free numbers: rotation saves 10 to 20 times, all together 50",
    "about 50 times",
    stand_ins=(),
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
    if len(rather) <= count:
        raise Unavailable(f"{len(rather)} units are in {layer}; more than {count} are needed")
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


@part(FEWER)
def parameters(study: Study) -> Iterator[Row | Plate]:
    """How many parameters.

    That curve detection involves more than 50,000 parameters is a property of the architecture:
    any one unit of mixed3b has as many on its paths from the picture.
    """
    written = sum(int((p != 0).sum()) for p in handwritten.curves().module.parameters())
    yield FEWER.untestable(
        f"the hand-set network has {written:,} weights that are not 0, but the free numbers of its "
        "formulas (radii, widths, gains, and constants inside of rules) cannot be counted in one "
        "way, and the article states none"
    )
