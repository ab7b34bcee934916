from functools import partial

import numpy as np
import pytest
import torch

from visioncircuits import pictures
from visioncircuits.errors import InputError
from visioncircuits.interventions import (
    changes,
    mean,
    observe,
    path_patched,
    resample,
    unit_ablations,
    zero,
)
from visioncircuits.networks import Direction, load, untrained

CURVE = "mixed3b:413"


@pytest.fixture(scope="module")
def network(checkpoints):
    return load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")


@pytest.fixture(scope="module")
def paths(photographs):
    return sorted(photographs.iterdir())[::125]


def test_what_is_measured_are_the_layer_s_activations(network, paths):
    weights = [0.0] * 480
    weights[413], weights[7] = 0.5, -1.0
    features = [CURVE, "mixed3a:5", Direction("mixed3b", tuple(weights))]
    measured = observe(network, features, paths, {}, batch=3)
    assert measured["mean"].dims == ("condition", "feature", "photograph")
    shown = torch.stack([pictures.read(path, 224) for path in paths])
    found = network.activations(shown, ["mixed3a", "mixed3b"])
    curve, other = found["mixed3b"][:, 413], found["mixed3b"][:, 7]
    maps = [curve, found["mixed3a"][:, 5], 0.5 * curve - other]
    for row, each in zip(range(3), maps, strict=True):
        assert np.allclose(measured["mean"][0, row], each.mean((1, 2)), rtol=1e-3, atol=1e-4)
        assert np.allclose(measured["peak"][0, row], each.amax((1, 2)), rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_a_change_is_a_paired_difference_and_what_follows_not_is_unchanged(network, paths):
    entered = unit_ablations(network, ["mixed3a:81", "mixed3a:104"], controls=1)
    entered["connection"] = partial(path_patched, network, "mixed3a:81", "mixed3b:321", zero())
    measured = observe(network, [CURVE, "mixed3a:5", "conv2d2:3"], paths, entered)
    found = changes(measured)
    assert found["mean"].dims == ("feature", "condition", "bound")
    assert found["condition"].values.tolist() == ["original", "ablated", "control 1", "connection"]
    lost = (measured["mean"].sel(condition="ablated") - measured["mean"].sel(condition="original"))[
        0
    ]
    mean, low, high = found["mean"].sel(feature=CURVE, condition="ablated").values
    assert mean == pytest.approx(float(lost.mean()))
    assert low < mean < high
    assert abs(mean) > 0
    for beside in ("mixed3a:5", "conv2d2:3"):
        assert not found.sel(feature=beside)["peak"].values.any()
    assert not found.sel(condition="connection", feature=CURVE)["mean"].values.any()


def test_zero_mean_and_resample_ablation_give_the_values_they_are_named_for():
    measured = torch.rand(4, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    means = mean()(measured)
    assert torch.allclose(means, measured.transpose(0, 1).flatten(1).mean(1)[:, None, None])
    assert torch.equal(resample()(measured), measured[[3, 0, 1, 2]])
    assert not zero()(measured).any()


def test_too_few_photographs_are_refused(network, paths):
    with pytest.raises(InputError, match="2 photographs or more"):
        observe(network, [CURVE], paths[:1], {})
    with pytest.raises(InputError, match="units 0 to 479"):
        observe(untrained("bvlc_googlenet"), ["mixed3b:480"], paths, {})
