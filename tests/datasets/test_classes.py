"""One rule for classes: WordNet's ids, folders, a table, or numbers; never guessed wrongly."""

from pathlib import Path

import pytest

from visioncircuits.datasets import Photographs
from visioncircuits.datasets.classes import labels_of
from visioncircuits.errors import InputError
from visioncircuits.networks import imagenet_classes, untrained

FLAT = ["n01443537_goldfish.JPEG", "n15075141_1.png"]
FOLDERS = ["cat/1.png", "dog/1.png", "dog/more/2.png"]


def test_wordnet_ids_are_found_in_names_of_files_and_of_folders() -> None:
    assert labels_of(FLAT, "auto") == ((1, 999), imagenet_classes())
    assert labels_of(["val/n01443537/1.jpg"], "auto") == ((1,), imagenet_classes())


def test_folders_are_classes_where_every_photograph_is_in_one_of_several() -> None:
    assert labels_of(FOLDERS, "auto") == ((0, 1, 1), ("cat", "dog"))
    assert labels_of([*FOLDERS, "3.png"], "auto") == ((None,) * 4, None)
    assert labels_of(["cat/1.png", "cat/2.png"], "auto") == ((None,) * 2, None)
    assert labels_of([*FOLDERS, "3.png"], "folders") == ((0, 1, 1, None), ("cat", "dog"))


def test_a_table_gives_names_or_numbers(tmp_path: Path) -> None:
    path = tmp_path / "classes.csv"
    path.write_text("name,class\n1.png,tabby\nb/2.png,espresso\n")
    assert labels_of(["a/1.png", "b/2.png", "3.png"], path) == ((1, 0, None), ("espresso", "tabby"))
    path.write_text("1.png,281\n2.png,967\n")
    assert labels_of(["1.png", "2.png"], str(path)) == ((281, 967), None)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("synset", "unknown labels 'synset'; choose 'auto', 'wordnet', 'folders', 'none'"),
        ("wordnet", r"goldfish\.png has no class"),
        ("folders", "the photographs are not in subfolders"),
        ({"cat.png": 1}, "the class of none of these photographs"),
        ([1, 2], "2 labels for 1 photographs"),
        ("none.csv", "cannot be read as CSV"),
    ],
)
def test_a_rule_that_finds_no_class_is_refused(rule: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        labels_of(["goldfish.png"], rule)


def test_classes_are_looked_up_among_the_networks_by_name() -> None:
    network = untrained("bvlc_googlenet")
    network.classes = imagenet_classes()
    named = Photographs(("a", "b"), (), (1, 0), ("espresso", "goldfish"))
    assert named.labels_in(network) == (1, 967)
    numbered = Photographs(("a", "b"), (), (1, 0))
    assert numbered.labels_in(network) == (1, 0)
    with pytest.raises(InputError, match="no class 'my cat'"):
        Photographs(("a",), (), (0,), ("my cat",)).labels_in(network)
    with pytest.raises(InputError, match="b has no class"):
        Photographs(("a", "b"), (), (1, None)).labels_in(network)
    network.classes = None
    with pytest.raises(InputError, match="not known"):
        named.labels_in(network)
