"""Kernels decoded from the pictures equal the weights."""

import numpy as np
import pytest
import torch
from PIL import Image

from visioncircuits.colors import decoded
from visioncircuits.networks import Unit
from visioncircuits.pictures import png
from visioncircuits.weights import (
    ExpandedWeights,
    connection_cards,
    kernel_grid,
    position_view,
    strongest_inputs,
    strongest_outputs,
)
from visioncircuits.weights.pictures import EMPTY, GAP, LINE, tile


@pytest.fixture
def weights() -> ExpandedWeights:
    kernels = torch.randn(2, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    inputs = tuple(Unit("mixed3a", index) for index in (7, 81, 147))
    outputs = (Unit("mixed3b", 330), Unit("mixed3b", 379))
    return ExpandedWeights(kernels, inputs, outputs, (1, 1), (-2, -2), {})


def read(picture: Image.Image, corner: tuple[int, int], zoom: int, scale: float) -> np.ndarray:
    left, top = corner
    part = np.asarray(picture)[top : top + 5 * zoom, left : left + 5 * zoom]
    values = decoded(part, scale)
    assert (values == values[::zoom, ::zoom].repeat(zoom, 0).repeat(zoom, 1)).all(), "squares"
    return values[::zoom, ::zoom]


def test_a_grid_has_every_kernel_in_its_cell(weights: ExpandedWeights) -> None:
    black = Image.new("RGB", (9, 9))
    picture = kernel_grid(weights, {"mixed3a:81": black}, scale=2.5, size=50)
    for row in range(2):
        for column in range(3):
            corner = (column + 1) * (50 + GAP), (row + 1) * (50 + LINE + GAP)
            found = read(picture, corner, 10, 2.5)
            expected = weights.weight[row, column].clamp(-2.5, 2.5).numpy()
            assert np.abs(found - expected).max() <= 0.005 * 2.5


def test_a_grid_without_pictures_is_smaller(weights: ExpandedWeights) -> None:
    picture = np.asarray(kernel_grid(weights, scale=2.5, size=50))
    assert picture.shape[0] == LINE + GAP + 2 * (50 + GAP) + LINE
    below = picture[LINE + GAP + 50 + GAP :][:50]
    last = np.asarray(tile(weights.weight[1, 2], 2.5, 50))
    places = [x for x in range(below.shape[1] - 50) if (below[:, x : x + 50] == last).all()]
    assert len(places) == 1


def test_the_default_scale_is_the_largest_weight(weights: ExpandedWeights) -> None:
    largest = float(weights.weight.abs().max())
    assert np.array_equal(kernel_grid(weights), kernel_grid(weights, scale=largest))
    assert not np.array_equal(kernel_grid(weights), kernel_grid(weights, scale=largest * 1.5))


def test_units_are_drawn_with_their_pictures(weights: ExpandedWeights) -> None:
    green = Image.new("RGB", (9, 9), (0, 200, 0))
    picture = np.asarray(kernel_grid(weights, {"mixed3a:81": green}, size=50))
    first = 50 + GAP
    assert (picture[:50, first + 50 + GAP : first + 100 + GAP] == (0, 200, 0)).all()
    assert (picture[:50, first : first + 50] == EMPTY).all()


def test_cards_are_in_the_order_of_the_ranking(weights: ExpandedWeights) -> None:
    connections = strongest_inputs(weights, "mixed3b:379")
    picture = connection_cards(connections, scale=3.0, size=60, columns=2)
    first, across, down = 60 + LINE + GAP, 60 + GAP, 2 * (60 + LINE) + GAP
    for at, connection in enumerate(connections):
        corner = at % 2 * across, first + at // 2 * down + 60 + LINE
        found = read(picture, corner, 12, 3.0)
        assert np.abs(found - connection.kernel.numpy()).max() <= 0.005 * 3


def test_cards_of_outputs_differ_from_those_of_inputs(weights: ExpandedWeights) -> None:
    inwards = connection_cards(strongest_inputs(weights, "mixed3b:379"))
    outwards = connection_cards(strongest_outputs(weights, "mixed3a:7"))
    assert outwards.size == inwards.size
    assert not np.array_equal(outwards, inwards)


def test_a_kernel_wider_than_its_tile_has_a_pixel_for_each_weight() -> None:
    assert tile(torch.zeros(91, 91), 1.0, 48).size == (91, 91)
    assert tile(torch.zeros(7, 3), 1.0, 48).size == (18, 42)


@pytest.mark.parametrize(
    ("outputs", "inputs", "grid"),
    [(1, 192, (1, 12)), (64, 3, (8, 3)), (256, 192, (4, 6)), (40, 1, (12, 1)), (2, 2, (2, 2))],
)
def test_expanded_weights_show_their_strongest_kernels(
    outputs: int, inputs: int, grid: tuple[int, int]
) -> None:
    weight = torch.randn(outputs, inputs, 3, 3)
    weights = ExpandedWeights(
        weight,
        tuple(Unit("a", unit) for unit in range(inputs)),
        tuple(Unit("b", unit) for unit in range(outputs)),
        (1, 1), (0, 0), {},
    )  # fmt: skip
    strongest = weights.strongest()
    assert tuple(strongest.weight.shape[:2]) == grid
    norms = weight.square().sum((1, 2, 3))
    assert [unit.index for unit in strongest.outputs] == (
        norms.argsort(descending=True)[: grid[0]].tolist()
    )
    for row, output in enumerate(strongest.outputs):
        for column, source in enumerate(strongest.inputs):
            assert torch.equal(strongest.weight[row, column], weight[output.index, source.index])
    assert weights._repr_png_() == png(kernel_grid(strongest))


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_weights_of_any_value_show_themselves(value: float) -> None:
    units = tuple(Unit("a", unit) for unit in range(3))
    weights = ExpandedWeights(
        torch.full((1, 3, 5, 5), value), units, (Unit("b", 0),), (1, 1), (0, 0), {}
    )
    assert weights._repr_png_()
    assert strongest_inputs(weights, top=1)[0]._repr_png_()


def test_positions_without_weights_show_themselves() -> None:
    units = tuple(Unit("a", unit) for unit in range(3))
    weights = ExpandedWeights(torch.zeros(1, 3, 5, 5), units, (Unit("b", 0),), (1, 1), (0, 0), {})
    assert position_view(weights)._repr_png_()
