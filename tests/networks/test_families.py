import json
from collections import Counter
from pathlib import Path

import pytest

from visioncircuits.errors import InputError
from visioncircuits.networks.families import Families
from visioncircuits.networks.features import Unit

EARLY_VISION = {"conv2d0": 64, "conv2d1": 64, "conv2d2": 192, "mixed3a": 256, "mixed3b": 480}


def _written(folder: Path, content: object) -> Path:
    path = folder / "families.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


@pytest.mark.published
@pytest.mark.parametrize("layer", EARLY_VISION)
def test_early_vision_has_every_unit_in_one_family(published: Path, layer: str) -> None:
    families = Families.load(published / "families_early_vision.json")
    counts = Counter(unit for units in families.layers[layer].values() for unit in units)
    assert sorted(counts) == list(range(EARLY_VISION[layer]))
    assert set(counts.values()) == {1}


@pytest.mark.published
def test_curve_379_is_in_the_family_of_curves(published: Path) -> None:
    families = Families.load(published / "families_early_vision.json")
    assert families.of(Unit("mixed3b", 379)) == ("Curves",)
    assert Unit("mixed3b", 379) in families.units("mixed3b", "Curves")


@pytest.mark.parametrize(
    "content",
    [
        {"a": {"Lines": [1, 2], "Curves": [2]}},
        {"a": {"families": [{"name": "Lines", "units": [1, 2]}, {"name": "Curves", "units": [2]}]}},
    ],
)
def test_both_forms_of_file_are_read_alike(tmp_path: Path, content: object) -> None:
    families = Families.load(_written(tmp_path, content))
    assert families == Families({"a": {"Lines": (1, 2), "Curves": (2,)}})
    assert families.of(Unit("a", 2)) == ("Lines", "Curves")
    assert families.of(Unit("b", 2)) == ()


def test_an_unknown_family_or_layer_raises_with_the_nearest() -> None:
    families = Families({"mixed3b": {"Curves": (379,)}})
    with pytest.raises(InputError, match=r"unknown family of mixed3b 'Curve'.*'Curves'"):
        families.units("mixed3b", "Curve")
    with pytest.raises(InputError, match=r"unknown layer of the taxonomy 'mixed3a'.*'mixed3b'"):
        families.units("mixed3a", "Curves")


@pytest.mark.parametrize(
    "content",
    [
        "{",
        [],
        {"a": [1]},
        {"a": {"Lines": 3}},
        {"a": {"Lines": ["1"]}},
        {"a": {"Lines": [1.5]}},
        {"a": {"Lines": [-1]}},
        {"a": {"families": [{"name": "Lines"}]}},
        {"a": {"families": [{"name": "Lines", "units": [1]}, {"name": "Lines", "units": [2]}]}},
    ],
)
def test_a_file_that_is_not_a_taxonomy_raises(tmp_path: Path, content: object) -> None:
    with pytest.raises(InputError, match="is not a taxonomy"):
        Families.load(_written(tmp_path, content))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.json cannot be read: No such file"):
        Families.load(tmp_path / "nowhere.json")
