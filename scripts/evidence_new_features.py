"""Which atoms of a sparse autoencoder that is trained for minutes are new curve detectors?

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


def main() -> None:
    """Test."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("photographs", type=Path, help="that the dictionaries were trained on")
    parser.add_argument("kept", type=Path, help="the folder of the dictionaries")
    parser.add_argument("--held-out", type=int, default=50)
    results.option(parser)
    options = parser.parse_args()

    network = networks.load("bvlc_googlenet")
    every = datasets.photographs(options.photographs)
    held_out = spread(datasets.split_by_name(every, share=1 / 3)[1], options.held_out)
    one, other = (Dictionary.load(options.kept / f"topk-{seed}.safetensors") for seed in (0, 1))
    found = new_features(one, network, held_out, "curve", second=other, progress=True)
    print(found)
    results.write(options.json, rows(found))


def rows(found: NewFeatures) -> list[dict[str, results.Cell]]:
    """Give how many atoms pass each gate, and all up to it."""
    table, limits = found.table, found.thresholds
    meanings = (
        f"no unit: cosine below {limits['unit']:g}",
        f"recurs in a second seed: cosine of at least {limits['recurs']:g}",
        f"supported as {found.hypothesis} detector, beyond untrained atoms",
        "ablation changes the output beyond random directions",
    )
    rows: list[dict[str, results.Cell]] = [
        {
            "gate": "none: supported by stimuli, as `find` counts",
            "atoms that pass": int((table["verdict"] == "supported").sum()),
            "and all gates above": None,
        }
    ]
    for place, (gate, meaning) in enumerate(zip(GATES, meanings, strict=True)):
        measured = gate != "acts"  # of those that pass the others
        rows.append(
            {
                "gate": meaning,
                "atoms that pass": int(table[gate].sum()) if measured else None,
                "and all gates above": int(table[list(GATES[: place + 1])].all(axis=1).sum()),
            }
        )
    return rows


if __name__ == "__main__":
    main()
