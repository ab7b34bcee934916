import numpy as np
import pytest
import torch
from torch.nn import functional as F

from visioncircuits.circuits import Circuit, candidates, measured, run
from visioncircuits.circuits.running import activations
from visioncircuits.dictionaries import pca
from visioncircuits.errors import InputError
from visioncircuits.interventions import constant, path_patched
from visioncircuits.networks import LayerGraph, Preprocessing, Step, wrap


def by_hand(layers, network, pictures, chosen, ablation):
    """Each edge's kernel applied to the circuit's values or the ablated ones."""
    plain = network.activations(pictures, ["1", "3"])
    change = {
        "zero": torch.zeros_like,
        "mean": lambda x: x.mean((0, 2, 3), keepdim=True).expand_as(x),
        "resample": lambda x: x.roll(3, 0),
    }[ablation]
    kept = torch.from_numpy(chosen).float()
    early, late = kept[:30].reshape(6, 5).T[:, :, None, None], kept[30:].reshape(1, 5, 1, 1)
    middle, last = layers[2], layers[4]
    weight = middle.weight
    values = F.relu(
        F.conv2d(plain["1"], weight * early, middle.bias)
        + F.conv2d(change(plain["1"]), weight * (1 - early))
    )
    weight = last.weight[:1]
    return (
        F.conv2d(values, weight * late, last.bias[:1])
        + F.conv2d(change(plain["3"]), weight * (1 - late))
    ).flatten(1)


@pytest.mark.parametrize("ablation", ["zero", "mean", "resample"])
@torch.no_grad()
def test_an_edge_outside_a_circuit_carries_the_ablated_value(
    layers, network, pictures, study, ablation
):
    chosen = np.random.default_rng(0).random(35) < 0.5
    expected = by_hand(layers, network, pictures, chosen, ablation)
    assert torch.allclose(activations(study, chosen, ablation), expected, atol=1e-6)


def test_with_every_edge_it_is_the_network_and_without_any_it_does_not_depend_on_the_picture(
    study,
):
    every, none = np.ones(35, bool), np.zeros(35, bool)
    assert torch.allclose(activations(study, every, "mean"), study.activation, atol=1e-6)
    assert activations(study, none, "mean").std(0).max() < 1e-6


def test_one_edge_out_is_path_patching(network, pictures, study):
    edge = ("1:2", "3:4")
    chosen = np.ones(35, bool)
    chosen[study.candidates.numbers[edge]] = False
    level = float(network.activations(pictures, ["1"])["1"][:, 2].mean())
    with path_patched(network, *edge, constant(level)):
        expected = network.activations(pictures, ["4"])["4"][:, 0].flatten(1)
    assert torch.allclose(activations(study, chosen, "mean"), expected, atol=1e-6)


def test_a_circuit_and_its_complement_run_by_name(network, pictures, study):
    circuit = Circuit("4:0", ("1", "3", "4"), [("1:0", "3:1"), ("3:1", "4:0")])
    chosen = study.candidates.choice(circuit.edges)
    inside = run(network, circuit, pictures, ablation="zero")
    outside = run(network, circuit, pictures, ablation="zero", complement=True)
    assert torch.allclose(inside, activations(study, chosen, "zero"))
    assert torch.allclose(outside, activations(study, ~chosen, "zero"))


def test_atoms_and_the_error_of_their_dictionary_add_up_to_the_layer(network, pictures):
    maps = network.activations(pictures, ["3"])["3"].movedim(1, -1).reshape(-1, 5)
    dictionary = pca(maps, "3", atoms=2)
    found = candidates(network, "4:0", ["1", "3"], dictionaries=[dictionary])
    assert found.columns[1].names == ("3:atom 0", "3:atom 1", "3:rest")
    study = measured(found, pictures)
    every = np.ones(len(found), bool)
    assert torch.allclose(activations(study, every, "zero"), study.activation, atol=1e-5)
    without = every.copy()
    without[found.numbers["3:rest", "4:0"]] = False
    decoded = dictionary.decode(dictionary.encode(maps)).reshape(6, 12, 12, 5).movedim(-1, 1)
    expected = network.module[4](decoded)[:, 0].flatten(1)
    assert torch.allclose(activations(study, without, "zero"), expected, atol=1e-5)
    circuit = found.circuit(np.flatnonzero(without))
    again = run(network, circuit, pictures, ablation="zero", dictionaries=[dictionary])
    assert torch.allclose(again, expected, atol=1e-5)


def test_some_units_leave_a_rest(network, pictures, study):
    found = candidates(network, "4:0", ["1", "3"], features={"3": ["3:0", "3:3"]})
    some = measured(found, pictures)
    chosen = np.zeros(len(found), bool)
    chosen[[found.numbers["1:2", "3:rest"], found.numbers["3:rest", "4:0"]]] = True
    units = [1, 2, 4]
    same = [("1:2", f"3:{unit}") for unit in units] + [(f"3:{unit}", "4:0") for unit in units]
    expected = activations(study, study.candidates.choice(same), "resample")
    assert torch.allclose(activations(some, chosen, "resample"), expected, atol=1e-6)


def test_edges_that_skip_a_place_are_candidates_where_the_graph_has_them(pictures):
    torch.manual_seed(0)
    first, second, last = (torch.nn.Conv2d(3, 3, 3, padding=1) for _ in range(3))
    nodes = {
        "a": Step(first, ("input",)),
        "b": Step(second, ("a",)),
        "sum": Step(_Sum(), ("a", "b")),
        "c": Step(last, ("sum",)),
    }
    network = wrap(LayerGraph(nodes, output="c"), Preprocessing(), size=16)
    found = candidates(network, "c:1", ["a", "b"])
    assert found.pairs == ((0, 1), (0, 2), (1, 2))
    study = measured(found, pictures)
    chosen = found.choice([("a:0", "c:1"), ("a:1", "b:2"), ("b:2", "c:1")])
    a = network.activations(pictures, ["a"])["a"]
    inner = F.conv2d(a[:, [1]], second.weight[[2]][:, [1]], second.bias[[2]], padding=1)
    seen = torch.cat([a[:, [0]], torch.zeros_like(inner), inner], 1)
    expected = F.conv2d(seen, last.weight[[1]], last.bias[[1]], padding=1).flatten(1)
    assert torch.allclose(activations(study, chosen, "zero"), expected, atol=1e-6)


class _Sum(torch.nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a + b


@pytest.mark.parametrize(
    ("places", "reason"),
    [(["3", "1"], "places in order"), (["4"], "does not depend on"), ([], "needs an earlier")],
)
def test_places_that_lead_nowhere_are_refused(network, places, reason):
    with pytest.raises(InputError, match=reason):
        candidates(network, "4:0", places)
