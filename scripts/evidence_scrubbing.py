"""Is a curve detector computed as its hypothesis has it? Causal scrubbing on two networks.

On the handwritten curves, whose circuit is known: the true hypothesis, wrong and incomplete ones.
On BVLC's GoogLeNet: mixed3b:413, claimed to depend on the orientation and the radius of the curve
in the middle, whatever it is drawn in, and to be computed from the curves and lines of mixed3a; on
stimuli, and on crops of photographs in which the handwritten curves read the orientation. Beside
the share that a hypothesis keeps are those of its claims alone, and among how many pictures an
activation is exchanged, on average.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

import results
from visioncircuits import datasets, hypotheses, networks, scrubbing, weights
from visioncircuits.datasets import Photographs
from visioncircuits.handwritten import labels
from visioncircuits.networks import Layer, Network
from visioncircuits.scrubbing import (
    CausalHypothesis,
    Claim,
    Reading,
    Scrubbed,
    Shown,
    Variable,
)
from visioncircuits.stimuli import named

UNIT, BELOW = "mixed3b:413", "mixed3a"
ARCH = "mixed3b:18"
CURVES, CROPS = "curves", "crops of photographs"
ORIENTATION, RADIUS = Reading("orientation"), Reading("radius")
HERE, STRENGTH = Reading("curve here", step=30), Reading("strength", bins=4)
READ = {
    CURVES: (
        (ORIENTATION, RADIUS),
        (Reading("orientation", step=45), RADIUS),
        (ORIENTATION,),
        (RADIUS,),
    ),
    CROPS: ((HERE, STRENGTH), (HERE,), (STRENGTH,)),
}
"""What the unit is claimed to depend on, by pictures: the hypothesis, and coarser ones."""
CROP = 128
"""Side of the crops of photographs, in pixels: larger than the receptive field of mixed3b."""
STRONGEST = 64
WRONG = 20
"""Hypotheses of the same size with other units."""

Row = dict[str, results.Cell]


def main() -> None:
    """Scrub."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--most", type=int, default=100, help="photographs, evenly spread")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--panels", type=Path, help="a folder to draw what is kept into")
    results.option(parser)
    options = parser.parse_args()
    report = handwritten(options.draws)
    bvlc = networks.load("bvlc_googlenet")
    every = datasets.photographs(options.photographs)
    places = np.linspace(0, len(every) - 1, min(len(every), options.most)).round().astype(int)
    shown = {CURVES: drawn(bvlc), CROPS: cropped(bvlc, every.part(places.tolist()))}
    for pictures, each in shown.items():
        report += trained(bvlc, each, pictures, options.draws, options.panels)
    print(*(json.dumps(row, ensure_ascii=False) for row in report), sep="\n")
    results.write(options.json, report)


def trained(
    network: Network, shown: Shown, pictures: str, draws: int, panels: Path | None = None
) -> list[Row]:
    """Scrub the hypotheses about the trained unit on some pictures."""
    values, *fewer = READ[pictures]
    report = []
    for name, hypothesis in hypotheses_of(values, fewer, in_mixed3a(network)).items():
        others = others_than(network, hypothesis)
        found = scrubbing.scrub(network, hypothesis, shown, draws=draws, alternatives=others)
        report += rows(pictures, name, found)
        if panels is not None:
            stem = f"{pictures} {name}".replace(" ", "-")
            scrubbing.scrub_panel(found).save(panels / f"{stem}.png")
    return report


def drawn(network: Network) -> Shown:
    """Draw curves of two widths, dark on gray and light on gray."""
    curves = named("curves").vary(
        orientation=range(0, 360, 15),
        radius=(20, 40, 80, 160),
        width=(3, 5),
        ink=("black", "white"),
    )
    return scrubbing.drawn_stimuli(network, UNIT, curves.fix(ground="gray"))


@torch.inference_mode()
def cropped(network: Network, photographs: Photographs) -> Shown:
    """Crop each photograph where the unit activates most, and anywhere.

    What is known of each crop is what the handwritten curves read in its middle: the orientation
    of the one that activates most, and how much it does.
    """
    layer = network.layer(BELOW.replace("3a", "3b"))
    rng = np.random.default_rng(0)
    crops = []
    for pictures in photographs.batches(network.size, 20):
        maps = network.unit_activations(pictures, {layer.name: torch.tensor([413])})[layer.name]
        for picture, (found,) in zip(pictures, maps, strict=True):
            rows, columns = (_inside(layer, axis, network.size) for axis in (0, 1))
            inner = found[rows.start : rows.stop, columns.start : columns.stop]
            best = np.unravel_index(int(inner.argmax()), inner.shape)
            for row, column in (best, [rng.integers(len(axis)) for axis in (rows, columns)]):
                y, x = layer.center((int(rows[int(row)]), int(columns[int(column)])))
                top, left = round(y - (CROP - 1) / 2), round(x - (CROP - 1) / 2)
                crops.append(picture[:, top : top + CROP, left : left + CROP])
    shown = torch.stack(crops)
    reader = networks.load("handwritten:curves")
    middle = (CROP // 2 - 1) // 8
    curves = [
        reader.activations(part, ["mixed3b"])["mixed3b"][:, :24, middle, middle]
        for part in torch.split(shown, 50)
    ]
    strength, which = torch.cat(curves).max(1)
    turns = np.array([label.need("orientation") for label in labels(reader, "mixed3b")[:24]])
    known = {"curve here": turns[which.numpy()], "strength": strength.double().numpy()}
    return Shown(shown, known, record={"photographs": list(photographs.names)})


def _inside(layer: Layer, axis: int, size: int) -> range:
    """Return the positions about which a crop lies inside of a picture."""
    centers = [layer.center((n, n))[axis] for n in range(layer.shape[axis])]
    inside = [n for n, at in enumerate(centers) if CROP / 2 <= at <= size - 1 - CROP / 2]
    return range(inside[0], inside[-1] + 1)


def in_mixed3a(network: Network) -> dict[str, tuple[str, ...]]:
    """Return its curves and lines, as stimuli find them, and the units of the largest kernels."""
    curves, lines = (
        [str(unit) for unit in hypotheses.find(network, BELOW, name)["unit"].values]
        for name in ("curve", "line")
    )
    lines = [unit for unit in lines if unit not in curves]
    size = weights.expanded_weights(network, BELOW, UNIT).weight[0].square().sum((1, 2))
    strongest = [f"{BELOW}:{unit}" for unit in size.argsort(descending=True)[:STRONGEST].tolist()]
    return {"curves": tuple(curves), "lines": tuple(lines), "strongest": tuple(strongest)}


def hypotheses_of(
    values: Sequence[Reading],
    fewer: Sequence[Sequence[Reading]],
    families: Mapping[str, tuple[str, ...]],
) -> dict[str, CausalHypothesis]:
    """Return the hypotheses by name: what the unit depends on, and what it is computed from."""

    def claimed(**features: Sequence[str] | str) -> CausalHypothesis:
        variables = tuple(
            Variable(name, units if isinstance(units, str) else tuple(units), values=tuple(values))
            for name, units in features.items()
        )
        return CausalHypothesis("curve", UNIT, tuple(features), variables)

    found = {}
    for read in (values, *fewer):
        unit = Variable("unit", UNIT, 1, tuple(read))
        name = f"it depends on {' and '.join(map(str, read))}"
        found[name] = CausalHypothesis("curve", UNIT, ("unit",), (unit,))
    parts = {name: families[name] for name in ("curves", "lines")}
    count = sum(map(len, parts.values()))
    strongest = families["strongest"]
    return found | {
        f"the first, through all of {BELOW}": claimed(all=BELOW),
        f"the first, through its {STRONGEST} largest kernels": claimed(strongest=strongest),
        f"the first, through its {count} largest kernels": claimed(strongest=strongest[:count]),
        f"the first, through the {count} curves and lines of {BELOW}": claimed(**parts),
    }


def others_than(network: Network, hypothesis: CausalHypothesis) -> dict[str, CausalHypothesis]:
    """Return the alternatives of a hypothesis of families: without each, and other units."""
    if len(hypothesis.variables) < 2:
        return {}
    found = scrubbing.alternatives_to(network, hypothesis)
    return {name: each for name, each in found.items() if ":" not in name}


def handwritten(draws: int) -> list[Row]:
    """Scrub the handwritten curves."""
    network = networks.load("handwritten:curves")
    stimuli = named("curves").vary(
        orientation=range(0, 360, 15), radius=(40, 80), ink=("black", "white")
    )
    shown = scrubbing.drawn_stimuli(network, ARCH, stimuli.fix(width=4, ground="gray"))
    true = scrubbing.from_labels(network, ARCH)
    others = {
        "every label turned by 90°": scrubbing.from_labels(network, ARCH, turned=90.0),
        "without the lines of mixed3a": true.without("line at mixed3a"),
        "without the early curves": true.without("early curve at mixed3a"),
        "nothing": CausalHypothesis("nothing", ARCH),
    }
    found = scrubbing.scrub(network, true, shown, draws=draws, alternatives=others)
    last = scrubbing.from_labels(network, ARCH, depth=1)  # all units of the stages before it
    wrong = {str(n): scrubbing.other_units(network, last, seed=n) for n in range(WRONG)}
    random = scrubbing.scrub(network, last, shown, draws=draws, alternatives=wrong)
    best = max(random.alternatives, key=lambda claim: claim.share)
    listed = [
        ("by its labels, stage by stage", found.whole),
        *((each.name, each) for each in found.alternatives),
        (f"as many other units, the best of {WRONG} draws", best),
    ]
    return [_row("handwritten:curves", "curves", *each) for each in listed]


def rows(pictures: str, name: str, found: Scrubbed) -> list[Row]:
    """Give a hypothesis' rows, and those of its alternatives."""
    parts = {
        kind: [claim.share for claim in found.claims if claim.kind == kind]
        for kind in ("inputs", "values")
    }
    alone = {
        "its inputs alone": round(min(parts["inputs"]), 2),
        "its values alone": ", ".join(f"{share:.2f}" for share in parts["values"]),
        "exchanged among": next(round(c.pictures, 1) for c in found.claims if c.pictures),
    }
    first = _row("BVLC's GoogLeNet", pictures, name, found.whole) | alone
    rest = [
        _row("BVLC's GoogLeNet", pictures, f"the same, {each.name}", each)
        for each in found.alternatives
    ]
    return [first, *rest]


def _row(network: str, pictures: str, hypothesis: str, claim: Claim) -> Row:
    low, high = claim.interval
    return {
        "network": network,
        "pictures": pictures,
        "hypothesis": hypothesis,
        "share kept": round(claim.share, 2),
        "95 % interval": f"{low:.2f} to {high:.2f}",
        "its inputs alone": None,
        "its values alone": "",
        "exchanged among": None,
    }


if __name__ == "__main__":
    main()
