from functools import partial

import numpy as np
import pytest
import torch

from visioncircuits import pictures
from visioncircuits.errors import InputError
from visioncircuits.interventions import (
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


def test_what_is_noted_is_what_the_layer_says(network, paths):
    weights = [0.0] * 480
    weights[413], weights[7] = 0.5, -1.0
    features = [CURVE, "mixed3a:5", Direction("mixed3b", tuple(weights))]
    said = observe(network, features, paths, {}, batch=3)
    assert said["mean"].dims == ("condition", "feature", "photograph")
    shown = torch.stack([pictures.read(path, 224) for path in paths])
    found = network.activations(shown, ["mixed3a", "mixed3b"])
    curve, other = found["mixed3b"][:, 413], found["mixed3b"][:, 7]
    maps = [curve, found["mixed3a"][:, 5], 0.5 * curve - other]
    for row, each in zip(range(3), maps, strict=True):
        assert np.allclose(said["mean"][0, row], each.mean((1, 2)), rtol=1e-3, atol=1e-4)
        assert np.allclose(said["peak"][0, row], each.amax((1, 2)), rtol=1e-3, atol=1e-4)


def test_a_change_is_a_paired_difference_and_what_follows_not_is_unchanged(network, paths):
    changes = unit_ablations(network, ["mixed3a:81", "mixed3a:104"], controls=1)
    changes["connection"] = partial(path_patched, network, "mixed3a:81", "mixed3b:321", zero())
    said = observe(network, [CURVE, "mixed3a:5", "conv2d2:3"], paths, changes)
    found = changes(said)
    assert found["mean"].dims == ("feature", "condition", "bound")
    assert found["condition"].values.tolist() == ["original", "ablated", "control 1", "connection"]
    lost = (said["mean"].sel(condition="ablated") - said["mean"].sel(condition="original"))[0]
    mean, low, high = found["mean"].sel(feature=CURVE, condition="ablated").values
    assert mean == pytest.approx(float(lost.mean()))
    assert low < mean < high
    assert abs(mean) > 0
    for beside in ("mixed3a:5", "conv2d2:3"):
        assert not found.sel(feature=beside)["peak"].values.any()
    assert not found.sel(condition="connection", feature=CURVE)["mean"].values.any()


def test_falling_silent_in_three_ways_says_what_each_promises():
    said = torch.rand(4, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    means = mean()(said)
    assert torch.allclose(means, said.transpose(0, 1).flatten(1).mean(1)[:, None, None])
    assert torch.equal(resample()(said), said[[3, 0, 1, 2]])
    assert not zero()(said).any()


def test_too_few_photographs_are_refused(network, paths):
    with pytest.raises(InputError, match="2 photographs or more"):
        observe(network, [CURVE], paths[:1], {})
    with pytest.raises(InputError, match="units 0 to 479"):
        observe(untrained("bvlc_googlenet"), ["mixed3b:480"], paths, {})
