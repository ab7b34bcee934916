"""Recipes are read, or rejected with the line and what was allowed."""

from pathlib import Path

import pytest

from visioncircuits.errors import InputError
from visioncircuits.gallery.recipe import read
from visioncircuits.gallery.recipe_tables import PRESETS, parse_units
from visioncircuits.gallery.selection import select
from visioncircuits.networks import load, untrained

RECIPE = """\
title = "Early vision"
network = "bvlc_googlenet"

[show]
negative = true

[quality]
preset = "draft"
steps = 20

[[layers]]
name = "mixed3a"
units = "all"

[[layers]]
name = "mixed3b"
families = { curves = [379, "406-407"] }
"""
GALLERIES = Path(__file__).resolve().parents[2] / "galleries"


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def test_a_recipe_is_read_with_its_defaults(tmp_path: Path) -> None:
    recipe = read(write(tmp_path, RECIPE)).recipe
    assert (recipe.show.positive, recipe.show.negative, recipe.show.diversity) == (True, True, 0)
    assert recipe.layers[0].units == "all"
    assert recipe.layers[1].units is None
    assert recipe.layers[1].families == {"curves": (379, 406, 407)}


def test_steps_come_from_the_preset_where_they_are_not_given(tmp_path: Path) -> None:
    given = read(write(tmp_path, RECIPE)).recipe.quality
    assert given.settings() == {"steps": 20, "size": None, "seed": 0}
    left = read(write(tmp_path, RECIPE.replace("steps = 20", "size = 90"))).recipe.quality
    assert left.settings() == {"steps": PRESETS["draft"], "size": 90, "seed": 0}


def test_files_that_a_recipe_names_are_relative_to_it(tmp_path: Path) -> None:
    source = read(write(tmp_path, RECIPE))
    assert source.beside("families.json") == tmp_path / "families.json"
    assert source.beside("/else/where.json") == Path("/else/where.json")
    assert source.beside(None) is None


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("title", "titel", 1, "unknown key 'titel'; the nearest are 'title'"),
        ("network =", "# network", 1, "the key 'network' is missing"),
        ("network = ", "network : ", 2, "not TOML: expected '='"),
        ("negative", "negativ", 5, "unknown key of [show] 'negativ'; the nearest are 'negative'"),
        ("= true", "= 1", 5, "'negative' of [show] should be a valid boolean, not 1"),
        ("= true", '= true\ndiversity = "4"', 6, "should be a valid integer, not '4'"),
        ("= true", "= true\ndiversity = 1", 4, "give 2 or more, or 0 for none"),
        ("= true", "= false\npositive = false", 4, "a gallery must show something"),
        ("draft", "drfat", 8, "should be 'draft', 'standard' or 'fine', not 'drfat'"),
        ("= 20", "= 0", 9, "should be greater than or equal to 1, not 0"),
        (
            'units = "all"',
            "",
            11,
            "layer 'mixed3a' needs `units`, `families`, `directions` or a `dictionary`",
        ),
        ('"all"', '"every"', 13, '\'every\' is no unit; write "all", "0-63, 70" or [1, 2, 3]'),
        ('"all"', "[1, 2, 1]", 13, "unit 1 is named twice"),
        ('"all"', "[\n 1,\n -2,\n]", 13, "-2 is no unit"),
        ('"all"', "[true]", 13, "True is no unit"),
        ('"all"', "[]", 13, "[] names no units"),
        ('"all"', "7", 13, "7 names no units"),
        ('units = "all"', "directions = []", 13, "[] names no files of directions"),
        (
            'units = "all"',
            'directions = "dog.txt"',
            13,
            "'dog.txt' is no file of directions; write",
        ),
        ('units = "all"', "directions = [7]", 13, "7 is no file of directions"),
        ('units = "all"', 'directions = ["a.npy", "a.npy"]', 13, "'a.npy' is named twice"),
        ("406-407", "407-406", 17, "the range '407-406' ends before it begins"),
        ('[379, "406-407"]', '"all"', 17, "the family 'curves' must list its units by number"),
        ('{ curves = [379, "406-407"] }', '"curves"', 17, "'curves' names no families"),
        ("families", "family", 17, "unknown key of [layers] 'family'; the nearest are 'families'"),
    ],
)
def test_a_mistake_is_reported_with_its_line_and_what_was_allowed(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    path = write(tmp_path, RECIPE.replace(old, new, 1))
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}, line {line}: ")
    assert message in str(error.value)


@pytest.mark.parametrize("text", ["", "title = 'x'\nnetwork = 'inceptionv1'\nlayers = []\n"])
def test_an_empty_recipe_is_rejected(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"is missing|is empty"):
        read(write(tmp_path, text))


def test_a_missing_recipe_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.toml cannot be read: No such file"):
        read(tmp_path / "nowhere.toml")


def test_a_recipe_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "picture.toml"
    path.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(InputError, match="is not text in UTF-8"):
        read(path)


@pytest.mark.parametrize("value", ["3, 0-2", [3, 0, 1, 2], ["3", "0-2"], [3, "0 - 2"]])
def test_units_are_kept_in_the_order_in_which_they_are_named(value: object) -> None:
    assert parse_units(value) == (3, 0, 1, 2)


@pytest.mark.parametrize("path", sorted(GALLERIES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_recipes_in_the_repository_name_units_that_exist(path: Path) -> None:
    source = read(path)
    name = source.recipe.network
    built_in = name.startswith("handwritten:")
    assert select(source, load(name) if built_in else untrained(name))
