"""How good is a sparse autoencoder, of a training that converged and of one that did not?

Trains a TopK dictionary of BVLC's mixed3b from two seeds, and evaluates it on held-out photographs
beside baselines. `evidence_new_features.py` tests the atoms that `--keep` keeps.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

import results
from visioncircuits import datasets, networks
from visioncircuits.datasets import Photographs
from visioncircuits.dictionaries import (
    Evaluation,
    Settings,
    TopK,
    evaluate,
    samples,
    store,
    train,
)

LAYER = "mixed3b"


def main() -> None:
    """Train, evaluate, test."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("photographs", type=Path, help="whose names begin with ImageNet's ids")
    parser.add_argument("--held-out", type=int, default=50, help="of the photographs held out")
    parser.add_argument("--atoms", type=int, default=960)
    parser.add_argument("--k", type=int, default=32)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=512, help="activations in a step")
    parser.add_argument("--rate", type=float, default=1e-2, help="learning rate")
    parser.add_argument("--keep", type=Path, help="folder for the dictionaries")
    results.option(parser)
    options = parser.parse_args()

    network = networks.load("bvlc_googlenet")
    every = datasets.photographs(options.photographs)
    training, held_out = datasets.split_by_name(every)
    held_out = spread(held_out, options.held_out)
    judging = samples(network, LAYER, held_out, positions=80).batch(0, size=2048, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        kept = store(samples(network, LAYER, training), folder, progress=True)
        one, other = (
            train(
                kept,
                LAYER,
                TopK(options.k),
                atoms=options.atoms,
                settings=Settings(
                    steps=options.steps, batch=options.batch, rate=options.rate, seed=seed
                ),
                held_out=judging,
                network=network,
                progress=True,
            )
            for seed in (0, 1)
        )
    if options.keep:
        for seed, dictionary in enumerate((one, other)):
            dictionary.save(options.keep / f"topk-{seed}.safetensors")
    evaluation = evaluate(one, network, held_out, second=other, progress=True)
    print(evaluation)
    for each in (one, other):
        print(each.record["convergence"])
    results.write(options.json, rows(evaluation))


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


if __name__ == "__main__":
    main()
