"""Time the drawing of curves: this package's batches, and a numpy twin of lucid's algorithm.

The twin does what lucid's stimuli do for a boundary line: it asks an implicit function at ten
random points of every pixel, and at each of them at sixteen points around it to see whether the
line is near. It is written for this comparison, and draws the same circle. The two take turns.
Prints JSON: median milliseconds a curve of each, their ratio, and how far the pictures differ.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import results
from visioncircuits.stimuli import StimulusSet, curve

POINTS, AROUND = 10, 16
RADIUS, WIDTH = 60.0, 2.0


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=224, help="side of a picture, px")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--curves", type=int, default=96, help="drawn by us in each round")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    results.option(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    turn = 360 / options.curves
    curves = StimulusSet(
        curve,
        {"orientation": [index * turn for index in range(options.curves)]},
        {"radius": RADIUS, "width": WIDTH, "size": options.size, "device": options.device},
    )
    drawn, sampled = [], []
    for index in range(options.rounds + 1):
        ours = milliseconds(lambda: draw(curves, options.batch)) / options.curves
        twins = milliseconds(lambda: sampled_curve(30.0, options.size, seed=0))
        if index:  # the first round warms up
            drawn.append(ours)
            sampled.append(twins)
    ours, twins = statistics.median(drawn), statistics.median(sampled)
    report: dict[str, Any] = {
        "torch": torch.__version__,
        "threads": options.threads,
        "device": options.device,
        "size": options.size,
        "batch": options.batch,
        "ours_ms": round(ours, 3),
        "ours_fastest_ms": round(min(drawn), 3),
        "sampled_twin_ms": round(twins, 1),
        "ratio": round(twins / ours, 1),
        "mean_difference": difference(options.size),
    }
    print(json.dumps(report, indent=1))
    results.write(options.json, rows(report), device=options.device)


def rows(report: dict[str, Any]) -> list[dict[str, results.Cell]]:
    """Give the row of the page's table."""
    return [
        {
            "picture": f"a curve of {report['size']} px",
            "ms": round(report["ours_ms"], 2),
            "by sampling points as lucid did, ms": report["sampled_twin_ms"],
            "ratio": round(report["ratio"]),
        }
    ]


def milliseconds(work: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - start)


def draw(curves: StimulusSet, batch: int) -> None:
    """Draw the whole set, and wait for it."""
    for _, stimulus in curves.batches(batch):
        last = stimulus.picture
    last[0, 0, 0, 0].item()


def sampled_curve(orientation: float, size: int, *, seed: int) -> np.ndarray:
    """Share of each pixel in the line around a circle, from random points, (size, size)."""
    generator = np.random.default_rng(seed)
    places = np.arange(size) - (size - 1) / 2
    angle = np.radians(orientation)
    turns = 2 * np.pi * np.arange(AROUND) / AROUND
    line = np.zeros((size, size))
    for x, y in generator.uniform(-0.5, 0.5, (POINTS, 2)):
        inside = np.zeros((size, size))
        for turn in turns:
            u = places[None, :] + x + WIDTH / 2 * np.cos(turn) + RADIUS * np.cos(angle)
            v = places[:, None] + y + WIDTH / 2 * np.sin(turn) + RADIUS * np.sin(angle)
            inside += np.sqrt(u**2 + v**2) <= RADIUS
        line += (inside > 0) & (inside < AROUND)
    return line / POINTS


def difference(size: int) -> float:
    """How far the two are apart, on average over the pixels that the line runs through."""
    ours = curve(orientation=30.0, radius=RADIUS, width=WIDTH, size=size).mask[0, 0].numpy()
    twin = np.mean([sampled_curve(30.0, size, seed=seed) for seed in range(20)], axis=0)
    line = (ours > 0) | (twin > 0)
    return round(float(np.abs(ours - twin)[line].mean()), 4)


if __name__ == "__main__":
    main()
