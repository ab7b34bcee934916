"""An explained photograph of a small classifier, and atlases whose colors are known."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from visioncircuits.atlas import Atlas, Grid, SampledActivations
from visioncircuits.attribution import Explanation, explain
from visioncircuits.networks import Network, Preprocessing, wrap
from visioncircuits.site.atlas import Sheet


@pytest.fixture(scope="session")
def classifier() -> Network:
    """Layers `1` and `3` have 6 and 8 units, at 14 × 14 and 12 × 12 positions."""
    torch.manual_seed(1)
    layers = (
        nn.Conv2d(3, 6, 5, stride=2), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4),
    )  # fmt: skip
    names = ("beer glass", "<tabby>", "pug", "pig & hog")
    module = nn.Sequential(*layers)
    return wrap(module, Preprocessing(), name="small", size=32, classes=names)


@pytest.fixture(scope="session")
def explained(classifier: Network) -> Explanation:
    """Two layers, three groups each, three classes."""
    photograph = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return explain(classifier, photograph, ["1", "3"], classes=[0, 1, 3], top=0, groups=3)


SIDES = (20, 40, 80)


def _planted(name: str, *, blue: int, sides: tuple[int, ...], hole: float) -> Sheet:
    """Cells at x, y are of color 255 x, 255 y, `blue`, and led to classes by x, y and their sum."""
    generator = np.random.default_rng(0)
    points = generator.random((3000, 2)).astype(np.float32)
    photographs = np.sort(generator.integers(0, 30, 3000))
    grids, icons = [], []
    for side in sides:
        at = np.stack(np.divmod(np.arange(side**2), side), 1)
        at = at[((at + 0.5) / side >= hole).any(1)]
        place = {(row, column): cell for cell, (row, column) in enumerate(at.tolist())}
        floors = np.floor(points[:, ::-1] * side).astype(int).tolist()
        member = np.array([place.get((row, column), -1) for row, column in floors])
        y, x = ((at.T + 0.5) / side).astype(np.float32)
        led = np.stack([x - 0.5, 2 * y - 1, x + y, -x, np.zeros_like(x)], 1)
        counts = np.bincount(member[member >= 0], minlength=len(at))
        grids.append(Grid(side, at, counts, np.zeros((len(at), 2), np.float32), led, member))
        colors = [(round(255 * a), round(255 * b), blue) for a, b in zip(x, y, strict=True)]
        icons.append({cell: Image.new("RGB", (8, 8), color) for cell, color in enumerate(colors)})
    samples = SampledActivations(
        "small", name, np.zeros((3000, 2), np.float32), photographs, np.zeros((3000, 2), np.int64),
        (8, 8), tuple(f"{number}.jpg" for number in range(30)),
    )  # fmt: skip
    classes = ("hare", "red fox", "<tabby>", "crane", "crane")
    planted = Atlas(samples, points, tuple(grids), classes, {"seed": 0})

    def crops(index: int, cell: int) -> list[Image.Image]:
        few = grids[index].samples(cell)[:3] if index == 0 else ()
        return [Image.new("RGB", (10, 10), (8 * int(photographs[s]), 0, 0)) for s in few]

    marks = {"curve atom": [grid.attribution[:, 2] / 2 for grid in grids]}
    return Sheet(name, planted, icons, crops, marks)


@pytest.fixture(scope="session")
def sheets() -> tuple[Sheet, Sheet]:
    """Aligned atlases, of 6,400 cells at the finest, and with a corner where no cell is."""
    first = _planted("mixed4c", blue=40, sides=SIDES, hole=0)
    return first, _planted("mixed4d", blue=220, sides=SIDES[:2], hole=0.25)
