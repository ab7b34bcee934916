"""A network: layers by name, pictures in, activations out.

This is one class, which all other folders use. It is long because its methods are documented
here; what they do is in `traces`, `graph` and `precision`.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from visioncircuits import errors
from visioncircuits.errors import InputError
from visioncircuits.networks import identity, names
from visioncircuits.networks.channels import drawn_in
from visioncircuits.networks.checkpoints import Checkpoint
from visioncircuits.networks.class_names import class_number
from visioncircuits.networks.cropped_nodes import Window
from visioncircuits.networks.edits import Change
from visioncircuits.networks.evaluation import evaluating
from visioncircuits.networks.features import Feature, Unit, read_features
from visioncircuits.networks.graph import INPUT, OUTPUT, Graph
from visioncircuits.networks.hooked import Hooked
from visioncircuits.networks.layers import Layer
from visioncircuits.networks.precision import PRECISIONS, computing, returned
from visioncircuits.networks.preprocessing import Preprocessing
from visioncircuits.networks.traces import Traces, like, outputs

Pictures = Float[Tensor, "batch channels height width"]

AnyModule = TypeVar("AnyModule", bound=nn.Module)

LOGITS = "logits"
"""What a network's output is called in features, whatever its layer's name."""


@dataclass(eq=False)
class Network:
    """A trained or handwritten network with its preprocessing.

    The module is run as in evaluation, whatever its mode, and stays as it is: mode, parameters,
    gradients and memory layout.

    Attributes
    ----------
    module
        Any `torch.nn.Module` that takes `(batch, channels, height, width)`.
    preprocessing
        Turns pictures in [0, 1] into the input of the module.
    name
        Is stored in records.
    size
        Height and width of the pictures that it was made for, in pixels.
    checkpoint
        The file that the parameters came from, if any.
    classes
        The names of the classes that logits are for, if known.
    precision
        What convolutions are computed in; see `computing_in`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> network
    Network('untrained bvlc_googlenet', 224 px, on cpu)
    >>> network.activations(torch.rand(1, 3, 64, 64), ["mixed3a"])["mixed3a"].shape
    torch.Size([1, 256, 8, 8])
    """

    module: nn.Module
    preprocessing: Preprocessing
    name: str = "network"
    size: int = 224
    checkpoint: Checkpoint | None = None
    classes: tuple[str, ...] | None = field(default=None, repr=False)
    precision: str = "float32"
    _changes: list[Change] = field(default_factory=list, init=False, repr=False)
    _traced: Traces | None = field(default=None, init=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the graphs, also of copies; see `Traces`."""
        return self.__dict__ | {"_traced": copy.copy(self._traced)}

    def __repr__(self) -> str:
        return f"Network({self.name!r}, {self.size} px, on {self.device})"

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return like(self.module).device

    @property
    def _traces(self) -> Traces:
        """The graphs of the module; new ones where the module or the size was replaced."""
        channels, usual = self.preprocessing.channels, (self.size, self.size)
        made = self._traced
        if made is None or made.module is not self.module or made.usual != usual:
            self._traced = made = Traces(self.module, self.name, channels, usual)
        made.name, made.channels = self.name, channels
        return made

    def to(self, device: torch.device | str) -> "Network":
        """Return a copy whose parameters are on `device`; itself where they are there already.

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
        other = self.copied()
        other.module.to(device)
        return other

    def copied(self) -> "Network":
        """Return a copy with parameters of its own.

        Examples
        --------
        >>> from visioncircuits.networks import untrained
        >>> network = untrained("bvlc_googlenet")
        >>> network.copied().module is network.module
        False
        """
        other = copy.copy(self)
        other._changes = list(self._changes)
        other.module = copy.deepcopy(self.module)
        return other

    def unchanged(self) -> "Network":
        """Return a copy, with the same parameters, to which no change of a context applies.

        Examples
        --------
        >>> from visioncircuits.networks.edits import Edit
        >>> network = wrap(nn.Sequential(nn.Conv2d(3, 8, 5)), Preprocessing(), size=32)
        >>> with network.changing(Edit("0", torch.zeros_like)):
        ...     bool(network.unchanged()(torch.rand(1, 3, 32, 32)).any())
        True
        """
        other = copy.copy(self)
        other._changes, other._traced = [], self._traced
        return other

    def computing_in(self, precision: str) -> "Network":
        """Return a copy, with the same parameters, that computes in another precision.

        Parameters
        ----------
        precision
            `float32`; or, for speed on GPUs and CPUs made for it, `bfloat16` or `float16`. Then
            precision is mixed: convolutions and their outputs are in this one, while parameters and
            what would overflow stay in float32. Returned values are float32 always.

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

    def drawing_in(
        self, channels: str | int | Sequence[str | int], *, ground: float | Sequence[float] = 0.5
    ) -> "Network":
        """Return a copy, with the same parameters, of which some channels are drawn in.

        Stimuli, which are RGB, become their luma in these channels, where 0 and 1 are the ends of
        the preprocessing's range. Pictures of the network's own channels are used as they are.
        Everything that draws takes such a copy: tuning, hypotheses, galleries.

        Parameters
        ----------
        channels
            One or several, by their names (see `Preprocessing`) or numbers, counted from 0.
        ground
            Of the channels that are not drawn in, in [0, 1]: one number, or one for each of all
            channels.

        Raises
        ------
        InputError
            For an unknown channel, another ground, or a network of three channels, of which ink and
            ground are colors already.

        Examples
        --------
        >>> module = nn.Sequential(nn.Conv2d(4, 8, 5))
        >>> bands = Preprocessing(channels=4, names=("B2", "B3", "B4", "B8"))
        >>> network = wrap(module, bands, size=32).drawing_in("B8", ground=0.25)
        >>> network.preprocessing.to_channels(torch.ones(1, 3, 1, 1)).flatten().tolist()
        [0.25, 0.25, 0.25, 1.0]
        """
        own = self.preprocessing
        drawn = drawn_in(channels, ground, own.channels, own.names)
        other = copy.copy(self)
        other._changes = self._changes  # of the same module
        other.preprocessing = replace(own, from_rgb=drawn)
        return other

    def __call__(self, pictures: Pictures) -> Any:
        """Return the module's own output, usually logits `(batch, classes)`.

        Raises
        ------
        InputError
            For pictures that the network cannot take, as in `activations`.
        """
        inputs = self._inputs(pictures)
        height, width = inputs.shape[2:]
        graph = self._traces.graph((height, width))
        self._traces.check_whole(graph, (height, width))
        names = outputs(graph)
        if names == [OUTPUT]:
            return self.activations(pictures, names)[OUTPUT]
        if self._changes:
            raise InputError(
                f"{self.name} returns {', '.join(names) or 'no tensor'}; read one of these while "
                "something is changed"
            )
        with computing(self.precision, self.device), evaluating(self.module):
            output = self.module(inputs.contiguous())
            return tree_map(partial(returned, precision=self.precision), output)

    def _inputs(self, pictures: Tensor) -> Tensor:
        """Preprocess pictures, on the network's device and in its precision."""
        inputs = self.preprocessing(pictures.to(self.device)).to(like(self.module).dtype)
        # Channels last halves the time of the convolutions on CPUs, and on GPUs in half precision.
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        if len(inputs) == 1 and inputs.stride(0) != inputs.numel():  # see `recording._identity`
            inputs = inputs.clone(memory_format=torch.channels_last)
        return inputs

    @property
    def layers(self) -> Mapping[str, Layer]:
        """All layers by name, in the order in which they are computed."""
        return self.layers_at(self.size)

    def layers_at(self, size: int | tuple[int, int]) -> Mapping[str, Layer]:
        """Describe the layers for pictures of `size` pixels squared, or of `(height, width)`.

        The layers differ from `layers` in shape and, with TensorFlow's SAME padding, in offset.

        Raises
        ------
        InputError
            For a size that the network cannot take.
        """
        return MappingProxyType(self._traces.layers(_height_and_width(size)))

    def layer_at(self, name: str, size: int | tuple[int, int]) -> Layer:
        """Describe a layer for pictures of `size`, which may be too small for later layers.

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
        at, name = _height_and_width(size), self.layer(name).name
        self._traces.graph(at, [name])
        return self._traces.computed_layers(at)[name]

    @property
    def output(self) -> str:
        """The layer that the network returns, or the first of several: usually logits.

        Raises
        ------
        InputError
            Where it returns no tensor.

        Examples
        --------
        >>> network = wrap(nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU()), Preprocessing(), size=32)
        >>> network.output
        '1'
        """
        graph = self._usual_graph()
        places = outputs(graph)
        if not places:
            raise InputError(f"{self.name} returns no tensor")
        if isinstance(graph, Hooked):
            return places[0]
        return next((n for n in self.layers if graph.same(n, places[0])), places[0])

    def _usual_graph(self, places: Sequence[str] = ()) -> Graph | Hooked:
        return self._traces.graph((self.size, self.size), places)

    def layer(self, name: str) -> Layer:
        """Describe one layer.

        Raises
        ------
        InputError
            For a layer that the network does not have, with the nearest names.
        """
        layers, name = self.layers, self._traces.aliases.get(name, name)
        if name not in layers:
            graph, hint = self._usual_graph(), f"the network is {self.name}"
            if isinstance(graph, Hooked):
                hint += f", and operations between modules cannot be read, because {graph.reason}"
            raise errors.unknown("layer", name, layers, hint=hint)
        return layers[name]

    def before_rectifier(self, layer: str) -> str:
        """Return the name of a layer's values before its rectifier, or else the layer's own name.

        Rectifiers are ReLUs: modules, functions, or in place.

        Examples
        --------
        >>> from visioncircuits.networks import untrained
        >>> untrained("bvlc_googlenet").before_rectifier("mixed3b")
        'mixed3b_pre_relu'
        >>> layers = nn.Conv2d(3, 8, 5), nn.BatchNorm2d(8), nn.ReLU()
        >>> wrap(nn.Sequential(*layers), Preprocessing(), size=32).before_rectifier("2")
        '1'
        """
        before = f"{layer}_pre_relu"
        if before in self.layers:
            return before
        graph = self._usual_graph()
        found = (
            graph.before_rectifier(layer, among=self.layers) if isinstance(graph, Graph) else None
        )
        return found or layer

    def feature(self, feature: str | Feature) -> Feature:
        """Read a feature, such as `mixed3b:379`, and check that the network has it.

        A unit of the network's output may be named by its class, `logits:Chihuahua`. Where no layer
        is called `logits`, this is the output. A file of one direction is named as
        `read_features` reads it: `mixed3b:dog.npy`. A network with a text encoder, as CLIP's, has
        the direction of any text: `text:a photo of a dog`.

        Raises
        ------
        InputError
            For text that is not a feature, an unknown layer, a unit that the layer does not have,
            an unknown class or a name of several, a direction of another number of units, a file
            that holds several, or a text without a text encoder.

        Examples
        --------
        >>> from visioncircuits.networks import untrained
        >>> network = untrained("torchvision:squeezenet1_1")
        >>> str(network.feature("logits:golden retriever")) == f"{network.output}:207"
        True
        """
        feature = self._read(feature) if isinstance(feature, str) else feature
        layer = self.layer(feature.layer)
        feature.vector(layer.units)
        return replace(feature, layer=layer.name)

    def _read(self, text: str) -> Feature:
        """Read a unit, by its number or its class's name; or the direction of a file or a text."""
        words = names.description(text)
        if words is not None and names.TEXT not in self.layers:
            return self._described(words)
        if names.features_file(text):
            first, *others = read_features(text)
            if others:
                raise InputError(
                    f"{text} holds {1 + len(others)} features, from {first} on, and one is needed; "
                    "give it a file of its own"
                )
            return first
        name, unit = names.feature(text)
        if name == LOGITS and name not in {*self.layers, *self._traces.aliases}:
            name = self.output
        if isinstance(unit, int):
            return Unit(name, unit)
        layer = self.layer(name)
        if layer.name != self.output:
            raise InputError(
                f"{text!r} is not a unit: {name} has units 0 to {layer.units - 1}, and only those "
                f"of the output, {self.output}, have classes' names"
            )
        if self.classes is None or len(self.classes) != layer.units:
            raise InputError(
                f"the classes of {self.name}'s logits are not known, so {text!r} is not a unit; "
                "wrap it with classes=…, or write a number"
            )
        return Unit(layer.name, class_number(unit, self.classes))

    def _described(self, text: str) -> Feature:
        """Return the direction of a text, where the network has a text encoder."""
        raise InputError(
            f"{self.name} has no text encoder, so {f'{names.TEXT}:{text}'!r} is no feature of it; "
            "networks that are loaded by `clip:` have one"
        )

    def branches(self, layer: str) -> dict[str, range]:
        """Return the units of `layer` that each branch holds; {} where it has no branches."""
        self.layer(layer)
        graph = self._usual_graph()
        return graph.branches(layer, among=self.layers) if isinstance(graph, Graph) else {}

    def depends(self, layer: str, earlier: str) -> bool:
        """Check whether a layer is computed from an earlier one, directly or not.

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
        graph = self._usual_graph((later, before))
        return graph.depends(later, before)

    def activations(
        self,
        pictures: Pictures,
        layers: Sequence[str],
        *,
        changes: Sequence[Change] = (),
        window: Window | None = None,
    ) -> dict[str, Tensor]:
        """Compute layers' values on pictures, and nothing that they do not need.

        Parameters
        ----------
        pictures
            Floating point in [0, 1], `(batch, channels, height, width)`, colors as RGB. They
            may be on another device or in another precision than the network's.
        layers
            Names of layers; several are computed in one pass.
        changes
            Edits, replacements and rewirings, beside those of `changing`.
        window
            Two ranges, the rows and columns of the layers to return; by default all. What these
            neurons do not see is not computed, where operations allow it.

        Returns
        -------
        dict
            Layer name to `(batch, units, rows, columns)`, or `(batch, units)` where the layer has
            no positions. They carry gradients to the pictures where torch is recording.

        Raises
        ------
        InputError
            For an unknown layer, pictures that the network cannot take: whole numbers, another
            number of channels, or a size that leaves nothing to its kernels; and for a window of
            positions that a layer does not have.

        Examples
        --------
        >>> network = wrap(nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU()), Preprocessing(), size=32)
        >>> network.activations(torch.rand(2, 3, 32, 32), ["1"])["1"].shape
        torch.Size([2, 8, 28, 28])
        >>> middle = range(13, 15), range(13, 15)
        >>> network.activations(torch.rand(2, 3, 32, 32), ["1"], window=middle)["1"].shape
        torch.Size([2, 8, 2, 2])
        """
        if not layers:
            return {}
        found, _ = self._run(pictures, layers, {}, changes, window)
        return found

    def _run(
        self,
        pictures: Tensor,
        layers: Sequence[str],
        units: Mapping[str, Sequence[int]],
        changes: Sequence[Change],
        window: Window | None = None,
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        inputs = self._inputs(pictures)
        names = {name: self._traces.aliases.get(name, name) for name in (*layers, *units)}
        changes = [*self._changes, *changes]
        places = [*names.values(), *(place for change in changes for place in change.places)]
        height, width = inputs.shape[2:]
        graph = self._traces.graph((height, width), places)
        for name in names.values():
            if name not in graph.places:
                self.layer(name)  # with the names of layers, not of all places
        with computing(self.precision, self.device):
            whole, some = graph.run(
                inputs,
                [names[name] for name in layers],
                units={names[name]: indices for name, indices in units.items()},
                changes=changes,
                window=window,
            )
        return (
            {name: returned(whole[names[name]], self.precision) for name in layers},
            {name: returned(some[names[name]], self.precision) for name in units},
        )

    def called(self, pictures: Pictures, layer: str) -> Tensor:
        """Compute a layer by calling the module itself, so that hooks on its parts act.

        `activations` returns the same and computes less, but ignores hooks that are registered
        after the network was traced. Methods of other libraries, such as Captum's, need hooks.

        Raises
        ------
        InputError
            For a layer that is not a module's output, and while single edges are changed.

        Examples
        --------
        >>> network = wrap(nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU()), Preprocessing(), size=32)
        >>> network.called(torch.rand(2, 3, 32, 32), "1").shape
        torch.Size([2, 8, 28, 28])
        """
        name = self.layer(layer).name
        if name not in dict(self.module.named_modules()):
            raise InputError(f"{layer} is not a module's output, so that no hook can read it")
        places = (INPUT, name, *(place for change in self._changes for place in change.places))
        hooked = Hooked(self.module, places, "it is read by hooks")
        with computing(self.precision, self.device):
            found, _ = hooked.run(self._inputs(pictures), [name], changes=self._changes)
        value: Tensor = returned(found[name], self.precision)
        return value

    @contextmanager
    def changing(self, change: Change) -> Iterator[None]:
        """Apply a change to all that this network computes within the context.

        Examples
        --------
        >>> from visioncircuits.networks.edits import Edit
        >>> network = wrap(nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU()), Preprocessing(), size=32)
        >>> with network.changing(Edit("0", torch.zeros_like)):
        ...     float(network.activations(torch.rand(1, 3, 32, 32), ["1"])["1"].max())
        0.0
        """
        for place in change.places:
            if place != INPUT:
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
        window: Window | None = None,
    ) -> dict[str, Tensor]:
        """Compute some units of some layers: `activations` of their layers, indexed.

        The layers' other units are not computed, where nothing else needs them.

        Parameters
        ----------
        pictures
            As for `activations`.
        units
            Layer name to at least one of its units, counted from 0, in any order.
        changes, window
            As for `activations`.

        Returns
        -------
        dict
            Layer name to `(batch, len(units), rows, columns)`, or `(batch, len(units))`.

        Raises
        ------
        InputError
            For an unknown layer or unit, and otherwise as `activations`.

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
        indices_of = {name: indices.tolist() for name, indices in units.items()}
        _, found = self._run(pictures, [], indices_of, changes, window)
        return found

    def record(self) -> dict[str, Any]:
        """Describe the network, for a result's provenance."""
        return {
            "name": self.name,
            "checkpoint_sha256": self.checkpoint.sha256 if self.checkpoint else None,
            "parameters_sha256": identity.parameters(self.module),
            "preprocessing": self.preprocessing.record(),
            **({"changes": [change.record() for change in self._changes]} if self._changes else {}),
            **({} if self.precision == "float32" else {"precision": self.precision}),
        }


def _height_and_width(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def prepared(module: AnyModule) -> AnyModule:
    """Put a module that this library made into evaluation mode, frozen, with kernels channels last.

    Such kernels need not be reordered in every pass.
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
    """Make a network of any module.

    Parameters
    ----------
    module
        Any that takes `(batch, channels, height, width)`. It stays as it is.
    preprocessing
        What the module was trained with: range, mean, std, channel order, number of channels.
    name
        Is stored in records.
    size
        Height and width of the pictures that it was made for, in pixels.
    classes
        The names of the classes that logits are for, if known.

    Examples
    --------
    >>> network = wrap(nn.Sequential(nn.Conv2d(1, 8, 5)), Preprocessing(channels=1), size=32)
    >>> network.layer("0").receptive_field
    (5, 5)
    """
    names = None if classes is None else tuple(classes)
    return Network(module, preprocessing, name=name, size=size, classes=names)
