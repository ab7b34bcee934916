"""High-low frequency detectors by formula.

Source: Schubert et al., "High-Low Frequency Detectors" (2021): the trained units factor into one
group of units for high frequencies and one for low ones, with opposite spatial weights.
"""

from visioncircuits.handwritten.circuit import Stage, build
from visioncircuits.handwritten.early_vision import GRAY, complex_gabors, gabors, merged
from visioncircuits.handwritten.labels import Label, around
from visioncircuits.handwritten.rules import pooled, sided
from visioncircuits.networks.network import Network

ORIENTATIONS = 16


def high_low() -> Network:
    """Build the high-low frequency detectors of mixed3a, in 16 orientations.

    Returns
    -------
    Network
        `conv2d2` has one unit for each factor, `mixed3a` the detectors in steps of 22.5 degrees; an
        orientation points to the high frequency.

    Examples
    --------
    >>> from visioncircuits.handwritten.circuit import labels
    >>> print(labels(high_low(), "mixed3a")[4])
    high-low 90°
    """
    return build("handwritten:high-low", high_low_stages())


def high_low_stages(*, size: int = 5) -> list[Stage]:
    """Return the stages: fine and coarse Gabors, their sums, factors, detectors.

    Parameters
    ----------
    size
        Of the detectors' kernels, in positions.
    """
    fine = gabors(kind="fine gabor", hues=GRAY, wavelength=4.0, width=1.2)
    coarse = gabors(kind="coarse gabor", hues=GRAY, wavelength=16.0, length=3.0, width=3.0)
    return [
        merged(fine, coarse),
        merged(*(complex_gabors(gabor=f"{scale} gabor", inhibition=0.0) for scale in SCALES)),
        factors(),
        detectors(size=size),
    ]


SCALES = ("fine", "coarse")


def factors(*, inhibition: float = 1.0) -> Stage:
    """Pool all orientations of one scale, inhibited by the other: conv2d2, 3x3.

    Parameters
    ----------
    inhibition
        By the other scale.
    """
    excite, inhibit = pooled(width=4.0), pooled(width=4.0, gain=-inhibition)
    return Stage(
        layer="conv2d2",
        units=[Label("high frequency"), Label("low frequency")],
        rules={
            ("complex fine gabor", "high frequency"): excite,
            ("complex coarse gabor", "high frequency"): inhibit,
            ("complex coarse gabor", "low frequency"): excite,
            ("complex fine gabor", "low frequency"): inhibit,
        },
        size=3,
        pool=True,
    )


def detectors(*, size: int = 5) -> Stage:
    """Detect high frequency on one side and low frequency on the other: mixed3a."""
    return Stage(
        layer="mixed3a",
        units=around("high-low", ORIENTATIONS),
        rules={
            ("high frequency", "high-low"): sided(width=8.0),
            ("low frequency", "high-low"): sided(width=8.0, gain=-1.0),
        },
        size=size,
    )
