"""The handwritten networks of the package, by name, as `handwritten:NAME` loads them."""

from pathlib import Path

from visioncircuits import errors
from visioncircuits.handwritten.boundaries import boundaries
from visioncircuits.handwritten.color import (
    black_and_white,
    color_center_surround,
    color_contrast,
)
from visioncircuits.handwritten.curves import LEFT_OUT, circles, curves, evolutes
from visioncircuits.handwritten.frequency import high_low
from visioncircuits.handwritten.gabors import gabors
from visioncircuits.handwritten.lines import line_divergence, lines
from visioncircuits.handwritten.storage import SUFFIX, read
from visioncircuits.networks.network import Network

CIRCUITS = {
    "curves": (curves, "Gabors, lines, early curves, curves: the curve circuit"),
    "high-low": (high_low, "high frequency on one side, low frequency on the other"),
    "lines": (lines, "lines of complex Gabors"),
    "gabors": (gabors, "Gabor energies, one stage: what other circuits are compared with"),
    "line-divergence": (line_divergence, "lines that diverge"),
    "circles": (circles, "curves around a center, facing outwards"),
    "evolutes": (evolutes, "curves around a center, facing inwards"),
    "color-contrast": (color_contrast, "one hue beside its opposite"),
    "color-center-surround": (color_center_surround, "one hue amid its opposite"),
    "black-and-white": (black_and_white, "contrast without color"),
    "boundaries": (boundaries, "lines, curves, frequency and color along one boundary"),
}


def load(name: str | Path) -> Network:
    """Build a handwritten network, as `visioncircuits.load("handwritten:NAME")` does, or read one.

    Parameters
    ----------
    name
        Of a circuit that `available` lists, or the path of a file that `save` wrote.

    Raises
    ------
    InputError
        For an unknown name, or a file without a handwritten network.

    Examples
    --------
    >>> load("curves").layer("mixed3b").units
    36

    A file that was saved:

    >>> import tempfile
    >>> from visioncircuits.handwritten import save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load(save(lines(), f"{folder}/lines.safetensors")).layer("mixed3a").units
    12
    """
    if Path(name).suffix == SUFFIX:
        return read(name)
    if str(name) not in CIRCUITS:
        raise errors.unknown("handwritten network", str(name), CIRCUITS)
    circuit, _ = CIRCUITS[str(name)]
    return circuit()


def available() -> dict[str, str]:
    """Return the names that `load` accepts, each with a one-line description.

    Examples
    --------
    >>> list(available())[:2]
    ['curves', 'high-low']
    """
    return {name: about for name, (_, about) in CIRCUITS.items()}


def incomplete(name: str) -> dict[str, Network]:
    """Build a handwritten network without each of its parts, to test what the part is for.

    Returns
    -------
    dict
        Of what is left out to the network without it; empty for all but "curves".

    Raises
    ------
    InputError
        For an unknown name.

    Examples
    --------
    >>> list(incomplete("curves"))[:3], incomplete("lines")
    (['color', 'phase', 'normalization'], {})
    """
    if name not in CIRCUITS:
        raise errors.unknown("handwritten network", name, CIRCUITS)
    parts = LEFT_OUT if name == "curves" else {}
    return {part: curves(**parameters) for part, parameters in parts.items()}
