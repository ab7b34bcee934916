"""A family of stimuli: a function of keyword parameters that draws a batch of them."""

import hashlib
import inspect
import marshal
from collections.abc import Callable
from typing import get_args

from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.stimuli.stimulus import Stimulus

Family = Callable[..., Stimulus | Tensor]
"""A function of keyword parameters that draws a batch of stimuli, or of bare pictures."""


def parameters_of(family: Family) -> list[str] | None:
    """Names of the keywords that a family takes; None if it takes any.

    Examples
    --------
    >>> from visioncircuits.stimuli import edge
    >>> parameters_of(edge)
    ['orientation', 'ink', 'ground', 'x', 'y', 'size', 'device']
    """
    names: list[str] = []
    for parameter in inspect.signature(family).parameters.values():
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            names.append(parameter.name)
        elif unpacked := get_args(parameter.annotation):
            names.extend(unpacked[0].__annotations__)
        else:
            return None
    return names


def name_of(family: Family) -> str:
    name = getattr(family, "__name__", None)
    if name is None:
        raise InputError(
            f"a family needs a name, which {family!r} has not; define a function, and give what "
            "does not vary as fixed"
        )
    return str(name)


def fingerprint(family: Family) -> str:
    """SHA-256 of a family's source, or of its byte code where the source is not kept."""
    function = inspect.unwrap(family)
    try:
        text = inspect.getsource(function if inspect.isroutine(function) else type(function))
        return hashlib.sha256(text.encode()).hexdigest()
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
    if code is None:
        raise InputError(f"{name_of(family)} has no source to record; define a function in a file")
    return hashlib.sha256(marshal.dumps(code)).hexdigest()
