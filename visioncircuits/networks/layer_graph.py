"""A network defined by its named layers."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from visioncircuits import errors
from visioncircuits.errors import InputError
from visioncircuits.networks.graph import INPUT


class Concat(nn.Module):
    """Branches side by side, as channels.

    Examples
    --------
    >>> Concat()(torch.zeros(1, 2, 8, 8), torch.zeros(1, 3, 8, 8)).shape
    torch.Size([1, 5, 8, 8])
    """

    def forward(self, *branches: Tensor) -> Tensor:
        """Join `(batch, channels_i, height, width)` along the channels."""
        return torch.cat(branches, dim=1)


@dataclass(frozen=True)
class Step:
    """An operation on earlier layers, as `LayerGraph` takes it.

    Examples
    --------
    >>> Step(nn.ReLU(), ("edges_pre_relu",))
    Step(operation=ReLU(), inputs=('edges_pre_relu',))
    """

    operation: nn.Module
    inputs: tuple[str, ...]


class LayerGraph(nn.Module):
    """A module whose every layer has a name.

    Modules are registered under their layers' names: apart from that it is an ordinary module.

    Parameters
    ----------
    nodes
        Layers in an order in which each follows its inputs; `"input"` names the input.
    output
        The layer that calling the network returns.

    Raises
    ------
    InputError
        Where a layer's input does not come before it, or there is no layer `output`.

    Examples
    --------
    >>> graph = LayerGraph(
    ...     {
    ...         "edges_pre_relu": Step(nn.Conv2d(3, 4, 3), ("input",)),
    ...         "edges": Step(nn.ReLU(), ("edges_pre_relu",)),
    ...     },
    ...     output="edges",
    ... )
    >>> graph(torch.zeros(1, 3, 8, 8)).shape
    torch.Size([1, 4, 6, 6])
    """

    def __init__(self, nodes: Mapping[str, Step], *, output: str) -> None:
        super().__init__()
        self.output = output
        self.sources: dict[str, tuple[str, ...]] = {}
        for name, node in nodes.items():
            for source in node.inputs:
                if source != INPUT and source not in self.sources:
                    raise InputError(
                        f"layer {name!r} takes {source!r}, which is not a layer before it; list "
                        f"layers in the order in which they are computed"
                    )
            self.sources[name] = node.inputs
            self.add_module(name, node.operation)
        if output not in self.sources:
            raise errors.unknown("output layer", output, self.sources)

    def forward(self, inputs: Float[Tensor, "batch channels height width"]) -> Tensor:
        """Compute every layer, even those that the output does not need, and return the output.

        A trace has each layer as a place; a run of it computes only what it reads.
        """
        values = {INPUT: inputs}
        for name, sources in self.sources.items():
            values[name] = self.operation(name)(*(values[source] for source in sources))
        return values[self.output]

    def operation(self, layer: str) -> nn.Module:
        """Return the module that computes a layer from its inputs."""
        return self._modules[layer]  # type: ignore[return-value]
