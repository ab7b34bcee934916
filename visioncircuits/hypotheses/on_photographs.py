"""What a hypothesis expects of a detector on photographs."""

import math
from dataclasses import dataclass

from visioncircuits.errors import InputError, unknown
from visioncircuits.hypotheses import effects
from visioncircuits.hypotheses.prediction import Prediction
from visioncircuits.hypotheses.reader import FIELDS

READ = 0.5
"""The least share of a detector's strongest photographs in which the reader finds its shape.

Chosen on handwritten units and 100 photographs, before any trained unit was read: of a handwritten
curve detector's ten strongest photographs its own circuit reads all, a detector turned by 30
degrees .6 to 1, the opposite one none; of a handwritten line detector's .2 to .7 hold a curve.
The same bound serves the other readers. High-low frequency detectors turned by 45 degrees read .7
to 1 and line detectors turned by 15 degrees .3 to .9, so a line's orientation must fit closely.
"""


@dataclass(frozen=True)
class OnPhotographs:
    """What is expected of a detector on photographs; where it fails, the verdict is undecided.

    Attributes
    ----------
    deviations
        How far the best stimulus drives it at least, in standard deviations of its activation over
        photographs; 0 for any.
    reader
        The handwritten circuit that finds the shape where photographs activate it most: "curves",
        "lines" or "high-low"; "" for none.

    Raises
    ------
    InputError
        For a negative number and an unknown reader.

    Examples
    --------
    >>> [claim.bounds for claim in OnPhotographs(deviations=8, reader="curves").predictions]
    ['≥ 8', '≥ 0.5']
    """

    deviations: float = 0.0
    reader: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.deviations < math.inf:
            raise InputError(f"deviations must be a number from 0, not {self.deviations:g}")
        if self.reader and self.reader not in FIELDS:
            raise unknown("reader", self.reader, FIELDS)

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        """The same as predictions, of `effects.strength` and `effects.read`."""
        stated = []
        if self.deviations:
            claim = "its best stimulus stands out from photographs, in standard deviations"
            stated.append(Prediction(claim, effects.strength, least=self.deviations))
        if self.reader:
            claim = f"its strongest photographs hold the shape, by handwritten:{self.reader}"
            stated.append(Prediction(claim, effects.read, least=READ))
        return tuple(stated)
