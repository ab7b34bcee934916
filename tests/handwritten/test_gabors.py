"""Gabor energies against a numpy twin that knows nothing of stages."""

import numpy as np
import pytest
import torch

from visioncircuits import handwritten
from visioncircuits.handwritten import labels
from visioncircuits.stimuli import sinusoidal_grating


def test_an_energy_is_that_of_an_even_and_an_odd_filter() -> None:
    network = handwritten.gabors(orientations=4, wavelengths=(8.0,), hues=(None,))
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    found = network.activations(picture, ["energies"])["energies"][0, :, 4, 4]
    y, x = np.mgrid[-6:7, -6:7]
    window = np.exp(-(x**2 + y**2) / (2 * 3.2**2))
    patch = picture[0, :, 32:45, 32:45].sum(0).numpy()
    for turn, energy in zip(np.deg2rad([0, 45, 90, 135]), found.numpy(), strict=True):
        cycle = 2 * np.pi / 8 * (y * np.cos(turn) - x * np.sin(turn))
        kernels = [
            window * wave - window * (window * wave).sum() / window.sum()
            for wave in (np.cos(cycle), np.sin(cycle))
        ]
        expected = sum(abs((k * patch).sum()) / k.clip(0).sum() for k in kernels)
        assert energy == pytest.approx(expected, rel=1e-4)


def test_a_grating_drives_its_own_orientation_and_wavelength_most(circuit, responses) -> None:
    units = labels(circuit("gabors"), "energies")
    for turn, period in ((30.0, 5.5), (105.0, 14.5)):
        shown = sinusoidal_grating(orientation=turn, period=period, size=45).picture
        best = units[int(responses(circuit("gabors"), "energies", shown)[0].argmax())]
        assert (best.orientation, best.wavelength, best.hue) == (turn, period, None)


def test_less_the_local_contrast_energies_of_all_orientations_sum_to_zero() -> None:
    network = handwritten.gabors(wavelengths=(10.0,), hues=(None,), inhibition=1.0)
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    found = network.activations(picture, ["energies_pre_relu"])["energies_pre_relu"]
    assert found.sum(1).abs().max() < 1e-4 < found.abs().mean()
