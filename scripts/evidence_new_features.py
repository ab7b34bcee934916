"""Which atoms are new curve detectors, of a training that converged and of one that did not?

Puts the dictionaries that `evidence_dictionaries.py` kept through the four gates, on the held-out
photographs.
"""

import argparse
from pathlib import Path

import results
from evidence_dictionaries import spread
from visioncircuits import datasets, networks
from visioncircuits.dictionaries import Dictionary, NewFeatures, new_features
from visioncircuits.dictionaries.gated import GATES

TRAININGS = ("unconverged", "converged")


def main() -> None:
    """Test."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("photographs", type=Path, help="that the dictionaries were trained on")
    for name in TRAININGS:
        parser.add_argument(name, type=Path, help="the folder of its dictionaries")
    parser.add_argument("--held-out", type=int, default=50)
    results.option(parser)
    options = parser.parse_args()

    network = networks.load("bvlc_googlenet")
    every = datasets.photographs(options.photographs)
    held_out = spread(datasets.split_by_name(every)[1], options.held_out)
    columns: dict[str, list[int | None]] = {}
    for name in TRAININGS:
        folder = getattr(options, name)
        one, other = (Dictionary.load(folder / f"topk-{seed}.safetensors") for seed in (0, 1))
        reached = one.record["convergence"]["converged"]
        if reached != (name == "converged"):
            parser.error(f"the dictionary of {folder} has {'' if reached else 'not '}converged")
        found = new_features(one, network, held_out, "curve", second=other, progress=True)
        print(found)
        columns |= {name: passing(found), f"{name}, and all gates above": together(found)}
    gates = meanings(found)
    results.write(
        options.json,
        [
            {"gate": gate, **{name: numbers[place] for name, numbers in columns.items()}}
            for place, gate in enumerate(gates)
        ],
    )


def meanings(found: NewFeatures) -> tuple[str, ...]:
    """Return what each row counts: without gates, and of each gate."""
    limits = found.thresholds
    return (
        "none: supported by stimuli, as `find` counts",
        f"no unit: cosine below {limits['unit']:g}",
        f"recurs in a second seed: cosine of at least {limits['recurs']:g}",
        f"supported as {found.hypothesis} detector, beyond untrained atoms",
        "ablation changes the output beyond random directions",
    )


def passing(found: NewFeatures) -> list[int | None]:
    """Count the atoms of each row; ablation is measured of those alone that pass the others."""
    supported = int((found.table["verdict"] == "supported").sum())
    return [supported, *(int(found.table[gate].sum()) for gate in GATES[:-1]), None]


def together(found: NewFeatures) -> list[int | None]:
    """Count the atoms that pass a gate and all before it."""
    gates = range(1, len(GATES) + 1)
    return [None, *(int(found.table[list(GATES[:upto])].all(axis=1).sum()) for upto in gates)]


if __name__ == "__main__":
    main()
