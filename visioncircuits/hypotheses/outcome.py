"""What became of one prediction."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from visioncircuits.hypotheses.prediction import Prediction


@dataclass(frozen=True)
class Outcome:
    """The result of testing one prediction.

    Attributes
    ----------
    prediction
        What was predicted.
    effect
        What was measured; NaN where nothing drives the unit.
    interval
        95 %, bootstrapped over the variants.
    status
        `holds`, `fails` or `open`.
    rank
        The share of the layer's other units that fit the prediction at least as well.

    Examples
    --------
    >>> from visioncircuits.hypotheses import effects
    >>> claim = Prediction("responds to one direction only", effects.echo, most=0.1)
    >>> Outcome(claim, effect=0.02, interval=(0.0, 0.05), status="holds", rank=0.1)
    Outcome(holds: 'responds to one direction only', 0.02 in [0, 0.05], bound ≤ 0.1)
    """

    prediction: Prediction
    effect: float
    interval: tuple[float, float]
    status: str
    rank: float

    @property
    def margin(self) -> float:
        """How far the effect is within its bounds, relative to the bound; below 0 outside."""
        return float(self.prediction.margin(np.array([self.effect]))[0])

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"Outcome({self.status}: {self.prediction.claim!r}, {self.effect:.3g} in "
            f"[{low:.3g}, {high:.3g}], bound {self.prediction.bounds})"
        )

    def record(self) -> dict[str, Any]:
        """Describe it as JSON holds it: what is NaN or infinite is None."""
        return {
            "claim": self.prediction.claim,
            "status": self.status,
            "effect": finite(self.effect),
            "interval": [finite(end) for end in self.interval],
            "least": finite(self.prediction.least),
            "most": finite(self.prediction.most),
            "rank": finite(self.rank),
        }


def finite(value: Any) -> Any:
    """Return text and finite numbers as they are, and None for others."""
    if value is None or isinstance(value, str) or np.isfinite(value):
        return value
    return None
