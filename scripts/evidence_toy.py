"""Do the toy models of superposition become what is expected?

Trains those of "Toy Models of Superposition" (Elhage et al., 2022), and the linear model as a
control. Prints JSON: what was found beside what is expected. Takes minutes.
"""

import argparse
import json

import numpy as np

import results
from visioncircuits import toy

Row = dict[str, results.Cell]


def main() -> None:
    """Train and measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=1024)
    results.option(parser)
    options = parser.parse_args()
    how = {"steps": options.steps, "batch": options.batch}
    report = [*digons(how), *pentagons(how), antiprisms(how), *phases(how)]
    print(json.dumps(report, indent=1))
    results.write(options.json, report)


def digons(how: dict[str, int]) -> list[Row]:
    """Train 20 features in 6 dimensions, five seeds a sparsity."""
    rows: list[Row] = []
    for sparsity in (0.5, 0.7):
        tasks = [toy.Task(features=20, hidden=6, sparsity=sparsity, seed=s) for s in range(5)]
        weights = toy.train(tasks, **how).weights.values
        shares, kept = toy.dimensionality(weights), toy.represented(weights)
        middle = [np.quantile(each[k], [0.1, 0.9]) for each, k in zip(shares, kept, strict=True)]
        counts = kept.sum(1)
        what = f"20 features in 6 dimensions, sparsity {sparsity}, 5 seeds"
        low, high = np.min(middle), np.max(middle)
        rows += [
            _row(what, "dimensionality, middle 80 % of those represented", ".50",
                 f"{low:.3f} to {high:.3f}"),
            _row(what, "features represented", "11 to 12", f"{counts.min()} to {counts.max()}"),
            _row(what, "sum of dimensionalities", "6", _span(shares.sum(1))),
        ]  # fmt: skip
    return rows


def pentagons(how: dict[str, int]) -> list[Row]:
    """Train 5 features in 2 dimensions, twenty seeds."""
    tasks = [toy.Task(features=5, hidden=2, sparsity=0.95, seed=seed) for seed in range(20)]
    weights = toy.train(tasks, **how).weights.values
    found = np.array([[p.name for p in toy.parts(each)] == ["pentagon"] for each in weights])
    shares = toy.dimensionality(weights)
    what = "5 features in 2 dimensions, sparsity 0.95"
    return [
        _row(what, "seeds that end in a pentagon", "at least 19 of 20", f"{found.sum()} of 20"),
        _row(what, "dimensionality in these", ".400", _span(shares[found])),
        _row(what, "sum of dimensionalities", "2", _span(shares.sum(1))),
    ]


def antiprisms(how: dict[str, int]) -> Row:
    """Train 8 features in 3 dimensions."""
    tasks = [toy.Task(features=8, hidden=3, sparsity=0.95, seed=seed) for seed in range(5)]
    weights = toy.train(tasks, **how).weights.values
    named = sum([p.name for p in toy.parts(each)] == ["square antiprism"] for each in weights)
    return _row(
        f"8 features in 3 dimensions, sparsity 0.95: {named} of 5 are square antiprisms",
        "dimensionality", "3/8, of the tight frame", _span(toy.dimensionality(weights)),
    )  # fmt: skip


def phases(how: dict[str, int]) -> list[Row]:
    """Train two features in one dimension, by importance and sparsity."""
    steps = {**how, "steps": how["steps"] // 2}
    diagram = toy.phase_diagram(**steps)
    cells = [(float(i), float(s)) for i in diagram.importance for s in diagram.sparsity]
    expected = np.array([toy.expected_phase(*cell) for cell in cells])
    same = int((expected == diagram.phase.values.ravel()).sum())
    shared = toy.PHASES.index("superposition")
    linear = toy.phase_diagram(model=toy.Linear, **steps)
    count = int((linear.phase.values == shared).sum())
    what = "2 features in 1 dimension, 100 cells of the phase diagram"
    return [
        _row(what, "cells with the phase of the lowest loss by formula", "all but at limits",
             f"{same} of {len(cells)}"),
        _row(f"{what}, linear model", "cells in superposition", "0", f"{count} of {len(cells)}"),
    ]  # fmt: skip


def _span(values: np.ndarray) -> str:
    return f"{values.min():.3f} to {values.max():.3f}"


def _row(models: str, measure: str, expected: str, found: str) -> Row:
    return {"models": models, "measure": measure, "expected": expected, "found": found}


if __name__ == "__main__":
    main()
