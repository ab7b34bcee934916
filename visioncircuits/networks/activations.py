"""What a network's layers answer to pictures, and nothing computed that nobody asked for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from visioncircuits import errors
from visioncircuits.networks.graph import LayerGraph


class _Reached(Exception):
    """The last layer asked for has been computed."""


@contextmanager
def reading(module: nn.Module, layers: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Collect what `layers` give while `module` runs within this context.

    The forward pass is ended at the deepest of them: call the module inside the context and do
    not count on what it returns. Hooks leave with the context, whatever happens in it. A layer
    that runs more than once, as a block's only rectifier does, gives what it gave first.

    Parameters
    ----------
    module
        Any network.
    layers
        Dotted module paths, at least one.

    Yields
    ------
    dict
        Layer name to its value, filled while the module runs.

    Raises
    ------
    InputError
        For an unknown layer, with the nearest names.

    Examples
    --------
    >>> import torch
    >>> module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten())
    >>> with reading(module, ["1"]) as found:
    ...     _ = module(torch.zeros(1, 3, 8, 8))
    >>> found["1"].shape
    torch.Size([1, 4, 6, 6])
    """
    found: dict[str, Tensor] = {}
    wanted = dict.fromkeys(layers)

    def note(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if name in found:
                return
            if len(found) + 1 == len(wanted):
                found[name] = output
                raise _Reached
            found[name] = output.clone()  # a rectifier after it may work in place

        return hook

    children = {name: child for name, child in module.named_modules(remove_duplicate=False) if name}
    for name in wanted:
        if name not in children:
            raise errors.unknown("layer", name, children)
    hooks = [children[name].register_forward_hook(note(name)) for name in wanted]
    try:
        yield found
    except _Reached:
        pass
    finally:
        for hook in hooks:
            hook.remove()


def compute(module: nn.Module, inputs: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    """Run `module` as far as `layers` and give their values by name.

    `inputs` are what the module takes, preprocessed. Gradients flow where torch is recording.

    Raises
    ------
    InputError
        For an unknown layer, with the nearest names.
    """
    if not layers:
        return {}
    if isinstance(module, LayerGraph):
        return module.compute(inputs, layers)
    with reading(module, layers) as found:
        module(inputs)
    return found
