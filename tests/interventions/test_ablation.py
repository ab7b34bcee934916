import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.examples import photographs
from visioncircuits.interventions import ablate, damage
from visioncircuits.networks import load, untrained

CURVES = ["mixed3b:413", "mixed3b:408", "mixed3b:321", "mixed3b:326", "mixed3b:386", "mixed3b:394"]


@pytest.fixture(scope="module")
def network(checkpoints):
    return load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")


@pytest.fixture(scope="module")
def some(request):
    folder = request.getfixturevalue("photographs")
    return photographs(folder).part(range(0, 1000, 45))


def test_an_ablation_is_scored_as_the_network_itself_would_be(network, some):
    scores = ablate(network, CURVES, some, controls=1, batch=8)
    assert scores["condition"].values.tolist() == ["original", "ablated", "control 1"]
    pictures = some.pictures(224)
    with torch.inference_mode():
        logits = network(pictures).double()
    labels = torch.tensor(some.labels)
    expected = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    ours = scores["cross_entropy"].sel(condition="original").values
    assert np.allclose(ours, expected.numpy(), atol=1e-3)
    assert (scores["divergence"].sel(condition="original") == 0).all()
    assert (scores["divergence"].sel(condition="ablated") > 0).all()


def test_the_damage_of_curves_is_larger_than_that_of_other_units(network, some):
    found = damage(ablate(network, CURVES, some, controls=2, batch=8))
    divergence = found["divergence"].sel(bound="mean")
    assert divergence.sel(condition="ablated") > 1.5 * divergence[2:].max()


@pytest.mark.parametrize("mode", ["mean", "resample"])
def test_mean_and_resample_ablation_change_something_too(network, some, mode):
    scores = ablate(network, CURVES, some.part(range(6)), mode=mode, controls=0, batch=3)
    assert (scores["divergence"].sel(condition="ablated") > 0).all()


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ([], "no feature is given"),
        (["mixed3a:1", "mixed3b:1"], "units of one layer"),
        (["mixed3b:480"], "units 0 to 479"),
    ],
)
def test_units_that_cannot_be_ablated_are_refused(some, units, message):
    with pytest.raises(InputError, match=message):
        ablate(untrained("bvlc_googlenet"), units, some)
