"""The settings of an optimization, which can be recorded and read back."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.featurevis.maco import Maco
from visioncircuits.featurevis.objective import Objective
from visioncircuits.featurevis.parameterizations import (
    Fourier,
    Laplacian,
    Parameterization,
    Pixels,
)
from visioncircuits.featurevis.transforms import Transforms
from visioncircuits.featurevis.transparency import Transparent
from visioncircuits.numbers import real, whole
from visioncircuits.records import brief

Maps = Float[Tensor, "batch channels height width"]

LARGEST = 8192
"""Largest side in pixels; a larger picture exceeds memory in the backward pass."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Settings:
    """The settings of an optimization.

    Attributes
    ----------
    size
        Side of the picture in pixels.
    input_size
        Side of the network's input in pixels; by default that of the picture.
    steps
        Number of steps of Adam.
    rate
        Their learning rate.
    warmup
        Number of first steps over which the rate rises linearly, at most a quarter of all. Adam's
        first steps have equal length for every frequency, and are in phase at the source of the
        gradient: at the full rate they draw a speck that later steps do not remove.
    parameterization
        Parameterization of the picture; a `param_f` of lucent is accepted too.
    transforms
        Random transforms of the picture before the network.
    redirected_relu_steps
        Number of steps with an objective above 0 after which a picture's gradient no longer uses
        redirected ReLUs.
    averaged_pools
        Whether max pools have the gradient of average pools.
    penalty
        Added to every objective in proportion to its current value, such as `objectives.l2(2)`, so
        that its effect does not depend on the scale of a unit's activations.
    start
        Pictures `(1, channels, height, width)` in [0, 1] to start from instead of noise.
    seed
        Determines the result, together with the objective's name; a whole number of 64 bits.

    Raises
    ------
    InputError
        If a value is out of range.

    Examples
    --------
    >>> Settings(size=93, steps=512, transforms=Transforms(jitter=4))
    Settings(size=93, steps=512, transforms=Transforms(jitter=4))
    """

    size: int = 128
    input_size: int | None = None
    steps: int = 256
    rate: float = 0.05
    warmup: int = 32
    parameterization: Parameterization | Callable[[], Any] = Fourier()
    transforms: Transforms = Transforms()
    redirected_relu_steps: int = 16
    averaged_pools: bool = False
    penalty: Objective | None = None
    start: Maps | None = None
    seed: int = 0

    __repr__ = brief

    def __post_init__(self) -> None:
        checked: dict[str, Any] = {
            "size": whole("size", self.size, least=1, most=LARGEST),
            "steps": whole("steps", self.steps, least=1),
            "rate": real("rate", self.rate, least=0, open=True),
            "warmup": whole("warmup", self.warmup, least=0),
            "redirected_relu_steps": whole(
                "redirected_relu_steps", self.redirected_relu_steps, least=0
            ),
            "seed": whole("seed", self.seed, least=0, most=2**64 - 1),
        }
        if self.input_size is not None:
            checked["input_size"] = whole("input_size", self.input_size, least=1, most=LARGEST)
        for name, value in checked.items():  # numpy's integers are not JSON
            object.__setattr__(self, name, value)
        kinds: dict[str, Any] = {
            "transforms": Transforms,
            "averaged_pools": bool,
            "penalty": Objective | None,
            "start": Tensor | None,
        }
        for name, kind in kinds.items():
            if not isinstance(value := getattr(self, name), kind):
                allowed = getattr(kind, "__name__", str(kind))
                raise InputError(f"{name} must be of {allowed}, not {value!r}")
        drawn = self.parameterization
        if not (isinstance(drawn, Parameterization) or callable(drawn)):
            raise InputError(f"parameterization must be one such as Fourier(), not {drawn!r}")
        if self.start is not None and not _is_picture(self.start):
            raise InputError(
                "start must be one floating-point picture (1, channels, height, width) in [0, 1], "
                f"not {tuple(self.start.shape)} of {self.start.dtype}"
            )

    def record(self) -> dict[str, Any]:
        """Return the settings as plain data, with penalties and tensors by name."""
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], **given: Any) -> "Settings":
        """Return the settings of a `record`.

        Parameters
        ----------
        record
            The settings of a visualization: `visualization.record["settings"]`.
        given
            The fields that a record contains only by name: a penalty, a starting picture, a
            parameterization with a spectrum or from another library. They must match the names.

        Raises
        ------
        InputError
            If such a field is missing, or does not match.

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
    """Check whether a tensor is one picture in [0, 1]."""
    if start.ndim != 4 or len(start) != 1 or not start.is_floating_point():
        return False
    return bool(((start >= 0) & (start <= 1)).all())


_KINDS = {
    kind.__name__: kind for kind in (Fourier, Laplacian, Maco, Pixels, Transparent, Transforms)
}


def _built(field: str, value: Any) -> Any:
    """Invert `_plain`."""
    if isinstance(value, Mapping):
        fields = {name: _built(field, inner) for name, inner in value.items() if name != "kind"}
        return _KINDS[value["kind"]](**fields)
    if isinstance(value, str):
        raise InputError(f"the record contains its {field} only by name: pass {field}=…")
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
    # Objects of other libraries are named by where they are defined.
    defined = value if hasattr(value, "__qualname__") else type(value)
    return f"{defined.__module__}.{defined.__qualname__}"
