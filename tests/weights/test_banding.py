"""Shares of variance of published arrays, of synthetic kernels and of a trained network."""

import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.networks import Unit, load
from visioncircuits.weights import (
    ExpandedWeights,
    banding,
    banding_picture,
    expanded_weights,
    reduced_kernels,
)

PUBLISHED = {
    "InceptionV1 - modelzoo|mixed5b_5x5": (0.97, 0.01),
    "Simplified-Base|": (0.97, 0.02),
    "Simplified-90deg|": (0.02, 0.97),
    "Simplified-fc-only|": (0.52, 0.35),
    "Simplified-x-avgpool|v0_v1_5a": (0.90, 0.06),
    "Simplified-x-avgpool|v0_v1_5b": (0.65, 0.30),
    "InceptionV1 - baseline|": (0.74, 0.19),
    "InceptionV1 - 90deg|": (0.16, 0.75),
    "InceptionV1 - fc-only|": (0.57, 0.26),
    "ResNet50 - baseline|": (0.92, 0.07),
    "ResNet50 - 90deg|": (0.08, 0.91),
    "ResNet50 - fc-only|": (0.72, 0.22),
    "VGG19 - baseline|": (0.86, 0.12),
    "VGG19 - 90deg|": (0.11, 0.87),
    "VGG19 - fc-only|": (0.87, 0.12),
    "AlexNet - modelzoo|": (0.51, 0.26),
}


@pytest.mark.published
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_arrays_give_the_published_shares(published, name: str) -> None:
    with np.load(published / "weight_banding_reduced_rgb.npz") as arrays:
        (key,) = [key for key in arrays if key.startswith(name)]
        kernels = torch.tensor(arrays[key]).permute(0, 3, 1, 2).float()
    found = banding(kernels)
    assert (found.rows, found.columns) == pytest.approx(PUBLISHED[name], abs=0.005)


def test_rotating_kernels_exchanges_rows_and_columns() -> None:
    kernels = torch.randn(6, 3, 5, 5)
    upright, rotated = banding(kernels), banding(kernels.rot90(dims=(2, 3)))
    assert rotated.rows == pytest.approx(upright.columns)
    assert rotated.columns == pytest.approx(upright.rows)


def test_noise_has_the_shares_expected_by_chance() -> None:
    noise = banding(torch.randn(4000, 3, 5, 5))
    assert (noise.rows, noise.columns) == pytest.approx((1 / 6, 1 / 6), abs=0.005)


def test_neurons_that_do_not_vary_are_ignored() -> None:
    kernels = torch.randn(3, 2, 3, 3)
    with_flat = torch.cat([kernels, torch.ones(2, 2, 3, 3)])
    assert banding(with_flat) == banding(kernels)
    with pytest.raises(InputError, match="do not vary"):
        banding(torch.ones(2, 2, 3, 3))


def test_reduced_stripes_are_still_stripes() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(2, 9, 5, 1, generator=generator).expand(-1, -1, -1, 5).contiguous()
    inputs = tuple(Unit("a", index) for index in range(9))
    weights = ExpandedWeights(rows, inputs, (Unit("b", 0), Unit("b", 1)), (1, 1), (-2, -2), {})
    reduced = reduced_kernels(weights)
    assert reduced.shape == (2, 3, 5, 5)
    assert reduced.amin() >= 0
    assert reduced.amax((1, 2, 3)).tolist() == [1, 1]
    assert banding(reduced).rows > 0.999
    pixels = np.asarray(banding_picture(reduced, size=20))
    assert pixels.shape == (20, 42, 3)
    assert (pixels[::4, 0] == (reduced[0, :, :, 0].T * 255).round().numpy()).all()


@pytest.mark.weights
def test_the_last_layer_of_a_trained_network_is_banded(checkpoints) -> None:
    network = load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")
    last = [f"mixed5b_5x5:{unit}" for unit in range(0, 128, 8)]
    late = banding(reduced_kernels(expanded_weights(network, "mixed5b_5x5_bottleneck", last)))
    assert late.rows > 0.7
    middle = [f"mixed4a_5x5:{unit}" for unit in range(0, 48, 4)]
    early = banding(reduced_kernels(expanded_weights(network, "mixed4a_5x5_bottleneck", middle)))
    assert early.rows < 0.5
