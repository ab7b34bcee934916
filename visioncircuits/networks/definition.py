"""What a module's traces depend on, so that networks of one definition share them."""

from collections.abc import Hashable
from itertools import chain
from typing import Any

from torch import nn

from visioncircuits.networks.layer_graph import LayerGraph

_KNOWN = "torch.nn.modules.", "visioncircuits.networks."
"""Where the classes are whose attributes decide what their forward pass calls."""


def definition(module: nn.Module) -> Hashable | None:
    """Return a key that modules with equal traces have in common, whatever their weights.

    It is None where a key cannot be relied on: for anything but a `LayerGraph` of modules of torch
    and of this package, without hooks.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> one, other = (untrained("bvlc_googlenet", seed=seed) for seed in (0, 1))
    >>> definition(one.module) == definition(other.module)
    True
    """
    if not isinstance(module, LayerGraph):
        return None
    children = []
    for path, child in module.named_modules(remove_duplicate=False):
        attributes = [(k, v) for k, v in vars(child).items() if k[0] != "_" and k != "training"]
        hooks = child._forward_pre_hooks or child._forward_hooks
        known = f"{type(child).__module__}.".startswith(_KNOWN)
        if hooks or not known or not _plain(attributes):
            return None
        children.append((path, type(child), repr(attributes)))
    first: dict[int, str] = {}  # one tensor may have several names
    tensors = [
        (first.setdefault(id(t), name), type(t), t.shape, t.dtype, t.device, t.is_inference())
        for name, t in chain(
            module.named_parameters(remove_duplicate=False),
            module.named_buffers(remove_duplicate=False),
        )
    ]
    return tuple(children), tuple(tensors)


def _plain(value: Any) -> bool:
    """Whether a value's text is all that there is of it."""
    if isinstance(value, dict):
        return _plain([*value.items()])
    if isinstance(value, list | tuple):
        return all(map(_plain, value))
    return value is None or isinstance(value, str | int | float)
