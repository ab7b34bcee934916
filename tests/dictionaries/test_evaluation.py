"""A dictionary is evaluated as numpy and the network itself would, and beside fair baselines."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn
from torch.nn import functional

from visioncircuits import datasets
from visioncircuits.datasets import photographs
from visioncircuits.dictionaries import (
    AboveThreshold,
    Dictionary,
    Evaluation,
    Largest,
    LargestBlocks,
    Linear,
    NonNegative,
    Rectified,
    evaluate,
    untrained_like,
)
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Preprocessing, load, wrap

LAYER, UNITS, CLASSES, COUNT, SIZE = "1", 12, 5, 6, 14


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    late = nn.Conv2d(UNITS, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    layers = nn.Conv2d(3, UNITS, 5), nn.ReLU(), *late, nn.Linear(8, CLASSES)
    network = wrap(nn.Sequential(*layers), Preprocessing(), size=SIZE)
    for parameter in network.module.parameters():
        parameter.data *= 4  # so that classes differ
    return network


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return torch.rand(COUNT, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def labeled(pictures: torch.Tensor) -> Any:
    return photographs(pictures, labels=[0, 1, 2, 3, 4, 0])


@pytest.fixture(scope="module")
def maps(network: Network, pictures: torch.Tensor) -> torch.Tensor:
    return network.activations(pictures, [LAYER])[LAYER]


@pytest.fixture(scope="module")
def rows(maps: torch.Tensor) -> np.ndarray:
    return maps.flatten(2).transpose(1, 2).flatten(0, 1).double().numpy()


def units(**changes: Any) -> Dictionary:
    """The units themselves as a dictionary."""
    eye, zeros = torch.eye(UNITS), torch.zeros(UNITS)
    made = Dictionary(LAYER, eye, eye, zeros, Linear(), torch.ones(UNITS), zeros, method="units")
    return replace(made, **changes)


def random(atoms: int = 20, seed: int = 0) -> Dictionary:
    """Any dictionary whose encoder is not its decoder."""
    generator = torch.Generator().manual_seed(seed)
    directions = functional.normalize(torch.randn(atoms, UNITS, generator=generator), dim=1)
    encoder = torch.randn(UNITS, atoms, generator=generator) * 0.1
    bias = torch.randn(atoms, generator=generator) * 0.1
    center = torch.rand(UNITS, generator=generator)
    gain = 1 + torch.rand(atoms, generator=generator)
    return Dictionary(LAYER, directions, encoder, bias, Largest(3), gain, center, method="random")


def encoded(dictionary: Dictionary, rows: np.ndarray, k: int) -> np.ndarray:
    """The codes, in numpy."""
    projections = rows @ dictionary.encoder.double().numpy() + dictionary.bias.double().numpy()
    codes = np.zeros_like(projections)
    for code, projected in zip(codes, projections, strict=True):
        largest = np.argsort(projected)[-k:]
        code[largest] = projected[largest].clip(0)
    return codes * dictionary.gain.double().numpy()


def explained(rows: np.ndarray, again: np.ndarray) -> float:
    return float(1 - ((rows - again) ** 2).sum() / ((rows - rows.mean(0)) ** 2).sum())


def cross_entropies(network: Network, values: torch.Tensor) -> np.ndarray:
    """Of the rest of the network, run by hand on values of the layer."""
    logits = network.module[2:](values)
    labels = torch.tensor([0, 1, 2, 3, 4, 0])
    return functional.cross_entropy(logits, labels, reduction="none").detach().double().numpy()


def test_a_dictionary_is_described_as_numpy_describes_it(network, labeled, maps, rows):
    dictionary, second = random(), random(seed=1)
    found = evaluate(dictionary, network, labeled, second=second, dense=0.15, batch=4)
    own = found.measured[0]
    codes = encoded(dictionary, rows, 3)
    again = codes @ dictionary.atoms.double().numpy() + dictionary.center.double().numpy()
    assert np.isclose(own.explained[0], explained(rows, again), atol=1e-5)
    assert np.isclose(own.l0, (codes != 0).sum(1).mean())
    ratio = np.linalg.norm(again, axis=1) / np.linalg.norm(rows, axis=1)
    assert np.isclose(own.shrinkage, ratio.mean(), atol=1e-4)
    firing = (codes != 0).mean(0)
    assert np.allclose(found.atoms["firing"], firing)
    assert (own.dead, own.dense) == ((firing < 1e-5).mean(), (firing > 0.15).mean())
    cosines = dictionary.atoms @ second.atoms.T
    assert np.isclose(own.agreement, cosines.amax(1).mean(), atol=1e-6)
    assert np.isclose(own.nearest_unit, dictionary.atoms.abs().amax(1).mean(), atol=1e-6)
    replaced = torch.from_numpy(again).float().reshape(COUNT, -1, UNITS).transpose(1, 2)
    costs = cross_entropies(network, replaced.reshape(maps.shape))
    original = cross_entropies(network, maps)
    zero = cross_entropies(network, torch.zeros_like(maps))
    mean = cross_entropies(network, maps.mean((0, 2, 3), keepdim=True).expand_as(maps))
    assert np.isclose(own.cross_entropy, costs.mean(), atol=1e-4)
    assert np.allclose([found.original, found.zero, found.mean],
                       [original.mean(), zero.mean(), mean.mean()], atol=1e-4)  # fmt: skip
    for recovered, ablated in ((own.recovered_zero, zero), (own.recovered_mean, mean)):
        share = (ablated.mean() - costs.mean()) / (ablated.mean() - original.mean())
        assert np.isclose(recovered[0], share, atol=1e-3)
    assert found.samples == len(rows)


def test_baselines_are_at_the_dictionarys_own_l0(network, pictures, rows):
    _, identity, principal, plain = evaluate(random(), network, pictures).measured
    k = round((encoded(random(), rows, 3) != 0).sum(1).mean())
    kept = np.where(rows >= np.sort(rows, 1)[:, [-k]], rows, 0)
    assert np.isclose(identity.explained[0], explained(rows, kept), atol=1e-5)
    share = PCA(k).fit(rows).explained_variance_ratio_.sum()
    assert np.isclose(principal.explained[0], share, atol=1e-4)
    assert identity.name == f"identity-TopK ({k} units)"
    assert plain.name == "an untrained dictionary"
    assert plain.explained[0] < identity.explained[0]


def test_all_units_as_atoms_explain_all_and_recover_all(network, labeled):
    own = evaluate(units(), network, labeled).measured[0]
    assert own.explained == (1.0, 1.0, 1.0)
    assert np.allclose([own.recovered_zero, own.recovered_mean], 1, atol=1e-3)
    assert np.isclose(own.shrinkage, 1)


def test_a_dictionary_without_codes_recovers_nothing_beyond_its_center(network, labeled, maps):
    never = AboveThreshold(1e9)
    zero = evaluate(units(rule=never), network, labeled).measured[0]
    assert np.allclose([zero.recovered_zero[0], zero.l0, zero.shrinkage], 0, atol=1e-6)
    assert zero.dead == 1
    mean = evaluate(units(rule=never, center=maps.mean((0, 2, 3))), network, labeled).measured[0]
    assert np.allclose([mean.explained, mean.recovered_mean], 0, atol=1e-4)


def planted() -> tuple[Network, Dictionary, torch.Tensor]:
    """A layer whose activations are one of three dense directions at each position."""
    torch.manual_seed(3)
    network = wrap(nn.Sequential(nn.Conv2d(3, UNITS, 1, bias=False)), Preprocessing(), size=SIZE)
    directions = network.module[0].weight[:, :, 0, 0].T.detach().clone()
    atoms = functional.normalize(directions, dim=1)
    encoder = torch.linalg.pinv(atoms)  # of the directions, which are not orthogonal
    zeros = torch.zeros(3)
    found = Dictionary("0", atoms, encoder, zeros, Largest(1), torch.ones(3), torch.zeros(UNITS),
                       method="planted")  # fmt: skip
    chosen = functional.one_hot(torch.randint(3, (COUNT, SIZE, SIZE)), 3).permute(0, 3, 1, 2)
    return network, found, chosen * (0.5 + 0.5 * torch.rand(COUNT, 3, SIZE, SIZE))


def test_the_directions_that_were_planted_beat_all_baselines() -> None:
    network, dictionary, pictures = planted()
    found = evaluate(dictionary, network, pictures)
    own, *others = found.measured
    assert own.explained[0] > 0.9999
    assert own.l0 == 1
    assert all(other.beaten for other in others)
    assert found.verdict.startswith("planted of 3 atoms in 0 beats identity-TopK (1 unit), PCA (1 ")
    assert str(found).startswith(found.verdict)


def test_the_first_line_states_what_a_dictionary_does_not_beat(network, labeled):
    found = evaluate(random(), network, labeled)
    first = str(found).splitlines()[0]
    assert "DOES NOT BEAT identity-TopK (3 units): explains" in first
    assert "of the cross-entropy against" in first
    assert f"<b>{first}</b>" in found._repr_html_()
    assert "Σ(x − x̂)² / Σ(x − x̄)²" in str(found)
    assert found.table().loc["identity-TopK (3 units)", "beaten"] == "no"


def test_what_beats_no_baseline_by_chance_alone_does_not_beat_it(network, pictures):
    """A dictionary that is as good as identity-TopK, being it, does not beat it."""
    found = evaluate(units(rule=Largest(4)), network, pictures)
    assert np.isclose(found.measured[0].explained[0], found.measured[1].explained[0])
    assert not found.measured[1].beaten


def test_without_classes_there_is_no_cross_entropy(network, pictures):
    found = evaluate(random(), network, pictures)
    assert found.original is None
    assert found.measured[0].recovered_zero is None
    assert "recovered (zero)" not in found.table()


def test_an_evaluation_is_read_as_it_was_written(network, labeled, tmp_path: Path):
    found = evaluate(random(), network, labeled, second=random(seed=1))
    read = Evaluation.load(found.save(tmp_path / "evaluation.json"))
    assert str(read) == str(found)
    assert read.measured == found.measured
    assert read.atoms.equals(found.atoms)
    with pytest.raises(InputError, match="there is no file"):
        Evaluation.load(tmp_path / "none.json")
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(InputError, match="cannot be read"):
        Evaluation.load(tmp_path / "other.json")


def test_a_layer_without_positions_has_a_sample_a_photograph(pictures):
    torch.manual_seed(0)
    module = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, UNITS), nn.ReLU())
    network = wrap(nn.Sequential(module, nn.Linear(UNITS, 3)), Preprocessing(), size=SIZE)
    found = evaluate(units(layer="0.3"), network, photographs(pictures, labels=[0, 1, 2] * 2))
    assert found.samples == COUNT
    assert np.isclose(found.measured[0].recovered_zero[0], 1)


def test_untrained_dictionaries_have_the_form_of_the_trained_one() -> None:
    given = random()
    plain = untrained_like(given, seed=4)
    assert plain.atoms.shape == given.atoms.shape
    assert torch.allclose(plain.atoms.norm(dim=1), torch.ones(20))
    assert plain.rule == given.rule
    assert torch.allclose(plain.encoder * plain.gain, plain.atoms.T, atol=1e-6)
    center = plain.center[None]
    assert torch.allclose(center @ plain.encoder + plain.bias, torch.zeros(20), atol=1e-5)
    assert not torch.equal(untrained_like(given, seed=5).atoms, plain.atoms)
    blocks = untrained_like(replace(given, rule=LargestBlocks(1, 4)))
    overlaps = blocks.atoms.reshape(5, 4, UNITS) @ blocks.atoms.reshape(5, 4, UNITS).mT
    assert torch.allclose(overlaps, torch.eye(4).expand(5, 4, 4), atol=1e-5)
    positive = replace(given, atoms=given.atoms.abs(), rule=NonNegative(torch.eye(20)))
    nmf = untrained_like(positive)
    assert (nmf.atoms >= 0).all()
    values = nmf.atoms[[3]] * 2 + nmf.center
    assert torch.allclose(nmf.decode(nmf.encode(values)), values, atol=1e-3)


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (units(), {"count": 1}, "evaluated on 2 photographs or more, not 1"),
        (units(layer="7"), {}, "unknown layer"),
        (units(layer="2"), {}, "12 units of 2 is none of 2 of network, which has 8"),
        (units(), {"second": units(layer="2")}, "is none of 1 of network"),
        (units(), {"dead": -1}, "dead must be"),
        (units(), {"batch": 1}, "batch must be"),
    ],
)
def test_mistakes_are_refused_before_anything_is_read(network, pictures, given, options, message):
    shown = pictures[: options.pop("count", COUNT)]
    with pytest.raises(InputError, match=message):
        evaluate(given, network, shown, **options)


def test_rectified_codes_of_scaled_units_shrink(network, pictures):
    half = evaluate(units(rule=Rectified(), gain=torch.full((UNITS,), 0.5)), network, pictures)
    assert np.isclose(half.measured[0].shrinkage, 0.5)


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.images
def test_the_largest_32_of_mixed3bs_units_are_nearly_all_of_it(
    checkpoints: Path, photographs: Path
) -> None:
    """And a dictionary of these very units does not beat them."""
    network = load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")
    eye, zeros = torch.eye(480), torch.zeros(480)
    largest = Dictionary("mixed3b", eye, eye, zeros, Largest(32), torch.ones(480), zeros,
                         method="units")  # fmt: skip
    some = datasets.photographs(photographs).part(range(0, 1000, 250))
    found = evaluate(largest, network, some)
    own, identity, principal, plain = found.measured
    assert own.explained[0] > 0.93
    assert own.recovered_zero[0] > 0.9
    assert not identity.beaten
    assert own.explained[0] > principal.explained[0] > plain.explained[0]
