"""Is a curve detector computed as its hypothesis has it? Causal scrubbing on two networks.

On the handwritten curves, whose circuit is known: the true hypothesis, wrong and incomplete ones.
On BVLC's GoogLeNet: mixed3b:413, claimed to depend on the orientation and the radius of the curve
in the middle, whatever it is drawn in, and to be computed from the curves and lines of mixed3a; on
stimuli, and on crops of photographs in which the handwritten curves read the orientation.
"""

import argparse
from pathlib import Path

import numpy as np

import results
from visioncircuits import datasets, hypotheses, networks, scrubbing, weights
from visioncircuits.networks import Network
from visioncircuits.scrubbing import CausalHypothesis, Claim, Reading
from visioncircuits.stimuli import StimulusSet, named

UNIT, LAYER = "mixed3b:413", "mixed3b"
ARCH = "mixed3b:18"
SHAPE = Reading("orientation"), Reading("radius")
CROP = 128
"""Side of the crops of photographs, in pixels: larger than the receptive field of mixed3b."""
WRONG = 20
"""Hypotheses of the same size with other units."""

Rows = list[dict[str, results.Cell]]


def main() -> None:
    """Scrub."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--most", type=int, default=200, help="photographs, evenly spread")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--panels", type=Path, help="a folder to draw what is kept into")
    results.option(parser)
    options = parser.parse_args()
    report = handwritten(options.draws)
    bvlc = networks.load("bvlc_googlenet")
    stimuli = scrubbing.drawn_stimuli(bvlc, UNIT, drawn_in_many_ways())
    parts = mixed3a_families(bvlc)
    for name, hypothesis in of_the_unit(SHAPE, parts).items():
        found = scrubbing.scrub(bvlc, hypothesis, stimuli, draws=options.draws)
        report += rows("curves", name, found)
        draw(options.panels, f"stimuli-{name}", found)
    every = datasets.photographs(options.photographs)
    places = np.linspace(0, len(every) - 1, min(len(every), options.most)).round().astype(int)
    crops = cropped(bvlc, every.part(places.tolist()))
    read = Reading("curve here", step=30), Reading("strength", bins=4)
    for name, hypothesis in of_the_unit(read, parts).items():
        found = scrubbing.scrub(bvlc, hypothesis, crops, draws=options.draws)
        report += rows("photographs", name, found)
        draw(options.panels, f"photographs-{name}", found)
    print(*(f"{row}" for row in report), sep="\n")
    results.write(options.json, report)


def drawn_in_many_ways() -> StimulusSet:
    """Return curves of several widths, dark on light and light on dark."""
    turns, radii = range(0, 360, 15), (20, 40, 80, 160)
    return (
        named("curves")
        .vary(orientation=turns, radius=radii, width=(3, 5), ink=("black", "white"))
        .fix(ground="gray")
    )


def handwritten(draws: int) -> Rows:
    """Scrub the handwritten curves."""
    network = networks.load("handwritten:curves")
    stimuli = named("curves").vary(
        orientation=range(0, 360, 15), radius=(30, 60, 120), ink=("black", "white")
    )
    shown = scrubbing.drawn_stimuli(network, ARCH, stimuli.fix(width=4, ground="gray"))
    true = scrubbing.from_labels(network, ARCH)
    others = {
        "every label turned by 90°": scrubbing.from_labels(network, ARCH, turned=90.0),
        "without the lines of mixed3a": true.without("line at mixed3a"),
        "without the early curves": true.without("early curve at mixed3a"),
        "nothing": CausalHypothesis("nothing", ARCH),
    }
    wrong = {str(n): scrubbing.other_units(network, true, seed=n) for n in range(WRONG)}
    found = scrubbing.scrub(network, true, shown, draws=draws, alternatives=others | wrong)
    best = max((each for each in found.alternatives if each.name in wrong), key=lambda c: c.share)
    listed = [
        ("by its labels, stage by stage", found.whole),
        *((each.name, each) for each in found.alternatives if each.name in others),
        (f"as many other units, the best of {WRONG} draws", best),
    ]
    return [_row("handwritten:curves", "curves", *each) for each in listed]


def mixed3a_families(network: Network) -> dict[str, tuple[str, ...]]:
    """Return the curves and the lines of mixed3a, found by stimuli, and the largest kernels."""
    found = {
        f"{name}s": tuple(str(u) for u in hypotheses.find(network, "mixed3a", name)["unit"])
        for name in ("curve", "line")
    }
    expanded = weights.expanded_weights(network, "mixed3a", UNIT)
    print(type(expanded), expanded)
    return found


def _row(
    network: str, shown: str, hypothesis: str, claim: Claim, best: str = ""
) -> dict[str, results.Cell]:
    low, high = claim.interval
    return {
        "network": network,
        "pictures": shown,
        "hypothesis": hypothesis,
        "share kept": round(claim.share, 2),
        "95 % interval": f"{low:.2f} to {high:.2f}",
    }


if __name__ == "__main__":
    main()
