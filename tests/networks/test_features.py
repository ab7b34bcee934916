import json

import numpy as np
import pytest
import torch
import xarray as xr

from visioncircuits.errors import InputError
from visioncircuits.networks.features import Direction, Unit, parse


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("mixed3b:379", Unit("mixed3b", 379)),
        (" mixed4a_3x3_pre_relu:0 ", Unit("mixed4a_3x3_pre_relu", 0)),
        ("layer1.0.conv1:5", Unit("layer1.0.conv1", 5)),
        ("conv 3x3:1", Unit("conv 3x3", 1)),
        ("relu+1:12", Unit("relu+1", 12)),
        ("a:b/c (d)é:0", Unit("a:b/c (d)é", 0)),
    ],
)
def test_units_are_read_as_they_are_written(text: str, unit: Unit) -> None:
    assert parse(text) == unit
    assert parse(str(unit)) == unit


def test_a_feature_passes_through() -> None:
    direction = Direction("mixed3a", (1.0, 2.0))
    assert parse(direction) is direction


@pytest.mark.parametrize("text", ["mixed3b", "mixed3b:", "mixed3b:-1", "mixed3b:1.5", ":3", "a:²"])
def test_text_that_is_not_a_unit_raises_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match="is not a unit; write layer:number"):
        parse(text)


def test_the_vector_of_a_unit_is_one_hot() -> None:
    vector = Unit("a", 2).vector(4)
    assert vector.tolist() == [0, 0, 1, 0]
    assert vector.dtype == torch.float32


@pytest.mark.parametrize("index", [-1, 4])
def test_a_unit_outside_its_layer_raises(index: int) -> None:
    with pytest.raises(InputError, match="a has units 0 to 3"):
        Unit("a", index).vector(4)


def test_a_direction_is_its_weights() -> None:
    direction = Direction("a", (0.5, -0.25), name="hf")
    assert direction.vector(2).tolist() == [0.5, -0.25]
    assert str(direction) == "a:hf"
    with pytest.raises(InputError, match="a:hf has 2 weights, but a has 3 units"):
        direction.vector(3)


def test_a_direction_of_an_array_or_a_tensor_is_one_of_numbers() -> None:
    weights = [0.5, -0.25, 2.0]
    arrays = [np.array(weights, kind) for kind in (np.float16, np.float32, np.float64)]
    tensors = [torch.tensor(weights, dtype=kind) for kind in (torch.bfloat16, torch.float64)]
    several = [tuple(weights), list(map(torch.tensor, weights)), xr.DataArray(weights)]
    trained = torch.tensor(weights, requires_grad=True)
    for given in (weights, *arrays, *tensors, *several, trained):
        assert Direction("mixed3a", given) == Direction("mixed3a", tuple(weights))
        assert len(repr(Direction("mixed3a", given))) < 60
    assert Direction("a", np.arange(3)) == Direction("a", (0.0, 1.0, 2.0))


@pytest.mark.parametrize(
    "wrong",
    [
        np.ones((2, 2)),
        np.ones((2, 1)),
        torch.ones(2, 2),
        torch.tensor(1.0),
        [[1.0], [1.0, 2.0]],
        [float("nan"), 1.0],
        [float("inf")],
        [1e39],
        [1j, 2.0],
        ["1", "2"],
        "12",
        None,
    ],
)
def test_what_is_no_row_of_finite_numbers_is_refused(wrong: object) -> None:
    with pytest.raises(InputError, match="one finite number for each unit"):
        Direction("mixed3a", wrong)


def test_a_direction_of_zeros_is_refused_where_it_is_used() -> None:
    zero = Direction("a", np.zeros(3), name="dead")
    with pytest.raises(InputError, match="a:dead is zero everywhere"):
        zero.vector(3)


@pytest.mark.parametrize("feature", [Unit("a", 7), Direction("a", (0.1, -2.0), name="hf")])
def test_a_feature_is_read_back_from_its_record(feature: Unit | Direction) -> None:
    assert parse(json.loads(json.dumps(feature.record()))) == feature


def test_a_record_of_something_else_is_refused() -> None:
    with pytest.raises(InputError, match="layer, weights and name, not from 'layer', 'unit'"):
        parse({"layer": "a", "unit": 3})
