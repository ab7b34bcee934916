import numpy as np
import pytest
import torch

from visioncircuits.circuits import (
    CircuitDiscovery,
    Evaluation,
    areas,
    curves,
    discover,
    evaluate,
    greedy,
    model_distance,
    performance_ratio,
    run,
    score,
    strongest,
    true_circuit,
)
from visioncircuits.circuits.selection import drawn, grown
from visioncircuits.errors import InputError
from visioncircuits.handwritten import load


def test_a_circuit_grows_from_the_target(study):
    scores = score(study)
    order = grown(study.candidates, scores.size, 35)
    assert sorted(order) == list(range(35))
    for count in (1, 5, 12):
        circuit = greedy(scores, count)
        assert circuit.pruned().edges == circuit.edges
        assert len(circuit.edges) == count
    first = {edge.target for edge in strongest(scores, 12).edges}
    assert first <= {"4:0", *(edge.source for edge in strongest(scores, 12).edges)}


def test_random_circuits_have_as_many_edges_or_as_much_weight(study):
    found, weight = study.candidates, score(study, method="kernel norm").size ** 2
    like = found.choice(greedy(score(study), 12).edges)
    for seed in range(3):
        random = drawn(found, like, np.random.default_rng(seed))
        assert random.sum() == 12
        assert (found.live(random) == random).all()
        heavy = drawn(found, like, np.random.default_rng(seed), weight=weight)
        assert weight[heavy].sum() >= 0.8 * weight[like].sum()


def test_faithfulness_is_between_the_empty_circuit_and_the_network(network, pictures, study):
    circuit = greedy(score(study), 10)
    found = evaluate(study, circuit, edges=2, draws=2)
    for ablation in ("zero", "mean", "resample"):
        parts = [
            study.at_peak(run(network, each, pictures, ablation=ablation)).mean()
            for each in (circuit, type(circuit)("4:0", circuit.places, []))
        ]
        whole = study.at_peak(study.activation).mean()
        expected = float((parts[0] - parts[1]) / (whole - parts[1]))
        here = found.sel(ablation=ablation)
        assert float(here["faithfulness"].sel(bound="mean")) == pytest.approx(expected, abs=1e-4)
        low, high = here["faithfulness"].sel(bound=["low", "high"]).values
        assert low <= expected <= high
        fewer = type(circuit)("4:0", circuit.places, circuit.edges[1:])
        left = study.at_peak(run(network, fewer, pictures, ablation=ablation)).mean()
        worth = float((parts[0] - left) / (whole - parts[1]))
        assert float(here["worth"][0]) == pytest.approx(worth, abs=1e-4)
    assert np.isnan(found["worth"][:, 2:]).all()


def test_curves_end_at_the_network_and_areas_are_those_of_the_benchmark(study):
    found = curves(study, score(study), draws=1)
    kept = found["faithfulness"].sel(bound="mean", kind="found")
    assert np.allclose(kept[:, 0], 0)
    assert np.allclose(kept[:, -1], 1)
    share, line = found["share"].values, kept.sel(ablation="mean").values
    assert performance_ratio(share, line) == pytest.approx(np.trapezoid(line, share))
    area = areas(found)["mean"]["found"]
    assert area["CMD"] == pytest.approx(model_distance(share, line))
    assert area["CPR"] >= 1 - area["CMD"] - 1e-9


def test_an_evaluation_is_saved_and_read(study, tmp_path):
    found = evaluate(study, greedy(score(study), 4), draws=1)
    again = Evaluation.load(found.save(tmp_path / "evaluation.nc"))
    assert np.allclose(again["faithfulness"], found["faithfulness"])
    assert again.record["circuit"]["method"] == "attribution"


def test_discovery_takes_the_fewest_edges_that_reach_a_faithfulness(network, pictures):
    found = discover(network, "4:0", ["1", "3"], pictures, faithfulness=0.8, draws=1)
    assert isinstance(found, CircuitDiscovery)
    count = len(found.circuit.edges)
    assert 1 < count < 35
    half = pictures[::2]
    whole = network.activations(half, ["4"])["4"][:, 0].flatten(1)
    peak = whole.argmax(1)[:, None]

    def kept(circuit):
        return run(network, circuit, half).gather(1, peak).mean()

    kind, places = type(found.circuit), found.circuit.places
    empty = kept(kind("4:0", places, []))
    reached = (kept(found.circuit) - empty) / (whole.gather(1, peak).mean() - empty)
    assert reached >= 0.8
    assert found.circuit.record["faithfulness"] == 0.8
    assert f"{count} edges" in repr(found)


def test_mistakes_are_refused(network, pictures):
    for options, reason in (
        ({"faithfulness": 1.5}, "between 0 and 1"),
        ({"edges": 36}, "edges"),
        ({"method": "guess"}, "unknown method"),
    ):
        with pytest.raises(InputError, match=reason):
            discover(network, "4:0", ["1", "3"], pictures, **options)
    with pytest.raises(InputError, match="4 photographs or more"):
        discover(network, "4:0", ["1", "3"], pictures[:3])


def test_the_true_circuit_is_complete():
    network, shown = load("curves"), torch.rand(2, 3, 64, 64)
    network.size = 64
    circuit = true_circuit(network, "mixed3b:0", "conv2d2", share=0.0)
    whole = network.activations(shown, ["mixed3b"])["mixed3b"][:, 0].flatten(1)
    kept = run(network, circuit, shown, ablation="zero")
    assert torch.allclose(kept, whole, atol=1e-5)
    with pytest.raises(InputError, match="not before"):
        true_circuit(network, "conv2d1:0", "conv2d2")
