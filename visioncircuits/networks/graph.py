"""A network written down as named layers, computed only as far as asked."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from visioncircuits import errors
from visioncircuits.errors import InputError

INPUT = "input"


class Concat(nn.Module):
    """Branches side by side, as channels."""

    def forward(self, *branches: Tensor) -> Tensor:
        """Join `(batch, channels_i, height, width)` along the channels."""
        return torch.cat(branches, dim=1)


@dataclass(frozen=True)
class Node:
    """A named layer: an operation on earlier layers."""

    operation: nn.Module
    inputs: tuple[str, ...]


class LayerGraph(nn.Module):
    """A network whose every layer has a name and can be had without the rest.

    Only what a layer depends on is computed to get it: not the layers after it, nor the
    branches beside it. Modules are registered under their layers' names, so that hooks and
    `state_dict` see an ordinary module.

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
    ...         "edges_pre_relu": Node(nn.Conv2d(3, 4, 3), ("input",)),
    ...         "edges": Node(nn.ReLU(), ("edges_pre_relu",)),
    ...     },
    ...     output="edges",
    ... )
    >>> graph(torch.zeros(1, 3, 8, 8)).shape
    torch.Size([1, 4, 6, 6])
    """

    def __init__(self, nodes: Mapping[str, Node], *, output: str) -> None:
        super().__init__()
        self.output = output
        self.sources: dict[str, tuple[str, ...]] = {}
        for name, node in nodes.items():
            for source in node.inputs:
                if source != INPUT and source not in self.sources:
                    raise InputError(
                        f"layer {name!r} takes {source!r}, which is no layer before it; list "
                        f"layers in the order in which they are computed"
                    )
            self.sources[name] = node.inputs
            self.add_module(name, node.operation)
        if output not in self.sources:
            raise errors.unknown("output layer", output, self.sources)

    def forward(self, inputs: Tensor) -> Tensor:
        """Compute the network's output."""
        return self.compute(inputs, [self.output])[self.output]

    def operation(self, layer: str) -> nn.Module:
        """Give the module that computes a layer from its inputs."""
        return self._modules[layer]  # type: ignore[return-value]

    def compute(self, inputs: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Compute the layers asked for, and what they need, freeing the rest on the way.

        Parameters
        ----------
        inputs
            What the network takes, preprocessed: `(batch, channels, height, width)`.
        layers
            Names of layers; `"input"` gives the input back.

        Returns
        -------
        dict
            Layer name to its value, for the layers asked for and no others.

        Raises
        ------
        InputError
            For an unknown layer, with the nearest names.
        """
        wanted = set(layers)
        needed = self._ancestors(wanted)
        uses = Counter(source for name in needed for source in self.sources[name])
        values = {INPUT: inputs}
        for name, sources in self.sources.items():
            if name not in needed:
                continue
            operation = self.operation(name)
            taken = [values[source] for source in sources]
            if getattr(operation, "inplace", False) and not (
                # What a convolution gives is new; others may hand on what they were given.
                isinstance(self._modules.get(sources[0]), nn.Conv2d)
                and uses[sources[0]] == 1
                and sources[0] not in wanted
            ):
                taken = [taken[0].clone()]
            values[name] = operation(*taken)
            for source in sources:
                uses[source] -= 1
                if not uses[source] and source not in wanted:
                    del values[source]
        return {name: values[name] for name in wanted}

    def compute_all(self, inputs: Tensor) -> dict[str, Tensor]:
        """Compute every layer, those too that the output does not need."""
        return self.compute(inputs, self.sources)

    def compute_units(
        self, inputs: Tensor, units: Mapping[str, Int64[Tensor, "_"]]
    ) -> dict[str, Float[Tensor, "batch ..."]]:
        """Compute some units of layers, without the kernels of their siblings.

        The last convolution before each of them is done for those units alone, which for one
        unit of an inception module costs a fraction of the module. Hooks on that convolution are
        not called.

        Parameters
        ----------
        inputs
            What the network takes, preprocessed: `(batch, channels, height, width)`.
        units
            Layer name to at least one of its units, counted from 0, in any order.

        Returns
        -------
        dict
            Layer name to `(batch, len(units), rows, columns)`, in the order asked for: what
            indexing `compute` gives, to float rounding.
        """
        needed = {leaf for layer, indices in units.items() for leaf in self._leaves(layer, indices)}
        values = self.compute(inputs, needed - {INPUT}) | {INPUT: inputs}
        return {layer: self._select(values, layer, indices) for layer, indices in units.items()}

    def _ancestors(self, layers: set[str]) -> set[str]:
        found: set[str] = set()
        stack = [layer for layer in layers if layer != INPUT]
        while stack:
            name = stack.pop()
            if name not in self.sources:
                raise errors.unknown("layer", name, self.sources)
            if name not in found:
                found.add(name)
                stack.extend(source for source in self.sources[name] if source != INPUT)
        return found

    def _leaves(self, layer: str, units: Tensor) -> set[str]:
        """Name the layers that `_select` takes whole."""
        match self._modules.get(layer):
            case Concat():
                parts = self._split(layer, units)
                return {leaf for name, part, _ in parts for leaf in self._leaves(name, part)}
            case nn.ReLU():
                return self._leaves(self.sources[layer][0], units)
            case nn.Conv2d(groups=1):
                return {self.sources[layer][0]}
        return {layer}

    def _select(self, values: dict[str, Tensor], layer: str, units: Tensor) -> Tensor:
        match operation := self._modules.get(layer):
            case Concat():
                parts = self._split(layer, units)
                joined = torch.cat([self._select(values, n, part) for n, part, _ in parts], dim=1)
                order = torch.cat([places for _, _, places in parts])
                return joined[:, order.argsort()]
            case nn.ReLU():
                return operation(self._select(values, self.sources[layer][0], units))
            case nn.Conv2d(groups=1):
                rows = units.to(operation.weight.device)
                bias = None if operation.bias is None else operation.bias[rows]
                return operation._conv_forward(
                    values[self.sources[layer][0]], operation.weight[rows], bias
                )
        return values[layer][:, units.to(values[layer].device)]

    def _split(self, layer: str, units: Tensor) -> list[tuple[str, Tensor, Tensor]]:
        """Share a concatenation's units out to its branches: name, units there, places here."""
        parts = []
        for name, span in self._spans(layer):
            places = ((units >= span.start) & (units < span.stop)).nonzero().flatten()
            if len(places):
                parts.append((name, units[places] - span.start, places))
        return parts

    def _spans(self, layer: str) -> list[tuple[str, range]]:
        widths = [self.width(name) for name in self.sources[layer]]
        spans = (
            range(end - width, end) for width, end in zip(widths, accumulate(widths), strict=True)
        )
        return list(zip(self.sources[layer], spans, strict=True))

    def branches(self, layer: str) -> dict[str, range]:
        """Give the units of a concatenation that come from each of its inputs; {} for others."""
        return dict(self._spans(layer)) if isinstance(self._modules.get(layer), Concat) else {}

    def width(self, layer: str) -> int:
        """Count a layer's units, from the convolutions before it.

        The input's are those that the first convolution on it takes.
        """
        if layer == INPUT:
            takers = (self.operation(n) for n, sources in self.sources.items() if INPUT in sources)
            return next(taker.in_channels for taker in takers if isinstance(taker, nn.Conv2d))
        match operation := self._modules[layer]:
            case nn.Conv2d():
                return operation.out_channels
            case nn.Linear():
                return operation.out_features
            case Concat():
                return sum(self.width(name) for name in self.sources[layer])
        return self.width(self.sources[layer][0])
