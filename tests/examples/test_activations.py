"""Activations on disk are what the network computes, however the work is shared or interrupted."""

import shutil
from collections import namedtuple
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from visioncircuits import engine
from visioncircuits.datasets import photographs
from visioncircuits.errors import InputError
from visioncircuits.examples import activations, load_activations, save_activations
from visioncircuits.networks import Direction, Network, Preprocessing, wrap

COUNT = 7


def small() -> Network:
    torch.manual_seed(0)
    layers = (
        nn.Conv2d(3, 6, 5),
        nn.ReLU(),
        nn.Conv2d(6, 4, 3),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    return wrap(nn.Sequential(*layers), Preprocessing(), size=16)


@pytest.fixture(scope="module")
def network() -> Network:
    return small()


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return torch.rand(COUNT, 3, 20, 20, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def values(network: Network, pictures: torch.Tensor) -> np.ndarray:
    shown = photographs(pictures).pictures(16)
    return network.activations(shown, ["1"])["1"].numpy()


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activations, "_PIECE", 2)


def test_whole_maps_are_those_of_the_network(network, pictures, values, tmp_path, small_pieces):
    saved = save_activations(network, "1", pictures, tmp_path, dtype="float32", batch=3)
    found = load_activations(saved)
    assert found.dims == ("photograph", "unit", "row", "column")
    assert np.allclose(found.values, values, atol=1e-6)
    assert found["unit"].values.tolist() == [f"1:{unit}" for unit in range(6)]
    assert found["photograph"].values.tolist() == list(map(str, range(COUNT)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.npy", "activations.json"]
    assert np.array_equal(np.load(tmp_path / "1.npy"), found.values)  # for any program


def test_arrays_are_mapped_and_not_read(network, pictures, tmp_path):
    found = load_activations(save_activations(network, "1", pictures, tmp_path))
    base = found.variable._data
    while base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    assert found.dtype == np.float16


@pytest.mark.parametrize(("positions", "expected"), [("mean", np.mean), ("max", np.max)])
def test_pooled_values_are_those_of_the_maps(
    network, pictures, values, tmp_path, positions, expected
):
    save_activations(network, "1", pictures, tmp_path, positions=positions, dtype="float32")
    assert np.allclose(load_activations(tmp_path).values, expected(values, (2, 3)), atol=1e-6)


def test_drawn_positions_have_coordinates_of_their_values(
    network, pictures, values, tmp_path, small_pieces
):
    found = load_activations(
        save_activations(network, "1", pictures, tmp_path, positions=5, dtype="float32")
    )
    assert dict(found.sizes) == {"sample": 5 * COUNT, "unit": 6}
    for sample in found:
        at = int(sample["photograph"]), slice(None), int(sample["row"]), int(sample["column"])
        assert np.allclose(sample, values[at], atol=1e-6)
    places = set(
        zip(found["photograph"].values, found["row"].values, found["column"].values, strict=True)
    )
    assert len(places) == 5 * COUNT  # none is drawn twice


def test_positions_depend_on_the_seed_alone(network, pictures, tmp_path, monkeypatch):
    def places(name: str, **options: Any) -> list[Any]:
        found = load_activations(
            save_activations(network, "1", pictures, tmp_path / name, positions=5, **options)
        )
        return [found["row"].values.tolist(), found["column"].values.tolist()]

    one = places("one")
    assert places("other seed", seed=1) != one
    monkeypatch.setattr(activations, "_PIECE", 3)
    assert places("other pieces", batch=2) == one


def test_units_and_directions_of_several_layers_are_kept(network, pictures, values, tmp_path):
    weights = np.linspace(-1, 1, 6)
    probe = Direction("1", weights, name="probe")
    save_activations(network, ["1:4", "4", probe], pictures, tmp_path, dtype="float32")
    found = load_activations(tmp_path, "1")
    assert found["unit"].values.tolist() == ["1:4", "1:probe"]
    assert np.allclose(found.sel(unit="1:4"), values[:, 4], atol=1e-6)
    assert np.allclose(
        found.sel(unit="1:probe"), np.einsum("u,buyx->byx", weights, values), atol=1e-5
    )
    assert load_activations(tmp_path, "4").dims == ("photograph", "unit")
    assert found.record["features"]["1"] == ["1:4", probe.record()]
    with pytest.raises(InputError, match="has activations of 1, 4; name one"):
        load_activations(tmp_path)
    with pytest.raises(InputError, match="unknown layer of these activations '0'"):
        load_activations(tmp_path, "0")


def test_an_interrupted_run_goes_on_and_gives_the_same_bytes(
    network, pictures, tmp_path, small_pieces, monkeypatch
):
    save_activations(network, "1", pictures, tmp_path / "once", positions=4)
    computed: list[int] = []
    compute = activations._computed

    def killed(*given: Any) -> Any:
        if len(computed) == 2:
            raise KeyboardInterrupt
        computed.append(given[-1][0])
        return compute(*given)

    monkeypatch.setattr(activations, "_computed", killed)
    folder = tmp_path / "twice"
    with pytest.raises(KeyboardInterrupt):
        save_activations(network, "1", pictures, folder, positions=4)
    assert not list(folder.glob("*.npy"))
    with pytest.raises(InputError, match="they are unfinished"):
        load_activations(folder)

    def noted(*given: Any) -> Any:
        computed.append(given[-1][0])
        return compute(*given)

    monkeypatch.setattr(activations, "_computed", noted)
    save_activations(network, "1", pictures, folder, positions=4, batch=1)
    assert computed == [0, 2, 4, 6]
    for name in ("1.npy", "1.positions.npy", "activations.json"):
        assert (folder / name).read_bytes() == (tmp_path / "once" / name).read_bytes()
    save_activations(network, "1", pictures, folder, positions=4)
    assert computed == [0, 2, 4, 6]  # all was done


def test_a_run_killed_while_files_are_moved_goes_on(network, pictures, tmp_path, monkeypatch):
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(activations.files, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            save_activations(network, ["1", "2"], pictures, tmp_path)
    assert (tmp_path / "1.npy").exists()
    with pytest.raises(InputError, match="they are unfinished"):
        load_activations(tmp_path, "1")
    save_activations(network, ["1", "2"], pictures, tmp_path)
    assert load_activations(tmp_path, "2").shape == (COUNT, 4, 10, 10)


@pytest.mark.slow
def test_two_processes_give_the_same_bytes(network, pictures, tmp_path, small_pieces):
    one = save_activations(network, "1", pictures, tmp_path / "one")
    two = save_activations(network, "1", pictures, tmp_path / "two", engine=engine.local(workers=2))
    assert (one / "1.npy").read_bytes() == (two / "1.npy").read_bytes()


def test_photographs_that_cannot_be_read_are_missing_values(network, pictures, tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    for place, picture in enumerate(pictures):
        array = (picture.permute(1, 2, 0) * 255).byte().numpy()
        Image.fromarray(array).save(folder / f"{place}.png")
    (folder / "3.png").write_bytes(b"no picture")
    found = load_activations(save_activations(network, "1", folder, tmp_path / "out"))
    missing = found.isnull().all(("unit", "row", "column"))
    assert found["photograph"].values[missing].tolist() == ["3.png"]
    assert "3.png" in found.record["skipped"][0]


def test_labels_are_a_coordinate(network, pictures, tmp_path):
    labeled = photographs(pictures, labels=range(COUNT))
    save_activations(network, "1", labeled, tmp_path, positions=2)
    labels = load_activations(tmp_path)["label"]
    assert labels.values.tolist() == np.arange(COUNT).repeat(2).tolist()


def test_a_folder_of_other_activations_is_left_alone(network, pictures, tmp_path):
    save_activations(network, "1", pictures, tmp_path)
    for options in ({"positions": "max"}, {"dtype": "float32"}, {"seed": 3}):
        with pytest.raises(InputError, match="holds other activations"):
            save_activations(network, "1", pictures, tmp_path, **options)
    with pytest.raises(InputError, match="holds other activations"):
        save_activations(network, "1", pictures.flip(0), tmp_path)


def test_a_disk_without_room_is_refused_before_the_start(network, pictures, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**6, 10**6 - 5000, 5000))
    with pytest.raises(InputError, match=r"need 12\.1 kB, and there are 5 kB free"):
        save_activations(network, "1", pictures, tmp_path / "out")
    assert save_activations(network, "1", pictures, tmp_path / "out", positions=3)


def test_the_size_is_stated_before_the_start(network, pictures, tmp_path, capsys):
    save_activations(network, "1", pictures, tmp_path, progress=True)
    assert capsys.readouterr().err.startswith(f"{tmp_path}: 12.1 kB\n")


def test_values_that_float16_cannot_hold_are_refused(network, pictures, tmp_path):
    large = Direction("1", [1e6] * 6)
    with pytest.raises(InputError, match=r"float16 ends at 65504; pass dtype='float32'"):
        save_activations(network, large, pictures, tmp_path)
    save_activations(network, large, pictures, tmp_path, dtype="float32")
    assert float(load_activations(tmp_path).max()) > 65504


@pytest.mark.parametrize(
    ("features", "options", "message"),
    [
        ("mixed9", {}, "unknown layer 'mixed9'"),
        ("1", {"positions": "some"}, "'all', 'mean', 'max' or a number of them, not 'some'"),
        ("1", {"positions": 0}, "positions must be a whole number of 1 or more"),
        ("1", {"positions": 145}, "1 has 144 positions, and 145 cannot be drawn"),
        ("4", {"positions": "mean"}, "4 has no positions"),
        ("1", {"dtype": "int8"}, "unknown dtype of activations 'int8'"),
        ("1", {"batch": 0}, "batch must be"),
        ("1", {"seed": -1}, "seed must be"),
    ],
)
def test_mistakes_are_refused_before_anything_is_written(
    network, pictures, tmp_path, features, options, message
):
    with pytest.raises(InputError, match=message):
        save_activations(network, features, pictures, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_what_is_no_folder_of_activations_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"there are no activations in .*; `save_activations`"):
        load_activations(tmp_path)
    (tmp_path / "activations.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        load_activations(tmp_path)
