"""Classes by name, number and range; features of the output by their class."""

import pytest
from torch import nn

from visioncircuits.errors import InputError
from visioncircuits.networks import Preprocessing, Unit, expand, imagenet_classes, untrained, wrap
from visioncircuits.networks.class_names import class_number, class_numbers

NAMES = imagenet_classes()


def test_a_class_is_found_by_its_name_in_any_case_and_with_underscores() -> None:
    assert class_number("Chihuahua", NAMES) == class_number("chihuahua", NAMES) == 151
    assert class_number("Golden_Retriever", NAMES) == 207


def test_the_exact_name_wins_over_one_in_other_case() -> None:
    assert (class_number("Cardigan", NAMES), class_number("cardigan", NAMES)) == (264, 474)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("CARDIGAN", r"several classes .* 'Cardigan' \(264\), 'cardigan' \(474\); write one's"),
        ("terrier", "unknown class 'terrier'; the nearest are '.* terrier', '.* terrier'"),
        ("chihauhua", "unknown class 'chihauhua'; the nearest are 'Chihuahua'"),
    ],
)
def test_an_ambiguous_or_unknown_name_raises_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        class_number(name, NAMES)


def test_numbers_ranges_and_names_can_be_mixed() -> None:
    dogs = range(151, 269)
    assert class_numbers(dogs, NAMES) == class_numbers("151-268", NAMES) == set(dogs)
    assert class_numbers(NAMES[151:269], NAMES) == set(dogs)
    assert class_numbers([dogs, "espresso", 3, "7"], NAMES) == {*dogs, 967, 3, 7}
    assert class_numbers(5, None) == {5}


def test_a_text_of_digits_is_a_name_where_a_class_is_called_so() -> None:
    assert class_numbers("10", ("0", "1", "10", "2")) == {2}
    assert class_numbers("3", ("0", "1", "10", "2")) == {3}


@pytest.mark.parametrize(
    ("classes", "names", "message"),
    [
        ([], NAMES, "no class is given"),
        (range(990, 1001), NAMES, "no class 1000; their numbers are 0 to 999"),
        (-1, None, "no class -1; their numbers are 0 or more"),
        ("tench", None, "the classes have no names, such as 'tench'"),
        (1.5, NAMES, "not 1.5"),
        ([None], NAMES, "a class is a name, a number or a range of numbers, not None"),
    ],
)
def test_classes_that_cannot_be_raise(classes: object, names: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        class_numbers(classes, names)  # type: ignore[arg-type]


def test_units_of_the_output_are_named_by_class_whatever_the_layer_is_called() -> None:
    network = untrained("bvlc_googlenet")
    network.classes = NAMES
    assert network.feature("logits:Chihuahua") == Unit("logits", 151)
    other = untrained("torchvision:resnet18")
    assert other.output == "fc"
    assert other.feature("fc:Chihuahua") == other.feature("logits:chihuahua") == Unit("fc", 151)
    assert expand(other, ["logits:207", "layer1:3"]) == (Unit("fc", 207), Unit("layer1", 3))


def test_a_class_of_another_layer_or_of_unknown_classes_raises() -> None:
    network = untrained("bvlc_googlenet")
    network.classes = NAMES
    with pytest.raises(InputError, match=r"mixed3b has units 0 to 479, and only .* logits"):
        network.feature("mixed3b:Chihuahua")
    with pytest.raises(InputError, match="unknown class 'x'"):
        network.feature("logits:x")
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    own = wrap(module, Preprocessing(), size=32)
    with pytest.raises(InputError, match="not known, so 'logits:cat' is not a unit; wrap it with"):
        own.feature("logits:cat")
    own = wrap(module, Preprocessing(), size=32, classes=["cat", "dog"])
    assert own.feature("logits:dog") == Unit("2", 1)
