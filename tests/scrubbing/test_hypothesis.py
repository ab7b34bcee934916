"""What a hypothesis may be, and what is left of it without a variable."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.networks import Network
from visioncircuits.scrubbing import (
    CausalHypothesis,
    Contour,
    Reading,
    Shown,
    Variable,
    from_toml,
    other_units,
    scrub,
)

CHAIN = CausalHypothesis(
    "chain",
    "2:0",
    ("top", "side"),
    (
        Variable("top", "1:0", depends=("bottom",)),
        Variable("bottom", "0:0"),
        Variable("side", "0:1"),
    ),
)


def test_without_a_variable_what_only_it_depends_on_goes_too() -> None:
    assert [each.name for each in CHAIN.without("top").variables] == ["side"]
    rest = CHAIN.without("bottom")
    assert rest.variable("top").depends == ()  # computed from nothing, not taken as it is
    assert [each.name for each in rest.variables] == ["top", "side"]


def test_hypotheses_that_are_none_are_refused() -> None:
    bottom = Variable("bottom", "0:0")
    with pytest.raises(InputError, match="unknown variable 'botom'; the nearest are 'bottom'"):
        CausalHypothesis("a", "1:0", ("botom",), (bottom,))
    with pytest.raises(InputError, match="two variables of 'a' are named 'bottom'"):
        CausalHypothesis("a", "1:0", ("bottom",), (bottom, bottom))
    with pytest.raises(InputError, match="nothing depends on the variable 'bottom'"):
        CausalHypothesis("a", "1:0", (), (bottom,))
    with pytest.raises(InputError, match="'loop' depends on itself"):
        CausalHypothesis("a", "1:0", ("loop",), (Variable("loop", "0:0", depends=("loop",)),))
    with pytest.raises(InputError, match="unknown measure"):
        CausalHypothesis("a", "1:0", measure="loss")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="4 positions wide; choose an odd number"):
        Variable("even", "0:0", positions=4)


def test_a_hypothesis_must_fit_the_network(network: Callable[..., Network]) -> None:
    sums = network(1.0, 1.0, 1.0, rectified=True)
    CHAIN.check(sums)
    upward = CausalHypothesis("up", "0:0", ("later",), (Variable("later", "1:0"),))
    with pytest.raises(InputError, match="behavior at 0 is not computed from later at 1"):
        upward.check(sums)
    turned = Variable("two", ("0:0", "0:1"), orientations=(0.0,))
    with pytest.raises(InputError, match="two has 2 features and 1 orientations"):
        CausalHypothesis("a", "1:0", ("two",), (turned,)).check(sums)
    with pytest.raises(InputError, match="the behavior is 3 features of 0; name one"):
        CausalHypothesis("a", "0").check(sums)


def test_pictures_must_be_two_and_known_of_each() -> None:
    pictures = np.zeros((1, 3, 4, 4), np.float32)
    import torch

    with pytest.raises(InputError, match="give two or more"):
        Shown(torch.from_numpy(pictures))
    with pytest.raises(InputError, match=r"x has \(3,\) numbers for 2 pictures"):
        Shown(torch.zeros(2, 3, 4, 4), {"x": np.zeros(3)})


def test_other_units_are_as_many_of_the_same_layers(network: Callable[..., Network]) -> None:
    some = Variable("some", ("0:0", "0:1"), orientations=(0.0, 90.0))
    claimed = CausalHypothesis("a", "1:0", ("some",), (some,))
    drawn = {
        tuple(map(str, other_units(network(1, 1, 1), claimed, seed=n).variables[0].features))
        for n in range(20)
    }
    assert drawn == {("0:0", "0:1"), ("0:0", "0:2"), ("0:1", "0:2")}


TEXT = """
name = "arch"
behavior = "1:0"
depends = ["sides"]
[[variables]]
name = "sides"
features = "0:0, 1"
orientations = [0, 90]
positions = 3
values = ["left", {of = "right", bins = 2}, {contour = 30, within = 8, relative = true}]
depends = ["all"]
[[variables]]
name = "all"
features = "0"
"""


def test_a_file_has_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "arch.toml").write_text(TEXT)
    sides = Variable(
        "sides",
        ("0:0", "0:1"),
        3,
        (Reading("left"), Reading("right", bins=2), Contour(30, 8, relative=True)),
        ("all",),
        (0.0, 90.0),
    )
    expected = CausalHypothesis("arch", "1:0", ("sides",), (sides, Variable("all", "0")))
    assert from_toml(tmp_path / "arch.toml") == expected


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('behavior = "1:0"', "", "names no behavior"),
        ("depends = [", "depnds = [", "unknown key 'depnds'"),
        ("positions", "windows", "unknown key of a variable 'windows'"),
        ("bins = 2", "bin = 2", "unknown key of a value 'bin'"),
        ("within = 8", "within = 0", "distance above 0"),
        ('features = "0"', "", "a variable has no features"),
        ("positions = 3", "positions = 2", "choose an odd number"),
        ("[0, 90]", '["a"]', "is not a hypothesis"),
        ("name =", "name", "is no TOML"),
    ],
)
def test_mistakes_in_a_file_are_one_sentence(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    path = tmp_path / "arch.toml"
    path.write_text(TEXT.replace(before, after, 1))
    with pytest.raises(InputError, match=message) as error:
        from_toml(path)
    assert str(error.value).startswith(str(path))


def test_nothing_is_computed_for_a_hypothesis_that_does_not_fit(
    network: Callable[..., Network], shown: Callable[..., Shown], values: np.ndarray
) -> None:
    with pytest.raises(InputError, match="draws must be a whole number of 2 or more"):
        scrub(network(1, 1, 1), CausalHypothesis("a", "1:0"), shown(values), draws=1)
    with pytest.raises(InputError, match="unknown layer"):
        scrub(network(1, 1, 1), CausalHypothesis("a", "nowhere:0"), shown(values))
