"""All classes attributed at once are as one after another."""

import pytest
import torch
from torch import nn

from visioncircuits.attribution import (
    ExactPaths,
    Gradient,
    IntegratedGradient,
    Readout,
    RelaxedGradient,
)
from visioncircuits.attribution.forward_mode import attributed_to_all
from visioncircuits.attribution.slopes import Slope
from visioncircuits.errors import InputError
from visioncircuits.networks import Preprocessing, untrained, wrap


@pytest.mark.parametrize("slope", [Gradient(), RelaxedGradient(), IntegratedGradient(2)])
def test_all_outputs_at_once_are_as_one_readout_after_another(slope: Slope):
    """Through the max pools and padding of GoogLeNet."""
    network, picture = untrained("bvlc_googlenet", seed=3), torch.rand(1, 3, 64, 64)
    values = network.activations(picture, ["mixed4e"])["mixed4e"][0].detach()
    parts = torch.stack([values * (torch.arange(16).reshape(4, 4) == place) for place in (3, 10)])
    found = attributed_to_all(network, picture, "mixed4e", parts, slope)
    numbers = [7, 400, 999]
    readouts = [Readout("logits", row) for row in torch.eye(1000)[numbers]]
    slopes = slope(network, picture, "mixed4e", readouts)
    known = torch.einsum("cuhw,puhw->pc", slopes, parts)
    assert known.abs().max() > 1e-4
    assert torch.allclose(found[:, numbers], known, atol=1e-6 * float(known.abs().max()), rtol=1e-4)


def test_all_outputs_at_once_need_a_classifier_and_derivatives_in_forward_mode():
    network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    parts = torch.rand(1, 64, 16, 16)
    with pytest.raises(InputError, match="no derivative in forward mode; name the classes"):
        attributed_to_all(network, picture, "conv2d1", parts, Gradient())
    with pytest.raises(InputError, match="exact paths are of one class"):
        attributed_to_all(network, picture, "mixed5a", parts, ExactPaths())
    pools = wrap(nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2)), Preprocessing(), size=8)
    with pytest.raises(InputError, match="is not a classifier"):
        attributed_to_all(pools, torch.rand(1, 3, 8, 8), "0", parts, Gradient())
