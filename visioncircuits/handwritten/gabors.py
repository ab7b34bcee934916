"""Gabor energies, one stage only: what a circuit of several stages must do better than.

Source: Adelson and Bergen, "Spatiotemporal energy models for the perception of motion" (1985): an
energy is of an even and an odd filter; here their rectified halves are summed, as those of the
complex Gabors of "Curve Circuits" (2021) are.
"""

from collections.abc import Sequence

import numpy as np

from visioncircuits.handwritten.circuit import HandwrittenNetwork, Stage, build
from visioncircuits.handwritten.early_vision import ORIENTATIONS
from visioncircuits.handwritten.labels import LINE, Label
from visioncircuits.handwritten.plane import Positions, Weights
from visioncircuits.handwritten.rules import wave

WAVELENGTHS = (4.0, 5.5, 7.6, 10.5, 14.5, 20.0)
"""Pixels, by steps of half an octave nearly."""

AXES: tuple[float | None, ...] = (None, 0.0, 60.0)
"""Gray, and the axes from red to cyan and from yellow to blue."""

PHASES = 4
"""An even and an odd filter, each with its negative."""

WINDOW = 0.4
"""The Gaussian's standard deviation, in wavelengths, along the stripes and across them."""

NOTHING = np.zeros((1, 1))

FIRST = 6
"""Pixels from the border to the middle of the first filter, as of the layers of InceptionV1."""


def gabors(
    *,
    orientations: int = ORIENTATIONS,
    wavelengths: Sequence[float] = WAVELENGTHS,
    hues: Sequence[float | None] = AXES,
    inhibition: float = 0.0,
    normalization: float | None = None,
) -> HandwrittenNetwork:
    """Build a single stage of Gabor energies, each over an even and an odd filter.

    Parameters
    ----------
    orientations
        Number of orientations, over 180 degrees.
    wavelengths
        Of the waves, in pixels; the window grows with them.
    hues
        Degrees on the circle of hues, each an axis through gray; `None` is gray itself.
    inhibition
        By the mean energy over orientations, of the same wavelength and hue; at 1 it is the energy
        less the local contrast.
    normalization
        The contrast, as activation, above which responses saturate; `None` for none.

    Returns
    -------
    HandwrittenNetwork
        Layers `waves` and `energies`, at the places of InceptionV1's mixed3a and mixed3b, every 8
        pixels. Units of `energies` are in the order of orientation, wavelength and hue: 216 by
        default.

    Examples
    --------
    >>> from visioncircuits.handwritten import labels
    >>> network = gabors()
    >>> print(network.layer("energies").units, labels(network, "energies")[18])
    216 gabor energy 15°, wavelength 4 px
    """
    turns = [LINE / orientations * step for step in range(orientations)]
    waves = [
        Label("gabor", turn, LINE, phase=360.0 / PHASES * step, wavelength=length, hue=hue)
        for turn in turns
        for length in wavelengths
        for hue in hues
        for step in range(PHASES)
    ]
    energies = [
        Label("gabor energy", turn, LINE, wavelength=length, hue=hue)
        for turn in turns
        for length in wavelengths
        for hue in hues
    ]

    size = 2 * round(1.9 * WINDOW * max(wavelengths)) + 1

    def energy(source: Label, target: Label, positions: Positions) -> Weights:
        if (source.wavelength, source.hue) != (target.wavelength, target.hue):
            return NOTHING
        share = float(source.orientation == target.orientation) - inhibition / orientations
        return np.array([[share]])

    return build(
        "handwritten:gabors",
        [
            Stage(
                layer="waves",
                units=waves,
                rules={("pixel", "gabor"): _scaled_wave},
                size=size,
                stride=8,
                padding=size // 2 - FIRST,
                normalization=normalization,
            ),
            Stage(
                layer="energies",
                units=energies,
                rules={("gabor", "gabor energy"): energy},
                size=1,
            ),
        ],
    )


def _scaled_wave(source: Label, target: Label, positions: Positions) -> Weights:
    """Weight pixels as `wave`, in a window that grows with the wavelength."""
    window = WINDOW * target.need("wavelength")
    return wave(length=window, width=window)(source, target, positions)
