"""Short representations of records."""

from dataclasses import MISSING, Field, fields
from typing import Any

from torch import Tensor


def brief(record: Any) -> str:
    """Represent a dataclass by the fields that differ from their defaults; a tensor by its shape.

    A class uses it as `__repr__ = brief`.

    Examples
    --------
    >>> from visioncircuits.featurevis import Transforms
    >>> brief(Transforms(jitter=2))
    'Transforms(jitter=2)'
    """
    differing = (
        f"{field.name}={_shown(value)}"
        for field in fields(record)
        if not _same(value := getattr(record, field.name), _default(field))
    )
    return f"{type(record).__name__}({', '.join(differing)})"


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _same(value: Any, default: Any) -> bool:
    return value is default or (not isinstance(value, Tensor) and bool(value == default))


def _shown(value: Any) -> str:
    return f"tensor{tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
