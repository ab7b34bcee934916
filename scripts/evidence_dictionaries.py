"""How good is a sparse autoencoder that is trained for minutes?

Trains a TopK dictionary of BVLC's mixed3b from two seeds, evaluates it on held-out photographs
beside baselines, and puts its atoms through the four gates of new features as curve detectors. It
prints both, and writes two result files: FILE, and the gates' beside it, with `-gates` in its name.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

import results
from visioncircuits import datasets, networks
from visioncircuits.datasets import Photographs
from visioncircuits.dictionaries import (
    Evaluation,
    NewFeatures,
    Settings,
    TopK,
    evaluate,
    new_features,
    samples,
    store,
    train,
)
from visioncircuits.dictionaries.gated import GATES

LAYER = "mixed3b"


def main() -> None:
    """Train, evaluate, test."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("photographs", type=Path, help="whose names begin with ImageNet's ids")
    parser.add_argument("--training", type=int, default=100, help="photographs to train on")
    parser.add_argument("--held-out", type=int, default=50)
    parser.add_argument("--atoms", type=int, default=960)
    parser.add_argument("--k", type=int, default=32)
    parser.add_argument("--steps", type=int, default=800, help="of 1,024 activations")
    parser.add_argument("--keep", type=Path, help="folder for the dictionaries")
    results.option(parser)
    options = parser.parse_args()

    network = networks.load("bvlc_googlenet")
    every = datasets.photographs(options.photographs)
    training, held_out = datasets.split_by_name(every, share=1 / 3)
    training, held_out = spread(training, options.training), spread(held_out, options.held_out)
    judging = samples(network, LAYER, held_out, positions=80).batch(0, size=2048, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        kept = store(samples(network, LAYER, training), folder, progress=True)
        one, other = (
            train(
                kept,
                LAYER,
                TopK(options.k),
                atoms=options.atoms,
                settings=Settings(steps=options.steps, seed=seed),
                held_out=judging,
                network=network,
                progress=True,
            )
            for seed in (0, 1)
        )
    if options.keep:
        for seed, dictionary in enumerate((one, other)):
            dictionary.save(options.keep / f"topk-{seed}.safetensors")
    start = time.monotonic()
    evaluation = evaluate(one, network, held_out, second=other, progress=True)
    print(f"{evaluation}\n{time.monotonic() - start:.0f} s", flush=True)
    found = new_features(one, network, held_out, "curve", second=other, progress=True)
    print(found, one.record["convergence"]["fall"], one.record["convergence"]["converged"])
    if options.json:
        results.write(options.json, rows(evaluation))
        gates = options.json.with_name(f"{options.json.stem}-gates.json")
        results.write(gates, gate_rows(found))


def spread(photographs: Photographs, count: int) -> Photographs:
    """Return as many photographs, evenly spaced."""
    places = np.linspace(0, len(photographs) - 1, count).round().astype(int)
    return photographs.part(places.tolist())


def rows(evaluation: Evaluation) -> list[dict[str, results.Cell]]:
    """Give the rows of the page's table."""
    numbers = evaluation.table().drop(columns="beaten").round(3)
    return [
        {
            "description": f"{name}",
            **{column: None if np.isnan(value) else float(value) for column, value in row.items()},
            "beaten": evaluation.table()["beaten"][name],
        }
        for name, row in numbers.iterrows()
    ]


def gate_rows(found: NewFeatures) -> list[dict[str, results.Cell]]:
    """Give how many atoms pass each gate, and all up to it."""
    table = found.table
    meanings = (
        f"no unit: cosine below {found.thresholds['unit']:g}",
        f"recurs in a second seed: cosine of at least {found.thresholds['recurs']:g}",
        f"supported as {found.hypothesis} detector, beyond untrained atoms",
        "ablation changes the output beyond random directions",
    )
    return [
        {
            "gate": meaning,
            "atoms that pass it": int(table[gate].sum()) if gate != "acts" else None,
            "and those above": int(table[list(GATES[: place + 1])].all(axis=1).sum()),
        }
        for place, (gate, meaning) in enumerate(zip(GATES, meanings, strict=True))
    ] + [
        {
            "gate": "for comparison: supported by stimuli alone, as `find` counts",
            "atoms that pass it": int((table["verdict"] == "supported").sum()),
            "and those above": None,
        }
    ]


if __name__ == "__main__":
    main()
