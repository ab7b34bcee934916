"""A recipe is checked against its network before anything is computed."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.gallery.recipe import read
from visioncircuits.gallery.selection import Selection, select
from visioncircuits.networks import Direction, Network, Unit, untrained


@pytest.fixture(scope="module")
def network() -> Network:
    return untrained("bvlc_googlenet")


def selected(folder: Path, network: Network, text: str) -> list[Selection]:
    path = folder / "recipe.toml"
    path.write_text(f'title = "T"\nnetwork = "bvlc_googlenet"\n{text}')
    return select(read(path), network)


def test_all_units_of_a_layer_are_those_that_the_network_has(
    tmp_path: Path, network: Network
) -> None:
    (found,) = selected(tmp_path, network, '[[layers]]\nname = "mixed3b"\nunits = "all"')
    assert found.units == tuple(range(480))
    assert [found.branch_of(found.features[unit]) for unit in (0, 128, 320, 416, 479)] == [
        "1x1",
        "3x3",
        "5x5",
        "pool_reduce",
        "pool_reduce",
    ]


def test_families_in_the_recipe_select_units(tmp_path: Path, network: Network) -> None:
    text = '[[layers]]\nname = "conv2d0"\nfamilies = { gabor = [9, 3], all = [3, 4] }'
    (found,) = selected(tmp_path, network, text)
    assert found.units == (9, 3, 4)
    assert found.families_of(Unit("conv2d0", 3)) == ("gabor", "all")
    assert found.families_of(Unit("conv2d0", 5)) == ()
    assert found.branch_of(Unit("conv2d0", 3)) == ""


def test_a_taxonomy_names_the_families_of_units_chosen_by_number(
    tmp_path: Path, network: Network, published: Path
) -> None:
    (tmp_path / "families.json").write_bytes(
        (published / "families_early_vision.json").read_bytes()
    )
    text = 'taxonomy = "families.json"\n[[layers]]\nname = "mixed3b"\nunits = [379, 0]'
    (found,) = selected(tmp_path, network, text)
    assert found.units == (379, 0)
    assert found.families_of(Unit("mixed3b", 379)) == ("Curves",)


def test_families_of_a_taxonomy_can_be_chosen_by_name(tmp_path: Path, network: Network) -> None:
    taxonomy = {"mixed3a": {"Curves": [81, 104], "Lines": [227]}}
    (tmp_path / "families.json").write_text(json.dumps(taxonomy))
    text = 'taxonomy = "families.json"\n[[layers]]\nname = "mixed3a"\nfamilies = ["Curves"]'
    (found,) = selected(tmp_path, network, text)
    assert found.units == (81, 104)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('[[layers]]\nname = "mixed3c"\nunits = "all"', 4, "unknown layer 'mixed3c'; the nearest"),
        ('[[layers]]\nname = "mixed3b"\nunits = "470-480"', 5, "has units 0 to 479, and no 480"),
        (
            '[[layers]]\nname = "conv2d0"\n\n[layers.families]\ngabor = [64]',
            6,
            "conv2d0 has units 0 to 63, and no 64",
        ),
        (
            '[[layers]]\nname = "conv2d0"\nunits = [1]\n[[layers]]\nname = "conv2d0"\nunits = [2]',
            7,
            "layer 'conv2d0' is named twice",
        ),
        ('[[layers]]\nname = "conv2d0"\nfamilies = ["Gabor"]', 5, "which units are in 'Gabor'?"),
        (
            'taxonomy = "absent.json"\n[[layers]]\nname = "conv2d0"\nunits = [1]',
            3,
            "absent.json cannot be read",
        ),
    ],
)
def test_an_unknown_layer_unit_or_family_is_reported_with_the_line(
    tmp_path: Path, network: Network, text: str, line: int, message: str
) -> None:
    with pytest.raises(InputError) as error:
        selected(tmp_path, network, text)
    assert f"recipe.toml, line {line}: " in str(error.value)
    assert message in str(error.value)


DIRECTIONS = '[[layers]]\nname = "conv2d0"\nunits = [3]\ndirections = {}'


def test_directions_are_read_from_files_beside_the_recipe(tmp_path: Path, network: Network) -> None:
    (tmp_path / "probes").mkdir()
    np.save(tmp_path / "probes" / "dog.npy", np.arange(64.0))
    np.save(tmp_path / "parts.npy", np.eye(2, 64))
    Direction("conv2d0", [1.0] * 64, name="sum").save(tmp_path / "sum.json")
    text = DIRECTIONS.format('["probes/dog.npy", "conv2d0:parts.npy", "sum.json"]')
    (found,) = selected(tmp_path, network, text)
    assert list(map(str, found.features)) == [
        "conv2d0:3", "conv2d0:dog", "conv2d0:parts 0", "conv2d0:parts 1", "conv2d0:sum",
    ]  # fmt: skip
    assert found.directions[0].weights == tuple(range(64))
    assert found.units == (3,)
    assert found.families_of(found.directions[0]) == ()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ('"lost.npy"', "there is no file .*lost.npy"),
        ('"short.npy"', "conv2d0:short has 3 weights, but conv2d0 has 64 units"),
        ('"zero.npy"', "conv2d0:zero is zero everywhere"),
        ('"grid.npy"', "grid.npy holds no directions"),
        ('["dog.npy", "other/dog.npy"]', "two directions have the name conv2d0:dog;"),
        ('["a b.npy", "a_b.npy"]', "two directions have the name conv2d0:a b and conv2d0:a_b;"),
        ('"3.npy"', "a direction cannot be named '3'"),
        ('"index.npy"', "a direction cannot be named 'index'"),
        ('"elsewhere.json"', "elsewhere.json holds conv2d1:dog, which is no feature of conv2d0"),
        ('"conv2d1:dog.npy"', "conv2d1:dog.npy names the layer conv2d1, not conv2d0"),
        ('"unit.json"', "unit.json holds the unit conv2d0:7; list it in `units`"),
    ],
)
def test_a_wrong_direction_is_reported_with_the_line(
    tmp_path: Path, network: Network, files: str, message: str
) -> None:
    (tmp_path / "other").mkdir()
    for name in ("dog", "other/dog", "a b", "a_b", "3", "index"):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(len(name)).normal(size=64))
    np.save(tmp_path / "short.npy", np.ones(3))
    np.save(tmp_path / "zero.npy", np.zeros(64))
    np.save(tmp_path / "grid.npy", np.ones((2, 2, 64)))
    Direction("conv2d1", [1.0] * 64, name="dog").save(tmp_path / "elsewhere.json")
    (tmp_path / "unit.json").write_text('"conv2d0:7"')
    with pytest.raises(InputError, match=f"recipe.toml, line 6: .*{message}"):
        selected(tmp_path, network, DIRECTIONS.format(files))


def test_given_features_are_shown_after_those_of_the_recipe(
    tmp_path: Path, network: Network
) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text('title = "T"\n[[layers]]\nname = "conv2d0"\nunits = [3]')
    dog = Direction("conv2d0", [1.0] * 64, name="dog")
    first, second = select(read(path, named=False), network, [dog, "conv2d0:3", "conv2d1:5"])
    assert first.features == (Unit("conv2d0", 3), dog)
    assert second.features == (Unit("conv2d1", 5),)
    with pytest.raises(InputError, match="cannot be named '3'"):
        select(read(path, named=False), network, replace(dog, name="3"))


def test_a_family_that_the_taxonomy_lacks_is_reported_with_the_nearest(
    tmp_path: Path, network: Network
) -> None:
    (tmp_path / "families.json").write_text('{"mixed3a": {"Curves": [81]}}')
    text = 'taxonomy = "families.json"\n[[layers]]\nname = "mixed3a"\nfamilies = ["Curve"]'
    with pytest.raises(InputError, match=r"line 6: unknown family of mixed3a 'Curve'.*'Curves'"):
        selected(tmp_path, network, text)
