"""A feature hidden in a layer passes all gates, and each gate fires on what it is against.

The layer has narrowly tuned edge detectors, rotated at random, so that no unit is one. The
directions that undo the rotation are; later layers are computed from a few of them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from visioncircuits import files
from visioncircuits.datasets import photographs
from visioncircuits.dictionaries import (
    Dictionary,
    NewFeatures,
    Rectified,
    first_gates,
    new_features,
)
from visioncircuits.dictionaries.atom_ablation import ablate_atoms
from visioncircuits.errors import InputError
from visioncircuits.hypotheses import Hypothesis, Prediction, effects, significance
from visioncircuits.networks import Network, Preprocessing, read_features, wrap
from visioncircuits.stimuli import named

UNITS, FIELD, SIZE, CLASSES = 96, 15, 24, 6
USED, UNUSED = range(0, 72, 12), range(3, 72, 12)
LAYER = "2"
EDGES = Hypothesis(
    "edge",
    named("edges"),
    (
        Prediction("responds to one direction of an edge", effects.echo, most=0.1),
        Prediction("is narrow", effects.off_peak, most=0.2, options={"beyond": 45}),
    ),
    variants=({},),
)


def filters() -> Tensor:
    """Bars of alternating sign, each for edges of one direction."""
    angles = torch.arange(UNITS) * 2 * torch.pi / UNITS
    y, x = torch.meshgrid(*(torch.arange(FIELD) - FIELD // 2.0,) * 2, indexing="ij")
    across = x * angles.cos()[:, None, None] + y * angles.sin()[:, None, None]
    near = (x.square() + y.square()) <= (FIELD / 2) ** 2
    return (across.sign() * near / near.sum()).unsqueeze(1).expand(-1, 3, -1, -1) / 3


def rotation() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.linalg.qr(torch.randn(UNITS, UNITS, generator=generator)).Q


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(significance, "RESAMPLES", 40)
        patched.setattr(significance, "SHUFFLES", 20)
        yield


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    first, hidden = nn.Conv2d(3, UNITS, FIELD), nn.Conv2d(UNITS, UNITS, 1, bias=False)
    first.weight.data, first.bias.data[:] = filters(), -0.25  # of at most .5: narrow
    hidden.weight.data = rotation()[:, :, None, None]
    undone, last = nn.Conv2d(UNITS, UNITS, 1, bias=False), nn.Linear(UNITS, CLASSES)
    undone.weight.data = rotation().T[:, :, None, None].clone()
    undone.weight.data[torch.arange(UNITS) % 6 > 0] = 0  # nothing is computed from these
    signs = torch.tensor([1.0, 1, 1, -1, -1, -1])  # each matters as much
    last.weight.data = torch.stack([signs[torch.randperm(CLASSES)] for _ in range(UNITS)], 1)
    after = undone, nn.AdaptiveAvgPool2d(1), nn.Flatten(), last
    return wrap(nn.Sequential(first, nn.ReLU(), hidden, *after), Preprocessing(), size=SIZE)


@pytest.fixture(scope="module")
def pictures() -> Tensor:
    """Edges of all directions."""
    angles = torch.arange(0, 2 * torch.pi, torch.pi / 24)[:, None, None]
    y, x = torch.meshgrid(*(torch.arange(SIZE) - SIZE / 2,) * 2, indexing="ij")
    edges = ((x * angles.cos() + y * angles.sin()) > 0).float()
    return edges[:, None].expand(-1, 3, -1, -1).contiguous()


def dictionary(atoms: Tensor) -> Dictionary:
    atoms = functional.normalize(atoms, dim=1)
    zeros, ones = torch.zeros(len(atoms)), torch.ones(len(atoms))
    return Dictionary(LAYER, atoms, atoms.T.contiguous(), zeros, Rectified(), ones,
                      torch.zeros(UNITS), method="planted")  # fmt: skip


def hidden() -> Dictionary:
    """The directions that undo the rotation."""
    return dictionary(rotation().T[[*USED, *UNUSED]])


def random(seed: int) -> Dictionary:
    return dictionary(torch.randn(12, UNITS, generator=torch.Generator().manual_seed(seed)))


def found(network: Network, pictures: Tensor, given: Dictionary, **options: Any) -> NewFeatures:
    defaults = {"second": hidden(), "controls": 10, "batch": 24}
    return new_features(given, network, pictures, EDGES, **(defaults | options))


@pytest.fixture(scope="module")
def passed(network: Network, pictures: Tensor) -> NewFeatures:
    shuffled = dictionary(hidden().atoms.flip(0))  # another seed has another order
    return found(network, pictures, hidden(), second=shuffled)


def test_hidden_features_that_the_network_uses_pass_all_gates(passed: NewFeatures) -> None:
    assert [direction.name for direction in passed.directions] == [
        f"atom {number}" for number in range(6)
    ]
    assert passed.table["hypothesis"].all()
    assert (passed.table["why"][:6] == "").all()
    assert passed.by_chance < 2
    assert passed.summary.startswith("6 of 12 atoms of planted in 2 are new features as edge det")


def test_hidden_features_that_nothing_is_computed_from_fail_the_fourth(passed: NewFeatures) -> None:
    unused = passed.table[6:]
    assert unused["hypothesis"].all()
    assert not unused["acts"].any()
    assert np.allclose(unused["effect"], 0, atol=1e-6)
    assert unused["why"].str.startswith("its ablation changes no more than random dir").all()


def test_units_copied_as_atoms_fail_the_first(network, pictures):
    copied = dictionary(torch.eye(UNITS)[:12] + 0.01)
    given = found(network, pictures, copied, second=copied)
    assert not given.table["no unit"].any()
    assert given.table["recurs"].all()
    assert given.table["unit"].tolist() == [f"{LAYER}:{unit}" for unit in range(12)]
    assert given.table["why"].iloc[3].startswith("is the unit 2:3 (cosine 1.00)")
    assert len(given) == 0


def test_random_atoms_fail_the_second_and_the_third(network, pictures):
    given = found(network, pictures, random(7), second=random(8))
    assert given.table["recurs"].mean() < 0.2
    assert not given.table["hypothesis"].any()
    assert given.table["effect"].isna().all()  # none is ablated
    assert len(given) == 0


def test_true_features_of_one_seed_alone_fail_the_second(network, pictures):
    given = found(network, pictures, hidden(), second=random(8), recurs=0.9)
    assert given.table["hypothesis"].all()
    assert not given.table["recurs"].any()
    assert given.table["why"].str.startswith("does not recur in the second seed (cosine").all()
    assert len(given) == 0


def test_what_untrained_atoms_fit_as_well_fails_the_third(network, pictures):
    """As where the untrained dictionary holds the features itself."""
    given = found(network, pictures, hidden(), untrained=hidden(), draws=1)
    assert (given.table["verdict"] == "supported").all()
    assert not given.table["hypothesis"].any()
    assert given.table["why"].iloc[0].startswith("untrained atoms fit the hypothesis as well (q = ")
    assert given.by_chance == 12


def test_a_share_of_draws_counts_ties_and_the_atom_itself() -> None:
    own, drawn = np.array([2.0, 0.5, -np.inf]), np.array([-1.0, 0.5, 1.0, -np.inf])
    expected = [(1 + sum(d >= o for d in drawn)) / 5 for o in own]
    assert first_gates._share_as_good(own, drawn).tolist() == expected


def by_hand(
    network: Network, pictures: Tensor, direction: Tensor, code: Tensor
) -> Sequence[np.ndarray]:
    """Logits before and after, by the network's own modules."""
    module = network.module
    values = network.activations(pictures, [LAYER])[LAYER]
    changed = values - code[:, None] * direction[None, :, None, None]
    return [module[3:](each).detach().double().log_softmax(1).numpy() for each in (values, changed)]


def test_an_ablation_takes_the_code_times_the_atom_and_nothing_else(network, pictures):
    given = hidden()
    ablated = ablate_atoms(given, network, photographs(pictures), [0, 4], batch=5, seed=3)
    values = network.activations(pictures, [LAYER])[LAYER]
    code = torch.einsum("u,buyx->byx", given.atoms[4], values).relu()
    before, after = by_hand(network, pictures, given.atoms[4], code)
    expected = (np.exp(before) * (before - after)).sum(1).mean()
    assert np.isclose(ablated.effect[1], expected, rtol=1e-4)
    generator = torch.Generator().manual_seed(3)
    drawn = functional.normalize(torch.randn(2, 5, UNITS, generator=generator), dim=2)[1]
    controls = []
    for direction in drawn:
        before, after = by_hand(network, pictures, direction, code)
        controls.append((np.exp(before) * (before - after)).sum(1).mean())
    assert np.isclose(ablated.control[1], np.mean(controls), rtol=1e-4)


def test_effects_can_be_measured_in_a_later_layer(network, pictures):
    shown, given = photographs(pictures), hidden()
    ablated = ablate_atoms(given, network, shown, [0, 11], later="3")
    assert ablated.effect[0] > ablated.control[0] > 0
    assert np.isclose(ablated.effect[1], 0, atol=1e-12)
    with pytest.raises(InputError, match="0 is not computed from 2"):
        ablate_atoms(given, network, shown, [0], later="0")
    headless = wrap(network.module[:3], Preprocessing(), size=SIZE)
    with pytest.raises(InputError, match="returns no logits; name a later layer"):
        ablate_atoms(given, headless, shown, [0])


def test_a_table_is_saved_with_what_its_numbers_mean(passed: NewFeatures, tmp_path: Path) -> None:
    content = json.loads(passed.save(tmp_path / "features.json").read_text())
    assert content["summary"] == repr(passed).splitlines()[0]
    assert f"<b>{passed.summary}</b>" in passed._repr_html_()
    assert [row["acts"] for row in content["atoms"]] == passed.table["acts"].tolist()
    assert content["thresholds"]["recurs"] == 0.7
    path = files.write_json(tmp_path / "new.json", content["new_features"])
    assert read_features(str(path)) == passed.directions


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 0}, "draws must be"),
        ({"controls": 1}, "controls must be"),
        ({"unit": 2}, "unit must be"),
        ({"second": replace(hidden(), layer="0")}, "a dictionary of 0 has no atoms to compare"),
    ],
)
def test_mistakes_are_refused_before_stimuli_are_shown(network, pictures, options, message):
    with pytest.raises(InputError, match=message):
        found(network, pictures, hidden(), **options)


def test_one_photograph_is_not_enough(network, pictures):
    with pytest.raises(InputError, match="on 2 photographs or more, not 1"):
        found(network, pictures[:1], hidden())
