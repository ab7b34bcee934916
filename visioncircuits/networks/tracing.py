"""A module's forward pass, traced to a graph of torch functions.

The module runs twice, on two and on three pictures, under a `TorchFunctionMode` that records every
call of a torch function. The two runs differ in the size of the batch alone, so that the graph
holds for any. Python code around the calls (loops, conditions on sizes, lists) is simply run and
needs no support: `torch.fx` rejects conditions on sizes, `torch.export` takes seconds a size and
loses the functions at which gradients are replaced. A part that cannot be recorded, because it
reads values or bypasses torch functions (scripted functions, custom gradients), stays a call of
its smallest module.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from visioncircuits.networks.graph import Graph
from visioncircuits.networks.nodes import BatchSize, Parameter, Value
from visioncircuits.networks.recording import Record, Untraceable, record

BATCHES = 2, 3
"""The sizes of the batches that are run."""


def trace(module: nn.Module, pictures: Tensor) -> Graph:
    """Trace what a module computes for pictures of one size.

    The module stays as it is (training mode, buffers, hooks, gradients, layout), as do torch's
    generators.

    Parameters
    ----------
    module
        Any module. It is run as in evaluation.
    pictures
        Its input, preprocessed: `(1, channels, height, width)`; only shape, dtype and device
        matter.

    Returns
    -------
    Graph
        Modules that could not be traced are single nodes of it. Where a torch function fails, as
        on a picture too small for it, the graph ends before it.

    Raises
    ------
    Untraceable
        Where not even the whole module can be recorded as one call.

    Examples
    --------
    >>> graph = trace(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), torch.zeros(1, 3, 8, 8))
    >>> list(graph.places)
    ['input', '0.conv2d', '0', '1.relu', '1', 'output']
    """
    opaque = dict.fromkeys(_scripted(module), "is scripted")
    again = True  # what a first run keeps for later ones, such as indices, may make them differ
    while True:
        try:
            first, second = (
                record(module, pictures.expand(batch, -1, -1, -1), opaque) for batch in BATCHES
            )
            return _merged(module, first, second, opaque)
        except Untraceable as found:
            if again:
                again = False
            elif found.scope in opaque:  # not possible as one call either: the next module up
                parent = found.scope.rpartition(".")[0]
                if not found.scope:
                    raise
                opaque[parent] = found.reason
            else:
                opaque[found.scope] = found.reason


def structure(module: nn.Module) -> list[Any]:
    """Return what a trace depends on beside values: the modules and their hooks.

    It is called in every pass, and `module.modules()`, which makes names, takes twice as long.
    """
    found: list[Any] = []
    seen = {id(module)}
    waiting = [module]
    while waiting:
        child = waiting.pop()
        if isinstance(child, torch.jit.ScriptModule):
            continue
        found.append((id(child), *child._forward_pre_hooks, *child._forward_hooks))
        for part in child._modules.values():
            if part is not None and id(part) not in seen:
                seen.add(id(part))
                waiting.append(part)
    return found


def _merged(module: nn.Module, first: Record, second: Record, opaque: dict[str, str]) -> Graph:
    """Merge the records of two batch sizes to the graph that holds for any."""
    for index, (one, other) in enumerate(zip(first.nodes, second.nodes, strict=False)):
        scope = first.scopes[index]
        if one.function != other.function:
            raise Untraceable(scope, "takes another path for another number of pictures")
        try:
            args, kwargs = _merged_arguments((one.args, one.kwargs), (other.args, other.kwargs))
        except ValueError as error:
            raise Untraceable(scope, str(error)) from None
        first.nodes[index] = replace(one, args=args, kwargs=kwargs)
    if len(first.nodes) != len(second.nodes) or first.places != second.places:
        raise Untraceable("", "takes another path for another number of pictures")
    return Graph(
        module,
        first.nodes,
        first.places,
        frozenset(first.inner),
        dict(opaque),
        failure=first.failure,
    )


def _merged_arguments(one: Any, other: Any) -> Any:
    """Merge arguments of two runs; whole numbers that differ are taken to grow with the batch."""
    if type(one) is not type(other):
        raise ValueError("is given another kind of value for another number of pictures")
    if isinstance(one, Value | Parameter | Tensor | nn.Module):
        same = one is other if isinstance(one, Tensor) else one == other
        if not same:
            raise ValueError("uses a tensor that torch's functions did not make")
        return one
    if isinstance(one, slice):
        return slice(
            *_merged_arguments(
                [one.start, one.stop, one.step], [other.start, other.stop, other.step]
            )
        )
    if isinstance(one, tuple | list):
        if len(one) != len(other):
            raise ValueError("takes another path for another number of pictures")
        merged = [_merged_arguments(a, b) for a, b in zip(one, other, strict=True)]
        return merged if isinstance(one, list) else tuple(merged)
    if isinstance(one, dict):
        return {key: _merged_arguments(value, other[key]) for key, value in one.items()}
    if isinstance(one, int) and not isinstance(one, bool) and one != other:
        return BatchSize(other - one, one - BATCHES[0] * (other - one))
    if isinstance(one, int | float | str) and one != other and one == one:
        raise ValueError("computes with a number that depends on how many pictures there are")
    return one


def _scripted(module: nn.Module, path: str = "") -> Iterator[str]:
    """List the paths of the outermost scripted modules."""
    if isinstance(module, torch.jit.ScriptModule):
        yield path
        return
    for name, child in module.named_children():
        yield from _scripted(child, f"{path}.{name}" if path else name)
