import json
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

from visioncircuits.errors import InputError
from visioncircuits.networks import Network, expand, select, untrained
from visioncircuits.networks.features import Direction, Unit, parse, read_features


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


@pytest.fixture(scope="module")
def network() -> Network:
    return untrained("bvlc_googlenet")


ROWS = np.random.default_rng(0).standard_normal((3, 256)).astype(np.float32)


def test_a_file_of_one_row_is_a_direction_named_as_the_file(tmp_path: Path) -> None:
    (tmp_path / "probes").mkdir()
    for place, array in enumerate((ROWS[0], ROWS[:1])):
        np.save(tmp_path / f"probes/dog{place}.npy", array)
        (found,) = read_features(f"mixed3a:probes/dog{place}.npy", folder=tmp_path)
        assert found == Direction("mixed3a", ROWS[0], name=f"dog{place}")


def test_a_file_of_several_rows_is_a_direction_for_each(network: Network, tmp_path: Path) -> None:
    np.save(tmp_path / "dog.npy", ROWS)
    found = [Direction("mixed3a", row, name=f"dog {place}") for place, row in enumerate(ROWS)]
    named = f"mixed3a:{tmp_path}/dog.npy"
    assert list(read_features(named)) == found
    assert list(expand(network, [named, "mixed3b:7"])) == [*found, Unit("mixed3b", 7)]
    chosen = select(network, named)
    assert not chosen.whole
    assert np.array_equal(chosen.vectors, ROWS)
    with pytest.raises(InputError, match=r"holds 3 features, from mixed3a:dog 0 on, and one"):
        network.feature(named)


def test_records_are_read_from_json(network: Network, tmp_path: Path) -> None:
    direction, path = Direction("mixed3a", ROWS[0], name="dog"), tmp_path / "dog.json"
    assert Direction.load(direction.save(path)) == direction
    assert network.feature(str(path)) == network.feature(f"mixed3a:{path}") == direction
    listed = [direction.record(), "mixed3b:7", {"unit": "mixed3b:9", "orientation": 3.0}]
    path.write_text(json.dumps(listed))
    found = (direction, Unit("mixed3b", 7), Unit("mixed3b", 9))
    assert read_features("dog.json", folder=tmp_path) == expand(network, str(path)) == found
    with pytest.raises(InputError, match=r"holds mixed3b:7, which is no feature of mixed3a"):
        read_features(f"mixed3a:{path}")
    with pytest.raises(InputError, match="does not hold one direction"):
        Direction.load(path)
    with pytest.raises(InputError, match=r"name it \.json"):
        direction.save(tmp_path / "dog.npy")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mixed3a:lost.npy", None, "there is no file .*lost.npy"),
        ("dog.npy", None, "'dog.npy' names no layer; write layer:dog.npy"),
        ("mixed3a:text.npy", b"text", "text.npy holds no directions"),
        ("mixed3a:empty.npy", b"", "empty.npy holds no directions"),
        ("mixed3a:short.npy", np.ones(5), "mixed3a:short has 5 weights, but mixed3a has 256"),
        ("mixed3a:nan.npy", np.full(256, np.nan), "nan.npy holds no directions: .* finite"),
        ("mixed3a:zero.npy", np.zeros(256), "mixed3a:zero is zero everywhere"),
        ("mixed3a:none.npy", np.ones((0, 256)), "none.npy holds no directions"),
        ("mixed3a:cube.npy", np.ones((2, 2, 256)), "cube.npy holds no directions"),
        ("mixed3a:object.npy", np.array([{}] * 256), "object.npy holds no directions"),
        ("mixed3c:ones.npy", np.ones(256), "unknown layer 'mixed3c'"),
        ("text.json", b"{", "text.json holds no records of features"),
        ("none.json", b"[]", "none.json lists no feature"),
        ("number.json", b"[5]", "number.json holds no records of features: 5 is no feature"),
        ("other.json", b'{"a": 1}', "other.json holds no records of features: .* not from 'a'"),
    ],
)
def test_a_file_of_something_else_is_refused(
    network: Network,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    content: bytes | np.ndarray | None,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    file = name.rpartition(":")[2]
    if isinstance(content, bytes):
        Path(file).write_bytes(content)
    elif content is not None:
        np.save(file, content)
    with pytest.raises(InputError, match=message):
        expand(network, name)


def test_two_features_of_one_name_are_refused(network: Network) -> None:
    one, two = (Direction("mixed3a", row, name="7") for row in ROWS[:2])
    assert expand(network, [one, one]) == (one, one)
    for clash in ([one, two], ["mixed3a:7", one]):
        with pytest.raises(InputError, match="two features are named mixed3a:7"):
            expand(network, clash)
