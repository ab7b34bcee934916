import numpy as np
import pytest
import torch
from scipy.stats import rankdata
from skimage import data
from torch.nn import functional as F

from visioncircuits.circuits import candidates, measured, score, true_circuit
from visioncircuits.circuits.running import activations
from visioncircuits.dictionaries import pca
from visioncircuits.errors import InputError
from visioncircuits.handwritten import load

ABLATIONS = ("zero", "mean", "resample")


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_patching_is_what_a_run_without_the_edge_loses(study, ablation):
    found = score(study, method="patching", ablation=ablation)
    everywhere = score(study, method="patching", ablation=ablation, at="everywhere")
    for number in (3, 17, 32):
        chosen = np.ones(35, bool)
        chosen[number] = False
        change = study.activation - activations(study, chosen, ablation)
        lost = study.at_peak(change)
        assert found.effect[number] == pytest.approx(float(lost.mean()), abs=1e-6)
        assert found.size[number] == pytest.approx(float(lost.square().mean().sqrt()), abs=1e-6)
        expected = float(change.square().mean().sqrt())
        assert everywhere.size[number] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_attribution_is_patching_where_the_path_is_linear_to_rounding(network, pictures, ablation):
    study = measured(candidates(network, "4:0", ["3"]), pictures)
    exact = score(study, method="patching", ablation=ablation)
    first = score(study, ablation=ablation)
    assert np.allclose(exact.effect, first.effect, rtol=1e-5, atol=1e-7)
    assert np.allclose(exact.size, first.size, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_integrated_gradients_add_up_to_the_activation_less_the_empty_circuit(study, ablation):
    found = score(study, method="integrated gradients", ablation=ablation, steps=24)
    empty = activations(study, np.zeros(35, bool), ablation)
    total = float(study.at_peak(study.activation - empty).mean())
    assert found.remainder < 0.02 * float(study.activation.std())
    assert abs(found.effect.sum() - total) <= found.remainder + 1e-6


def test_atoms_and_the_error_of_their_dictionary_are_scored_as_units_are(network, pictures):
    maps = network.activations(pictures, ["3"])["3"].movedim(1, -1).reshape(-1, 5)
    found = candidates(network, "4:0", ["1", "3"], dictionaries=[pca(maps, "3", atoms=2)])
    study = measured(found, pictures)
    exact = score(study, method="patching", ablation="resample")
    first = score(study, ablation="resample")
    late = [found.numbers[f"3:{node}", "4:0"] for node in ("atom 0", "atom 1", "rest")]
    assert np.allclose(exact.effect[late], first.effect[late], atol=1e-6)
    assert np.corrcoef(exact.size, first.size)[0, 1] > 0.9
    for number in (4, *late):
        chosen = np.ones(len(found), bool)
        chosen[number] = False
        lost = study.at_peak(study.activation - activations(study, chosen, "resample"))
        assert exact.effect[number] == pytest.approx(float(lost.mean()), abs=1e-5)


def test_attribution_everywhere_has_the_size_of_the_effects_at_all_positions(network, pictures):
    study = measured(candidates(network, "4:0", ["3"]), pictures)
    exact = score(study, method="patching", at="everywhere")
    estimated = score(study, at="everywhere")
    assert np.allclose(exact.size, estimated.size, rtol=0.6)
    assert np.corrcoef(exact.size, estimated.size)[0, 1] > 0.9


def test_snip_is_the_derivative_by_a_mask_on_each_kernel(layers, network, pictures, study):
    found = score(study, method="SNIP")
    middle, last = layers[2], layers[4]
    early = torch.ones(5, 6, 1, 1, requires_grad=True)
    late = torch.ones(1, 5, 1, 1, requires_grad=True)
    first = network.activations(pictures, ["1"])["1"]
    conv = torch.nn.functional.conv2d
    values = conv(first, middle.weight.detach() * early, middle.bias.detach()).relu()
    out = conv(values, last.weight[:1].detach() * late, last.bias[:1].detach())
    by = torch.autograd.grad(out.flatten(1).gather(1, study.peak[:, None]).sum(), [early, late])
    expected = torch.cat([by[0][:, :, 0, 0].T.flatten(), by[1].flatten()]).abs()
    assert np.allclose(found.size, (expected / expected.sum()).numpy(), atol=1e-6)
    assert score(study, method="FORCE").size.shape == (35,)


def test_the_kernel_norm_is_that_of_the_weights(layers, study):
    found = score(study, method="kernel norm")
    middle = layers[2].weight.detach().square().sum((2, 3)).sqrt().T.flatten()
    late = layers[4].weight[0].detach().square().sum((1, 2)).sqrt()
    assert np.allclose(found.size, torch.cat([middle, late]).numpy(), atol=1e-6)


def test_an_unknown_method_is_refused(study):
    with pytest.raises(InputError, match="unknown method 'patchin'"):
        score(study, method="patchin")


def auroc(size: np.ndarray, true: np.ndarray) -> float:
    ranks, count = rankdata(size), true.sum()
    return float((ranks[true].sum() - count * (count + 1) / 2) / (count * (~true).sum()))


@pytest.mark.slow
@pytest.mark.parametrize("target", ["mixed3b_pre_relu:0", "mixed3b_pre_relu:26"])
def test_the_true_edges_of_handwritten_curves_are_recovered(target):
    network = load("curves")
    network.size = 96
    scenes = (data.astronaut(), data.chelsea(), data.coffee(), data.rocket())
    crops = [scene[:288, left : left + 288] for scene in scenes for left in (0, 75, 150)]
    tensors = torch.stack([torch.tensor(crop).movedim(2, 0) / 255 for crop in crops])
    circuit = true_circuit(network, target, "conv2d1")
    found = candidates(network, target, circuit.places[:-1])
    study = measured(found, F.interpolate(tensors, size=96, mode="area"))
    true = found.choice(circuit.edges)
    assert 0.3 < true.mean() < 0.7
    for ablation in ABLATIONS:
        patched = score(study, method="patching", ablation=ablation, at="everywhere")
        assert auroc(patched.size, true) > 0.99, ablation
        attributed = score(study, ablation=ablation, at="everywhere")
        assert auroc(attributed.size, true) > 0.95, ablation
