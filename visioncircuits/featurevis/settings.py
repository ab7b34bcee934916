"""How to optimize, as a record that can be written down and read back."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.featurevis.objectives import Objective
from visioncircuits.featurevis.parameterizations import (
    Fourier,
    Laplacian,
    Maco,
    Parameterization,
    Pixels,
    Transparent,
)
from visioncircuits.featurevis.transforms import Robustness
from visioncircuits.numbers import real, whole

Maps = Float[Tensor, "batch channels height width"]

LARGEST = 8192
"""Pixels of a side, at most: of a larger one no machine holds what is kept for the gradient."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Settings:
    """How to optimize.

    Attributes
    ----------
    size
        Side of the picture in pixels.
    input_size
        Side of what the network sees of it; the picture's own by default.
    steps
        How many steps of Adam.
    rate
        Their length.
    warmup
        Over how many first steps the length rises to that, a quarter of them at most. Adam's
        first steps are equally long for every frequency, and in phase where the gradient comes
        from: taken in full they draw a speck that nothing removes.
    parameterization
        How the picture is written down; a `param_f` of lucent's is taken as it is.
    robustness
        How it is moved at random before the network sees it.
    redirected
        How often a picture's objective must have been above 0 until rectifiers no longer let
        blocked gradients through.
    averaged_pools
        Whether max pools have the gradient of average pools.
    penalty
        Added to every objective in proportion to what that has reached, such as
        `objectives.l2(2)`: so it means the same to loud units and to quiet ones.
    start
        Pictures `(1, channels, height, width)` in [0, 1] to start from instead of noise.
    seed
        Fixes the result, together with the objective's name; a whole number of 64 bits.

    Raises
    ------
    InputError
        For a value that cannot be.
    """

    size: int = 128
    input_size: int | None = None
    steps: int = 256
    rate: float = 0.05
    warmup: int = 32
    parameterization: Parameterization | Callable[[], Any] = Fourier()
    robustness: Robustness = Robustness()
    redirected: int = 16
    averaged_pools: bool = False
    penalty: Objective | None = None
    start: Maps | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        checked: dict[str, Any] = {
            "size": whole("size", self.size, least=1, most=LARGEST),
            "steps": whole("steps", self.steps, least=1),
            "rate": real("rate", self.rate, least=0, open=True),
            "warmup": whole("warmup", self.warmup, least=0),
            "redirected": whole("redirected", self.redirected, least=0),
            "seed": whole("seed", self.seed, least=0, most=2**64 - 1),
        }
        if self.input_size is not None:
            checked["input_size"] = whole("input_size", self.input_size, least=1, most=LARGEST)
        for name, value in checked.items():  # numpy's whole numbers are no JSON
            object.__setattr__(self, name, value)
        kinds: dict[str, Any] = {
            "robustness": Robustness,
            "averaged_pools": bool,
            "penalty": Objective | None,
            "start": Tensor | None,
        }
        for name, kind in kinds.items():
            if not isinstance(value := getattr(self, name), kind):
                told = getattr(kind, "__name__", str(kind))
                raise InputError(f"{name} must be of {told}, not {value!r}")
        drawn = self.parameterization
        if not (isinstance(drawn, Parameterization) or callable(drawn)):
            raise InputError(f"parameterization must be one such as Fourier(), not {drawn!r}")
        if self.start is not None and not _is_picture(self.start):
            raise InputError(
                "start must be one floating-point picture (1, channels, height, width) in [0, 1], "
                f"not {tuple(self.start.shape)} of {self.start.dtype}"
            )

    def record(self) -> dict[str, Any]:
        """Give the settings as plain data; penalties and tensors by name."""
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], **given: Any) -> "Settings":
        """Read what `record` gave.

        Parameters
        ----------
        record
            The settings of a visualization: `visualization.record["settings"]`.
        given
            The fields that a record names without holding them: a penalty, a starting picture, a
            parameterization with a spectrum or from elsewhere. They must be what it names.

        Raises
        ------
        InputError
            Where such a field is not given, or is not the one that was used.

        Examples
        --------
        >>> from visioncircuits.featurevis import objectives
        >>> record = Settings(steps=8, penalty=objectives.l2(2)).record()
        >>> Settings.from_record(record, penalty=objectives.l2(2)).steps
        8
        """
        for name, value in given.items():
            if _plain(value) != record[name]:
                raise InputError(f"the {name} given is not the one recorded: {record[name]!r}")
        rest = {name: _built(name, value) for name, value in record.items() if name not in given}
        return cls(**rest, **given)


def _is_picture(start: Tensor) -> bool:
    """Say whether pixels can be started from."""
    if start.ndim != 4 or len(start) != 1 or not start.is_floating_point():
        return False
    return bool(((start >= 0) & (start <= 1)).all())


_KINDS = {
    kind.__name__: kind for kind in (Fourier, Laplacian, Maco, Pixels, Transparent, Robustness)
}


def _built(field: str, value: Any) -> Any:
    """Undo `_plain`."""
    if isinstance(value, Mapping):
        fields = {name: _built(field, inner) for name, inner in value.items() if name != "kind"}
        return _KINDS[value["kind"]](**fields)
    if isinstance(value, str):
        raise InputError(f"the record names its {field} without holding it: give {field}=…")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Objective):
        return value.name
    if isinstance(value, Tensor):
        digest = hashlib.sha256(value.detach().cpu().contiguous().numpy().tobytes()).hexdigest()
        return f"tensor {tuple(value.shape)} sha256 {digest}"
    if is_dataclass(value) and not isinstance(value, type):
        fields = {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
        return {"kind": type(value).__name__, **fields}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    # What somebody else wrote is named by where it is written.
    written = value if hasattr(value, "__qualname__") else type(value)
    return f"{written.__module__}.{written.__qualname__}"
