"""How a family is computed from earlier families, if the theory is true: rules for kernels.

The rules are those that set the weights of the handwritten networks, with these networks'
constants. No constant was fitted to a trained weight.

Sources: "Curve Circuits" (Cammarata et al., 2021): excitation along the tangent, inhibition by the
opposite curve; "High-Low Frequency Detectors" (Schubert et al., 2021): two factors on opposite
sides; "An Overview of Early Vision" (Olah et al., 2020): circles, center-surround, boundaries.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from visioncircuits.errors import InputError
from visioncircuits.handwritten.boundaries import CUES
from visioncircuits.handwritten.contours import (
    arc,
    inward_ring,
    opposing_arc,
    opposing_rays,
    rays,
    ring,
)
from visioncircuits.handwritten.labels import Label
from visioncircuits.handwritten.plane import Positions
from visioncircuits.handwritten.rules import Rule, along, center_surround, sided, straight

Shape = Callable[[float], Rule]
"""Makes a rule of the pixels between neighboring neurons of the later layer."""

SHAPES: Mapping[str, Shape] = {
    "arc": lambda stride: along(
        arc, against=opposing_arc, spread=5 / 8 * stride, tolerance=20.0, inhibition=0.8
    ),
    "ring": lambda stride: along(
        ring, against=inward_ring, spread=3 / 8 * stride, tolerance=20.0, inhibition=0.8
    ),
    "inward ring": lambda stride: along(
        inward_ring, against=ring, spread=3 / 8 * stride, tolerance=20.0, inhibition=0.8
    ),
    "straight": lambda stride: straight(spread=stride / 2, tolerance=10.0, inhibition=2.0),
    "rays": lambda stride: along(
        rays, against=opposing_rays, spread=stride / 8, tolerance=15.0, inhibition=1.0
    ),
    "two sides": lambda stride: sided(width=stride),
    "center and surround": lambda stride: center_surround(width=3 / 4 * stride),
}
"""Where sources excite and inhibit, by name; lengths go with the later layer's stride."""


@dataclass(frozen=True)
class Derivation:
    """How a family's kernels follow from earlier families.

    Attributes
    ----------
    shape
        A key of `SHAPES`.
    gains
        The strength of each family of sources, by kind; negative to exchange excitation and
        inhibition.

    Examples
    --------
    A line that falls to the right excites an arch right of its apex, and inhibits it left of it:

    >>> arch, falling = Label("curve", 270.0, radius=30.0), Label("line", 30.0, 180.0)
    >>> kernel = DERIVATIONS["curve"].kernel(falling, arch, Positions.grid(3, 8.0), stride=8.0)
    >>> kernel[1].round(1).tolist()
    [-0.5, 0.1, 0.7]
    """

    shape: str
    gains: Mapping[str, float]

    def kernel(
        self, source: Label, target: Label, positions: Positions, *, stride: float
    ) -> Float64[np.ndarray, "height width"]:
        """Predict the kernel from one unit to another, up to a scale that all sources share.

        Parameters
        ----------
        source, target
            What the two units are claimed to detect.
        positions
            Of the kernel, relative to the target's receptive field, in pixels.
        stride
            Pixels between neighboring neurons of the target.

        Raises
        ------
        InputError
            Where the rule needs what a label lacks, such as a radius.
        """
        gain = self.gains[kind_of(source)]
        return gain * np.asarray(SHAPES[self.shape](stride)(source, target, positions))

    def rivals(self) -> dict[str, "Derivation"]:
        """Return the same sources in every other shape: rules of other families.

        Examples
        --------
        >>> list(DERIVATIONS["curve"].rivals())[:3]
        ['ring', 'inward ring', 'straight']
        """
        return {name: Derivation(name, self.gains) for name in SHAPES if name != self.shape}


DERIVATIONS: Mapping[str, Derivation] = {
    "curve": Derivation("arc", {"curve": 1.0, "line": 1.0}),
    "line": Derivation("straight", {"line": 1.0, "complex gabor": 1.0}),
    "line divergence": Derivation("rays", {"line": 1.0}),
    "circle": Derivation("ring", {"curve": 1.0}),
    "evolute": Derivation("inward ring", {"curve": 1.0}),
    "high-low": Derivation("two sides", {"high frequency": 1.0, "low frequency": -1.0}),
    "color-contrast": Derivation("two sides", {"hue": -1.0, "color-center-surround": -1.0}),
    "color-center-surround": Derivation(
        "center and surround", {"hue": 1.0, "color-center-surround": 1.0}
    ),
    "boundary": Derivation(
        "straight",
        {
            "line": CUES["line"],
            "curve": CUES["early curve"],
            "high-low": CUES["high-low"],
            "color-contrast": CUES["color contrast"],
        },
    ),
}
"""By the family that follows; of other families no rule is known here."""

_SAME: Mapping[str, str] = {
    "early curve": "curve",
    "curves": "curve",
    "tiny curves": "curve",
    "lines": "line",
    "line": "line",
    "complex fine gabor": "high frequency",
    "complex coarse gabor": "low frequency",
    "low frequency": "low frequency",
    "high-low frequency": "high-low",
    "circles / loops": "circle",
    "eyes / small circles": "circle",
    "color contrast": "color-contrast",
    "color contrast/gradient": "color-contrast",
    "color center-surround": "color-center-surround",
}
"""Names of families in handwritten networks and in "An Overview of Early Vision", by kind."""


def kind_of(label: Label | str) -> str:
    """Return the kind that rules know a family by.

    Examples
    --------
    >>> kind_of(Label("early curve", 90.0)), kind_of("Eyes / Small Circles"), kind_of("fur")
    ('curve', 'circle', 'fur')
    """
    name = label if isinstance(label, str) else label.kind
    return _SAME.get(name.lower(), name.lower())


def derived_from(kinds: set[str]) -> tuple[str, ...]:
    """Return the families that some rule derives from any of these.

    Examples
    --------
    >>> derived_from({"high frequency", "low frequency"})
    ('high-low',)
    """
    return tuple(kind for kind, each in DERIVATIONS.items() if kinds & each.gains.keys())


def kernels(
    derivation: Derivation,
    sources: list[Label],
    target: Label,
    positions: Positions,
    *,
    stride: float,
) -> Float64[np.ndarray, "sources height width"] | None:
    """Predict the kernels from several units; None where a label lacks what the rule needs.

    Examples
    --------
    >>> circle, curves = Label("circle", radius=8.0), [Label("curve", 0.0), Label("curve", 90.0)]
    >>> made = kernels(
    ...     DERIVATIONS["circle"], curves, circle, Positions.grid(3, 8.0), stride=8.0
    ... )
    >>> [tuple(map(int, np.unravel_index(each.argmax(), each.shape))) for each in made]
    [(1, 2), (2, 1)]
    """
    try:
        return np.stack([
            derivation.kernel(source, target, positions, stride=stride) for source in sources
        ])  # fmt: skip
    except InputError:
        return None
