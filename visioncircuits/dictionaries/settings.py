"""The settings of training, which can be recorded."""

from dataclasses import dataclass
from typing import Any

from visioncircuits import errors
from visioncircuits.dictionaries.normalization import KINDS
from visioncircuits.numbers import real, whole
from visioncircuits.records import brief


@dataclass(frozen=True, kw_only=True, repr=False)
class Settings:
    """The settings of a dictionary's training.

    Attributes
    ----------
    steps
        Number of steps of Adam.
    batch
        Activations in each.
    rate
        Their learning rate.
    warmup
        Share of the steps, the first, over which the rate and a method's penalty rise linearly.
    decay
        Share of the steps, the last, over which the rate falls linearly to 0. Whether training
        converged is judged before.
    auxiliary
        Weight of the loss with which atoms that are dead learn what the others leave over (Gao et
        al. 2024); 0 for none.
    dead_after
        Steps in a row without a code after which an atom counts as dead.
    normalization
        Of activations: "none", "scale" or "units"; see `Normalization`. Penalties and thresholds
        are of normalized activations.
    seed
        Determines the result, with the activations.

    Raises
    ------
    InputError
        If a value is out of range.

    Examples
    --------
    >>> Settings(steps=2000, normalization="units")
    Settings(steps=2000, normalization='units')
    """

    steps: int = 10_000
    batch: int = 1024
    rate: float = 1e-3
    warmup: float = 0.05
    decay: float = 0.2
    auxiliary: float = 1 / 32
    dead_after: int = 100
    normalization: str = "scale"
    seed: int = 0

    __repr__ = brief

    def __post_init__(self) -> None:
        checked: dict[str, Any] = {
            "steps": whole("steps", self.steps, least=1),
            "batch": whole("batch", self.batch, least=1),
            "rate": real("rate", self.rate, least=0, open=True),
            "warmup": real("warmup", self.warmup, least=0, most=0.5),
            "decay": real("decay", self.decay, least=0, most=0.5),
            "auxiliary": real("auxiliary", self.auxiliary, least=0),
            "dead_after": whole("dead_after", self.dead_after, least=1),
            "seed": whole("seed", self.seed, least=0, most=2**32 - 1),
        }
        for name, value in checked.items():  # numpy's integers are not JSON
            object.__setattr__(self, name, value)
        if self.normalization not in KINDS:
            raise errors.unknown("normalization", self.normalization, KINDS)

    def at(self, step: int) -> tuple[float, float]:
        """Return the learning rate of a step, and the share of a penalty that counts in it."""
        begun = min((step + 1) / max(self.warmup * self.steps, 1), 1.0)
        left = min((self.steps - step) / max(self.decay * self.steps, 1), 1.0)
        return self.rate * min(begun, left), begun
