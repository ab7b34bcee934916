"""A network as the rest of the library sees it: layers by name, pictures in, answers out."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from types import MappingProxyType
from typing import Any, TypeVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from visioncircuits import errors
from visioncircuits.errors import InputError
from visioncircuits.networks import geometry, identity
from visioncircuits.networks.checkpoints import Checkpoint
from visioncircuits.networks.evaluation import evaluating
from visioncircuits.networks.features import Feature, parse
from visioncircuits.networks.graph import INPUT, OUTPUT, Change, Graph
from visioncircuits.networks.hooked import Hooked
from visioncircuits.networks.preprocessing import Preprocessing
from visioncircuits.networks.tracing import Untraceable, structure, trace

Pictures = Float[Tensor, "batch channels height width"]

AnyModule = TypeVar("AnyModule", bound=nn.Module)

PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}
"""What convolutions can be computed in."""


@dataclass(frozen=True)
class Layer:
    """What a layer is.

    Attributes
    ----------
    name
        As `Network.activations` takes it.
    units
        How many channels it has.
    stride
        Pixels between neighbouring neurons, down and right; 0 after global pooling.
    receptive_field
        Pixels that a neuron sees, height and width.
    offset
        The first pixel that neuron (0, 0) sees, `(y, x)`; negative where padding begins.
    shape
        Neurons of one unit, rows and columns, on a picture of the network's usual size.
    """

    name: str
    units: int
    stride: tuple[int, int]
    receptive_field: tuple[int, int]
    offset: tuple[int, int]
    shape: tuple[int, ...]

    def centre(self, position: tuple[int, int]) -> tuple[float, float]:
        """Give the centre `(y, x)` of a neuron's receptive field, in pixels from the first.

        Examples
        --------
        >>> Layer("conv2d0", 64, (2, 2), (7, 7), (-3, -3), (112, 112)).centre((0, 1))
        (0.0, 2.0)
        """
        y, x = (
            offset + stride * place + (size - 1) / 2
            for offset, stride, place, size in zip(
                self.offset, self.stride, position, self.receptive_field, strict=True
            )
        )
        return y, x


@dataclass(eq=False)
class Network:
    """A trained or handwritten network with its preprocessing.

    The module is used as it is in evaluation, whatever mode it is in, and nothing of it is
    changed: neither mode, parameters, gradients nor memory layout.

    Attributes
    ----------
    module
        Any `torch.nn.Module` that takes `(batch, channels, height, width)`.
    preprocessing
        How pictures in [0, 1] become what the module takes.
    name
        Goes into records.
    size
        Height and width of the pictures that it was made for, in pixels.
    checkpoint
        The file that the parameters came from, if any.
    classes
        What the logits stand for, if known.
    precision
        In what convolutions are computed; see `computing_in`.
    """

    module: nn.Module
    preprocessing: Preprocessing
    name: str = "network"
    size: int = 224
    checkpoint: Checkpoint | None = None
    classes: tuple[str, ...] | None = field(default=None, repr=False)
    precision: str = "float32"
    _structure: list[Any] = field(default_factory=list, init=False, repr=False)
    _changes: list[Change] = field(default_factory=list, init=False, repr=False)
    _graphs: dict[tuple[int, int], Graph | Hooked] = field(
        default_factory=dict, init=False, repr=False
    )
    _by_hooks: dict[tuple[int, int], Hooked] = field(default_factory=dict, init=False, repr=False)
    # Plain dictionaries, as views that cannot be changed cannot be pickled either.
    _described: dict[tuple[int, int], dict[str, Layer]] = field(
        default_factory=dict, init=False, repr=False
    )

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be found again; layers cost more to find than to keep."""
        return self.__dict__ | {"_graphs": {}, "_by_hooks": {}, "_structure": []}

    def __repr__(self) -> str:
        return f"Network({self.name!r}, {self.size} px, on {self.device})"

    @property
    def _like(self) -> Tensor:
        """Give some parameter or buffer, for the device and dtype that the network works in."""
        tensors = chain(self.module.parameters(), self.module.buffers())
        return next((t for t in tensors if t.is_floating_point()), torch.empty(0))

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self._like.device

    def to(self, device: torch.device | str) -> "Network":
        """Give a copy whose parameters are on `device`; itself where they are there already.

        Raises
        ------
        InputError
            Where this machine has no such device.
        """
        try:
            device = torch.empty(0, device=device).device  # "cuda" is the current one of them
        except (RuntimeError, AssertionError) as error:
            first = str(error).partition("\n")[0]
            raise InputError(f"device {device} cannot be used here ({first}); try cpu") from error
        if device == self.device:
            return self
        other = copy.copy(self)
        other._changes, other._described = list(self._changes), {}
        other.module = copy.deepcopy(self.module).to(device)
        return other

    def computing_in(self, precision: str) -> "Network":
        """Give a copy, of the same parameters, that computes in another precision.

        Parameters
        ----------
        precision
            `float32`; or, for speed on GPUs made for it, `bfloat16` or `float16`. Then precision
            is mixed: convolutions and what they give are in this one, while parameters stay in
            float32, as does what would overflow. Answers are float32 always.

        Raises
        ------
        InputError
            For any other.

        Examples
        --------
        >>> network = wrap(nn.Sequential(nn.Conv2d(3, 8, 5)), Preprocessing(), size=32)
        >>> rough = network.computing_in("bfloat16")
        >>> rough.activations(torch.rand(1, 3, 32, 32), ["0"])["0"].dtype
        torch.float32
        """
        if precision not in PRECISIONS:
            raise errors.unknown("precision", precision, PRECISIONS)
        other = copy.copy(self)
        other._changes = self._changes  # of the same module
        other.precision = precision
        return other

    def _computing(self) -> AbstractContextManager[Any]:
        """Compute in the network's precision meanwhile."""
        dtype = PRECISIONS[self.precision]
        if dtype:
            return torch.autocast(self.device.type, dtype=dtype)
        if self.device.type != "cuda":
            return nullcontext()
        flags = torch.backends.cudnn  # which computes float32 with ten bits unless it is forbidden
        return flags.flags(
            enabled=flags.enabled,
            benchmark=flags.benchmark,
            deterministic=flags.deterministic,
            allow_tf32=False,
        )

    def _answers(self, values: Any) -> Any:
        if PRECISIONS[self.precision] is None or not isinstance(values, Tensor):
            return values
        return values.float()

    def __call__(self, pictures: Pictures) -> Any:
        """Give the module's own output, usually logits `(batch, classes)`.

        Raises
        ------
        InputError
            For pictures that the network cannot take, as in `activations`.
        """
        inputs = self._inputs(pictures)
        graph = self._graph(inputs)
        self._check_whole(graph, *inputs.shape[2:])
        names = [name for name in graph.places if name.split(".")[0] == OUTPUT]
        if names == [OUTPUT]:
            return self.activations(pictures, names)[OUTPUT]
        if self._changes:
            raise InputError(
                f"{self.name} gives {', '.join(names) or 'no tensor'}; read one of these while "
                "something is changed"
            )
        with self._computing(), evaluating(self.module):
            return tree_map(self._answers, self.module(inputs.contiguous()))

    def _inputs(self, pictures: Tensor) -> Tensor:
        """Preprocess pictures, on the network's device and in its precision."""
        inputs = self.preprocessing(pictures.to(self.device)).to(self._like.dtype)
        # Channels last halves the time of the convolutions on CPUs, and on GPUs in half precision.
        return inputs.contiguous(memory_format=torch.channels_last)

    def _graph(self, inputs: Tensor, places: Sequence[str] = ()) -> Graph | Hooked:
        """Give the graph for pictures of this size, in which the places are, if in any."""
        height, width = inputs.shape[2:]
        self._forget_what_has_changed()
        if (height, width) not in self._graphs:
            graph = self._traced(height, width)
            if (height, width) == self._usual:
                self._check_whole(graph, height, width)
            self._graphs[height, width] = graph
        graph = self._graphs[height, width]
        if isinstance(graph, Graph) and not graph.places.keys() >= set(places):
            if graph.failure and any(n in self.layers for n in places if n not in graph.places):
                self._check_whole(graph, height, width)
            if graph.opaque:  # inside of what could not be followed
                if (height, width) not in self._by_hooks:
                    reason = "; ".join(f"{path} {why}" for path, why in graph.opaque.items())
                    self._by_hooks[height, width] = Hooked.follow(
                        self.module, self._blank(height, width), reason
                    )
                return self._by_hooks[height, width]
        return graph

    def _forget_what_has_changed(self) -> None:
        """Follow the module anew once it has other parts or hooks than when it was followed."""
        now = structure(self.module)
        if now != self._structure:
            if self._structure:
                self._graphs, self._by_hooks, self._described = {}, {}, {}
                self.__dict__.pop("_aliases", None)
            self._structure = now

    @property
    def _usual(self) -> tuple[int, int]:
        return self.size, self.size

    def _blank(self, height: int, width: int) -> Tensor:
        shape = (1, self.preprocessing.channels, height, width)
        return torch.zeros(shape, device=self.device, dtype=self._like.dtype)

    def _traced(self, height: int, width: int) -> Graph | Hooked:
        blank = self._blank(height, width)
        try:
            return trace(self.module, blank)
        except Untraceable as error:
            with self._size_errors(height, width):
                return Hooked.follow(self.module, blank, str(error))

    def _check_whole(self, graph: Graph | Hooked, height: int, width: int) -> None:
        """Refuse a graph that ends where the module failed on pictures of this size."""
        if isinstance(graph, Graph) and graph.failure:
            with self._size_errors(height, width):
                raise graph.failure

    @contextmanager
    def _size_errors(self, height: int, width: int) -> Iterator[None]:
        """Say so where pictures are of a size that the module cannot take."""
        try:
            yield
        except (torch.OutOfMemoryError, InputError):
            raise
        except (RuntimeError, ValueError) as error:
            first = str(error).partition("\n")[0]
            if (height, width) == self._usual:
                if not isinstance(error, RuntimeError):
                    raise
                raise InputError(
                    f"{self.name} fails on a picture of {height}x{width} pixels, the size stated "
                    f"for it ({first}); if it was made for another size, state that one"
                ) from error
            self._graph(self._blank(*self._usual))  # fails there too: not the size's fault
            raise InputError(
                f"{self.name} cannot take pictures of {height}x{width} pixels ({first}); the size "
                f"stated for it is {self.size}x{self.size}"
            ) from error

    @property
    def layers(self) -> Mapping[str, Layer]:
        """All layers by name, in the order in which they are computed."""
        return self.layers_at(self.size)

    def layers_at(self, size: int | tuple[int, int]) -> Mapping[str, Layer]:
        """Describe the layers for pictures of `size` pixels squared, or of `(height, width)`.

        They differ from `layers` in shape and, with TensorFlow's SAME padding, in offset.

        Raises
        ------
        InputError
            For a size that the network cannot take.
        """
        self._forget_what_has_changed()
        height, width = (size, size) if isinstance(size, int) else size
        if (height, width) not in self._described:
            self._described[height, width] = self._describe(height, width)
        if graph := self._graphs.get((height, width)):
            self._check_whole(graph, height, width)
        return MappingProxyType(self._described[height, width])

    def layer_at(self, name: str, size: int | tuple[int, int]) -> Layer:
        """Describe a layer for pictures of `size`, be they too small for later layers.

        Raises
        ------
        InputError
            For an unknown layer, or a size that leaves nothing to its kernels.

        Examples
        --------
        >>> from visioncircuits.networks import untrained
        >>> untrained("bvlc_googlenet").layer_at("conv2d0", 17).shape
        (9, 9)
        """
        height, width = (size, size) if isinstance(size, int) else size
        name = self.layer(name).name
        self._graph(self._blank(height, width), [name])
        if (height, width) not in self._described:
            self._described[height, width] = self._describe(height, width)
        return self._described[height, width][name]

    def _describe(self, height: int, width: int) -> dict[str, Layer]:
        """Follow the graph, see what every layer's neurons look at."""
        # within inference mode torch shows fewer of the operations that are followed
        with torch.inference_mode(False):
            picture = self._blank(height, width)
            graph = self._graph(picture)
            found = geometry.windows(graph, picture)
            if isinstance(graph, Graph) and graph.opaque:
                inner = self._graph(picture, ["inside of what could not be followed"])
                found = geometry.windows(inner, picture) | found
        return {
            name: Layer(
                name=name,
                units=window.units,
                stride=(window.y.stride, window.x.stride),
                receptive_field=(window.y.size, window.x.size),
                offset=(window.y.offset, window.x.offset),
                shape=window.shape,
            )
            for name, window in found.items()
        }

    @property
    def output(self) -> str:
        """The layer that the network gives, or the first of those that it gives: usually logits.

        Raises
        ------
        InputError
            Where it gives no tensor.

        Examples
        --------
        >>> network = wrap(nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU()), Preprocessing(), size=32)
        >>> network.output
        '1'
        """
        graph = self._graph(self._blank(*self._usual))
        places = [name for name in graph.places if name.split(".")[0] == OUTPUT]
        if not places:
            raise InputError(f"{self.name} gives no tensor")
        if isinstance(graph, Hooked):
            return places[0]
        return next((n for n in self.layers if graph.same(n, places[0])), places[0])

    @cached_property
    def _aliases(self) -> dict[str, str]:
        """Other names of modules that are registered more than once."""
        first = {child: path for path, child in self.module.named_modules()}
        every = self.module.named_modules(remove_duplicate=False)
        return {path: first[child] for path, child in every if path != first[child]}

    def layer(self, name: str) -> Layer:
        """Describe one layer.

        Raises
        ------
        InputError
            For a layer that the network does not have, with the nearest names.
        """
        layers, name = self.layers, self._aliases.get(name, name)
        if name not in layers:
            graph, hint = self._graph(self._blank(*self._usual)), f"the network is {self.name}"
            if isinstance(graph, Hooked):
                hint += f", and has no places between modules, because {graph.reason}"
            raise errors.unknown("layer", name, layers, hint=hint)
        return layers[name]

    def before_rectifier(self, layer: str) -> str:
        """Name a layer's values before its rectifier, where the network has a name for them.

        Examples
        --------
        >>> from visioncircuits.networks import untrained
        >>> untrained("bvlc_googlenet").before_rectifier("mixed3b")
        'mixed3b_pre_relu'
        """
        before = f"{layer}_pre_relu"
        return before if before in self.layers else layer

    def feature(self, feature: str | Feature) -> Feature:
        """Read `mixed3b:379` and check that the network has it.

        Raises
        ------
        InputError
            For what is no feature, an unknown layer, a unit that the layer does not have or a
            direction of another number of units.
        """
        feature = parse(feature)
        layer = self.layer(feature.layer)
        feature.vector(layer.units)
        return replace(feature, layer=layer.name)

    def branches(self, layer: str) -> dict[str, range]:
        """Give the units of `layer` that each branch holds; {} where it has no branches."""
        self.layer(layer)
        graph = self._graph(self._blank(*self._usual))
        return graph.branches(layer, among=self.layers) if isinstance(graph, Graph) else {}

    def depends(self, layer: str, earlier: str) -> bool:
        """Find out whether a layer is computed from an earlier one, directly or not.

        Raises
        ------
        InputError
            For an unknown layer.

        Examples
        --------
        >>> from visioncircuits.networks import untrained
        >>> network = untrained("bvlc_googlenet")
        >>> network.depends("mixed3b_5x5", "mixed3a"), network.depends("mixed3a", "mixed3b")
        (True, False)
        """
        later, before = self.layer(layer).name, self.layer(earlier).name
        graph = self._graph(self._blank(*self._usual), (later, before))
        return graph.depends(later, before)

    def activations(
        self, pictures: Pictures, layers: Sequence[str], *, changes: Sequence[Change] = ()
    ) -> dict[str, Tensor]:
        """Compute layers' values on pictures, and nothing that they do not need.

        Parameters
        ----------
        pictures
            Floating point in [0, 1], `(batch, channels, height, width)`, colours as RGB. They
            may be on another device or in another precision than the network's.
        layers
            Names of layers; several cost no more than what they need together.
        changes
            Edits, replacements and rewirings, beside those in force.

        Returns
        -------
        dict
            Layer name to `(batch, units, rows, columns)`, or `(batch, units)` where the layer has
            no positions. They carry gradients to the pictures where torch is recording.

        Raises
        ------
        InputError
            For an unknown layer, or pictures that the network cannot take: whole numbers,
            another number of channels, or a size that leaves nothing to its kernels.

        Examples
        --------
        >>> network = wrap(nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU()), Preprocessing(), size=32)
        >>> network.activations(torch.rand(2, 3, 32, 32), ["1"])["1"].shape
        torch.Size([2, 8, 28, 28])
        """
        if not layers:
            return {}
        found, _ = self._run(pictures, layers, {}, changes)
        return found

    def _run(
        self,
        pictures: Tensor,
        layers: Sequence[str],
        units: Mapping[str, Sequence[int]],
        changes: Sequence[Change],
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        inputs = self._inputs(pictures)
        names = {name: self._aliases.get(name, name) for name in (*layers, *units)}
        changes = [*self._changes, *changes]
        places = [*names.values(), *(place for change in changes for place in change.plan[1:])]
        graph = self._graph(inputs, places)
        for name in names.values():
            if name not in graph.places:
                self.layer(name)  # with the names of layers, not of all places
        with self._computing():
            whole, some = graph.run(
                inputs,
                [names[name] for name in layers],
                units={names[name]: indices for name, indices in units.items()},
                changes=changes,
            )
        return (
            {name: self._answers(whole[names[name]]) for name in layers},
            {name: self._answers(some[names[name]]) for name in units},
        )

    def called(self, pictures: Pictures, layer: str) -> Tensor:
        """Compute a layer by calling the module itself, so that hooks on its parts act.

        `activations` gives the same, computes less, and heeds no hook that was put on after the
        network was followed. Methods of other libraries, such as Captum's, live by hooks.

        Raises
        ------
        InputError
            For a layer that is no module's, and while single edges are changed.

        Examples
        --------
        >>> network = wrap(nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU()), Preprocessing(), size=32)
        >>> network.called(torch.rand(2, 3, 32, 32), "1").shape
        torch.Size([2, 8, 28, 28])
        """
        name = self.layer(layer).name
        if name not in dict(self.module.named_modules()):
            raise InputError(f"{layer} is no module's output, so that no hook can read it")
        places = (INPUT, name, *(place for change in self._changes for place in change.plan[1:]))
        hooked = Hooked(self.module, places, "it is read by hooks")
        with self._computing():
            found, _ = hooked.run(self._inputs(pictures), [name], changes=self._changes)
        return self._answers(found[name])

    @contextmanager
    def changing(self, change: Change) -> Iterator[None]:
        """Change what is computed at a place, for all that runs this network in the context.

        Examples
        --------
        >>> from visioncircuits.networks.graph import Edit
        >>> network = wrap(nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU()), Preprocessing(), size=32)
        >>> with network.changing(Edit("0", torch.zeros_like)):
        ...     float(network.activations(torch.rand(1, 3, 32, 32), ["1"])["1"].max())
        0.0
        """
        for place in change.plan[1:]:
            self.layer(place)
        self._changes.append(change)
        try:
            yield
        finally:
            self._changes[:] = [other for other in self._changes if other is not change]

    def unit_activations(
        self,
        pictures: Pictures,
        units: Mapping[str, Int64[Tensor, "_"]],
        *,
        changes: Sequence[Change] = (),
    ) -> dict[str, Tensor]:
        """Compute some units of some layers: `activations` of their layers, indexed.

        The siblings of the units are not computed, where nothing else needs them.

        Parameters
        ----------
        pictures
            As for `activations`.
        units
            Layer name to at least one of its units, counted from 0, in any order.
        changes
            As for `activations`.

        Returns
        -------
        dict
            Layer name to `(batch, len(units), rows, columns)`, or `(batch, len(units))`.

        Raises
        ------
        InputError
            For an unknown layer or unit, or pictures that the network cannot take.

        Examples
        --------
        >>> network = wrap(nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU()), Preprocessing(), size=32)
        >>> units = {"1": torch.tensor([7, 0])}
        >>> network.unit_activations(torch.rand(2, 3, 32, 32), units)["1"].shape
        torch.Size([2, 2, 28, 28])
        """
        for layer, indices in units.items():
            width = self.layer(layer).units
            if not len(indices) or int(indices.min()) < 0 or int(indices.max()) >= width:
                raise InputError(
                    f"{layer} has units 0 to {width - 1}; ask for one or more of them, not "
                    f"{indices.tolist()}"
                )
        _, found = self._run(pictures, [], {n: i.tolist() for n, i in units.items()}, changes)
        return found

    def record(self) -> dict[str, Any]:
        """Say which network this is, for a result's provenance."""
        return {
            "name": self.name,
            "checkpoint_sha256": self.checkpoint.sha256 if self.checkpoint else None,
            "parameters_sha256": identity.parameters(self.module),
            "preprocessing": self.preprocessing.record(),
            **({"changes": [change.record() for change in self._changes]} if self._changes else {}),
            **({} if self.precision == "float32" else {"precision": self.precision}),
        }


def prepared(module: AnyModule) -> AnyModule:
    """Put a module that this library made into evaluation mode, frozen, its kernels channels last.

    Kernels that lie so need not be turned around in every pass.
    """
    return module.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def wrap(
    module: nn.Module,
    preprocessing: Preprocessing,
    *,
    name: str = "network",
    size: int = 224,
    classes: Sequence[str] | None = None,
) -> Network:
    """Make a network of any module of yours.

    Parameters
    ----------
    module
        Takes `(batch, channels, height, width)`. It stays as it is.
    preprocessing
        What the module was trained on: range, mean, std, channel order, number of channels.
    name
        Goes into records.
    size
        Height and width of the pictures that it was made for, in pixels.
    classes
        What the logits stand for, if known.

    Examples
    --------
    >>> network = wrap(nn.Sequential(nn.Conv2d(1, 8, 5)), Preprocessing(channels=1), size=32)
    >>> network.layer("0").receptive_field
    (5, 5)
    """
    names = None if classes is None else tuple(classes)
    return Network(module, preprocessing, name=name, size=size, classes=names)
