"""Calls of torch operations, as they are linearized."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Call:
    """One call of a torch operation.

    Attributes
    ----------
    name
        In `torch.ops.aten`, without the underscore of in-place operations.
    arguments
        By the names in the operation's schema and in its order, defaults included.
    inputs
        The arguments that depend on the pictures.
    shapes
        Of the inputs before the call, without the batch.
    outputs
        The tensors that it returned.
    makers
        The names of the operations that computed the inputs.
    again
        Calls the operation with another first argument.
    """

    name: str
    arguments: Mapping[str, Any]
    inputs: Sequence[Tensor]
    shapes: Sequence[tuple[int, ...]]
    outputs: Sequence[Tensor]
    makers: Sequence[str] = ()
    again: Callable[[Tensor], Tensor] = torch.clone

    def channels_first(self) -> "Call":
        """Return the call as if it were of maps whose channels come first, not last."""
        inputs = {id(tensor): _first(tensor) for tensor in self.inputs}
        return replace(
            self,
            arguments={
                name: inputs.get(id(value), _first(value)) for name, value in self.arguments.items()
            },
            inputs=[inputs[id(tensor)] for tensor in self.inputs],
            shapes=[(shape[2], *shape[:2]) if len(shape) == 3 else shape for shape in self.shapes],
            outputs=[_first(tensor) for tensor in self.outputs],
        )


def named_arguments(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by name, with the defaults that torch leaves out.

    Examples
    --------
    >>> x = torch.zeros(1, 1, 4, 4)
    >>> arguments = named_arguments(torch.ops.aten.avg_pool2d.default, [x, [2, 2]], {})
    >>> arguments["kernel_size"], arguments["count_include_pad"]
    ([2, 2], True)
    """
    return {
        argument.name: args[at]
        if at < len(args)
        else kwargs.get(argument.name, argument.default_value)
        for at, argument in enumerate(func._schema.arguments)
    }


def _first(value: Any) -> Any:
    """Return a tensor with its channels first, where it has them last; anything else as it is."""
    if not isinstance(value, Tensor):
        return value
    if value.ndim == 4:
        return value.permute(0, 3, 1, 2)
    return value[:, None, None] if value.ndim == 1 else value
