"""A module's graphs and layers, traced once for each size of pictures."""

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from visioncircuits.errors import InputError
from visioncircuits.networks.definition import definition
from visioncircuits.networks.fixed_parameters import kept
from visioncircuits.networks.geometry import receptive_fields
from visioncircuits.networks.graph import OUTPUT, Graph
from visioncircuits.networks.hooked import Hooked
from visioncircuits.networks.layers import Layer, described
from visioncircuits.networks.recording import Untraceable
from visioncircuits.networks.tracing import structure, trace

Size = tuple[int, int]
"""Height and width in pixels."""

SHARED = 32
"""How many traces are kept for other networks of the same definition."""

_graphs: dict[Hashable, Graph] = {}
_layers: dict[Hashable, dict[str, Layer]] = {}


def like(module: nn.Module) -> Tensor:
    """Return a tensor of the device and dtype that a module computes in."""
    tensors = chain(module.parameters(), module.buffers())
    return next((t for t in tensors if t.is_floating_point()), torch.empty(0))


def outputs(graph: Graph | Hooked) -> list[str]:
    """List the places of a module's outputs."""
    return [name for name in graph.places if name.split(".")[0] == OUTPUT]


@dataclass(eq=False)
class Traces:
    """What a module computes, for every size of pictures that was needed so far.

    Attributes
    ----------
    module
        Any; it is traced anew once it has other submodules or hooks.
    name
        Of the network, for messages.
    channels
        Of a picture.
    usual
        The size of the pictures that the network was made for.
    """

    module: nn.Module
    name: str
    channels: int
    usual: Size
    _structure: list[Any] = field(default_factory=list, init=False, repr=False)
    _graphs: dict[Size, Graph | Hooked] = field(default_factory=dict, init=False, repr=False)
    _by_hooks: dict[Size, Hooked] = field(default_factory=dict, init=False, repr=False)
    _layers: dict[Size, dict[str, Layer]] = field(default_factory=dict, init=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be computed again; layers cost more to compute than to keep."""
        return self.__dict__ | {"_graphs": {}, "_by_hooks": {}, "_structure": []}

    def graph(self, size: Size, places: Sequence[str] = ()) -> Graph | Hooked:
        """Return the graph for pictures of a size: one that has all the places, if there is one.

        Raises
        ------
        InputError
            For a size at which the module fails before one of the places.
        """
        self._forget_outdated()
        if size not in self._graphs:
            graph = self._traced(size)
            if size == self.usual:
                self.check_whole(graph, size)
            self._graphs[size] = graph
        graph = self._graphs[size]
        if isinstance(graph, Graph) and not graph.places.keys() >= set(places):
            missing = [name for name in places if name not in graph.places]
            if graph.failure and any(name in self.layers(self.usual) for name in missing):
                self.check_whole(graph, size)
            if graph.opaque:  # the places may be inside of what could not be traced
                if size not in self._by_hooks:
                    reason = "; ".join(f"{path} {why}" for path, why in graph.opaque.items())
                    self._by_hooks[size] = Hooked.follow(self.module, self._blank(size), reason)
                return self._by_hooks[size]
        return graph

    def layers(self, size: Size) -> dict[str, Layer]:
        """Describe all layers for pictures of a size.

        Raises
        ------
        InputError
            For a size that the module cannot take.
        """
        self._forget_outdated()
        found = self.computed_layers(size)
        if graph := self._graphs.get(size):
            self.check_whole(graph, size)
        return found

    def computed_layers(self, size: Size) -> dict[str, Layer]:
        """Describe the layers that are computed before the module fails, if it does."""
        if size not in self._layers:
            self._layers[size] = self._described(size)
        return self._layers[size]

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Other names of modules that are registered more than once."""
        first = {child: path for path, child in self.module.named_modules()}
        every = self.module.named_modules(remove_duplicate=False)
        return {path: first[child] for path, child in every if path != first[child]}

    def check_whole(self, graph: Graph | Hooked, size: Size) -> None:
        """Raise where the module failed on pictures of this size."""
        if isinstance(graph, Graph) and graph.failure:
            with self._size_errors(size):
                raise graph.failure

    def _blank(self, size: Size) -> Tensor:
        tensor = like(self.module)
        return torch.zeros((1, self.channels, *size), device=tensor.device, dtype=tensor.dtype)

    def _forget_outdated(self) -> None:
        known = kept()
        if known is not None:
            if self in known:  # looked up in this context already
                return
            known[self] = {}
        now = structure(self.module)
        if now != self._structure:
            if self._structure:
                self._graphs, self._by_hooks, self._layers = {}, {}, {}
                self.__dict__.pop("aliases", None)
            self._structure = now

    def _traced(self, size: Size) -> Graph | Hooked:
        key = self._key(size)
        if shared := _graphs.get(key):
            return replace(shared, module=self.module, _plans={})
        blank = self._blank(size)
        try:
            graph = trace(self.module, blank)
        except AssertionError:  # the module's own, on what it cannot take
            with self._size_errors(size):
                raise
        except Untraceable as error:
            with self._size_errors(size):
                return Hooked.follow(self.module, blank, str(error))
        if key and not graph.failure:  # an error keeps the module, by its traceback
            _keep(_graphs, key, replace(graph, module=nn.Identity(), _plans={}))
        return graph

    def _key(self, size: Size) -> Hashable | None:
        """Return what networks of the same traces have in common, if that is known."""
        defined = definition(self.module)
        return defined and (defined, self.channels, size)

    @contextmanager
    def _size_errors(self, size: Size) -> Iterator[None]:
        """Turn a module's error into one of the pictures' size, where that is its cause."""
        try:
            yield
        except (torch.OutOfMemoryError, InputError):
            raise
        except (RuntimeError, ValueError, AssertionError) as error:
            first = str(error).partition("\n")[0] or type(error).__name__
            height, width = size
            if size == self.usual:
                if isinstance(error, ValueError):
                    raise
                raise InputError(
                    f"{self.name} fails on a picture of {height}x{width} pixels, the size stated "
                    f"for it ({first}); if it was made for another size, state that one"
                ) from error
            self.graph(self.usual)  # fails there too: the size is not the cause
            raise InputError(
                f"{self.name} cannot take pictures of {height}x{width} pixels ({first}); the size "
                f"stated for it is {'x'.join(map(str, self.usual))}"
            ) from error

    def _described(self, size: Size) -> dict[str, Layer]:
        key = self._key(size)
        if shared := _layers.get(key):
            return shared
        # within inference mode torch shows fewer of the operations that are followed
        with torch.inference_mode(False):
            picture = self._blank(size)
            graph = self.graph(size)
            found = receptive_fields(graph, picture)
            if isinstance(graph, Graph) and graph.opaque:
                inner = self.graph(size, ["inside of what could not be traced"])
                found = receptive_fields(inner, picture) | found
        layers = {name: described(name, geometry) for name, geometry in found.items()}
        if key in _graphs:
            _keep(_layers, key, layers)
        return layers


def _keep(kept: dict[Hashable, Any], key: Hashable, value: Any) -> None:
    if len(kept) >= SHARED:
        kept.clear()
    kept[key] = value
