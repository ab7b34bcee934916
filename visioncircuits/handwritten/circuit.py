"""Networks built from a description: stages of labeled units, and the rules between them."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float64
from torch import nn

from visioncircuits.errors import InputError
from visioncircuits.handwritten.labels import Label
from visioncircuits.handwritten.plane import Positions
from visioncircuits.handwritten.rules import Rule
from visioncircuits.networks.graph import INPUT
from visioncircuits.networks.layer_graph import LayerGraph, Step
from visioncircuits.networks.network import Network, prepared
from visioncircuits.networks.normalization import LocalResponseNorm
from visioncircuits.networks.preprocessing import Preprocessing

PIXELS = (Label("pixel", hue=0.0), Label("pixel", hue=120.0), Label("pixel", hue=240.0))
"""The source units of the first stage: red, green and blue."""

AROUND_GRAY = Preprocessing(range=(-0.5, 0.5))


@dataclass(frozen=True, kw_only=True, repr=False)
class Stage:
    """A convolution and a rectifier, optionally followed by a pool and a normalization.

    Attributes
    ----------
    layer
        Its name; `LAYER_pre_relu` is the convolution, `LAYER` the rectifier.
    units
        The label of each unit.
    rules
        Maps `(source's kind, target's kind)` to the rule that sets the weights between them; kinds
        without a rule are not connected.
    size
        Of the kernel, in positions; odd.
    stride
        In positions.
    padding
        Of the input, on every side, in positions; by default half the kernel, so that the stride
        alone determines the output's grid.
    threshold
        Subtracted from each unit before the rectifier.
    pool
        Whether a max pool of 3x3 positions and stride 2 follows, as in InceptionV1.
    normalization
        If not None, a local response normalization over all units follows: each is divided by
        √(normalization² + Σ activations²), so that responses hardly depend on contrasts above it.

    Examples
    --------
    >>> from visioncircuits.handwritten import around
    >>> from visioncircuits.handwritten.rules import straight
    >>> Stage(
    ...     layer="lines", units=around("line", 12, period=180.0), size=3,
    ...     rules={("complex gabor", "line"): straight(spread=2.0, tolerance=10.0)},
    ... )
    Stage('lines', 12 units, kernels 3 × 3: complex gabor → line)
    """

    layer: str
    units: Sequence[Label]
    rules: Mapping[tuple[str, str], Rule] = field(default_factory=dict)
    size: int
    stride: int = 1
    padding: int | None = None
    threshold: float = 0.0
    pool: bool = False
    normalization: float | None = None

    def __repr__(self) -> str:
        rules = ", ".join(f"{source} → {target}" for source, target in self.rules)
        return (
            f"Stage({self.layer!r}, {len(self.units)} units, kernels {self.size} × {self.size}"
            f"{': ' if rules else ''}{rules})"
        )


class Handwritten(LayerGraph):
    """A `LayerGraph` with labeled units.

    Its layers are those of the stages, with the grids of InceptionV1 with symmetric padding
    (`bvlc_googlenet`), and between them `maxpool0`, `localresponsenorm0` and so on.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        nodes: dict[str, Step] = {}
        source, channels = INPUT, len(PIXELS)

        def add(name: str, operation: nn.Module) -> None:
            nonlocal source
            nodes[name] = Step(operation, (source,))
            source = name

        for stage in stages:
            convolution = nn.Conv2d(
                channels,
                channels := len(stage.units),
                stage.size,
                stage.stride,
                padding=stage.size // 2 if stage.padding is None else stage.padding,
            )
            add(f"{stage.layer}_pre_relu", convolution)
            add(stage.layer, nn.ReLU())
            if stage.pool:
                pools = sum(name.startswith("maxpool") for name in nodes)
                add(f"maxpool{pools}", nn.MaxPool2d(3, 2, ceil_mode=True))
            if stage.normalization is not None:
                norms = sum(name.startswith("localresponsenorm") for name in nodes)
                add(f"localresponsenorm{norms}", _normalization(channels, stage.normalization))
        super().__init__(nodes, output=stages[-1].layer)
        # Without the rules, which are closures and cannot be pickled.
        self.stages = tuple(replace(stage, rules={}) for stage in stages)


@dataclass(eq=False, repr=False)
class HandwrittenNetwork(Network):
    """A network like any other, whose units are labeled; a notebook shows its `circuit_panel`.

    Examples
    --------
    >>> from visioncircuits.handwritten import lines
    >>> lines()
    HandwrittenNetwork('handwritten:lines', mixed3a: 12 line, on cpu)
    """

    def __repr__(self) -> str:
        last = handwritten(self).stages[-1]
        kinds = Counter(label.kind for label in last.units)
        units = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        return f"HandwrittenNetwork({self.name!r}, {last.layer}: {units}, on {self.device})"

    def _repr_png_(self) -> bytes:
        from visioncircuits.handwritten.panels import circuit_panel

        return circuit_panel(self)._repr_png_()


def _normalization(channels: int, semisaturation: float) -> LocalResponseNorm:
    size = 2 * channels - 1  # reaches from the first unit to the last
    return LocalResponseNorm(channels, size=size, alpha=size, beta=0.5, k=semisaturation**2)


def build(name: str, stages: Sequence[Stage]) -> HandwrittenNetwork:
    """Build a network whose weights are computed by the stages' rules.

    A unit's weights are scaled so that its activation is 1 if at each position only the most
    exciting source is active, with 1.

    Parameters
    ----------
    name
        Of the network.
    stages
        In order; the input of each is the one before it, of the first the pixels.

    Returns
    -------
    HandwrittenNetwork
        Like any other network, but with labeled units: see `labels`.

    Raises
    ------
    InputError
        If a stage has no units, a kernel has an even size, two stages have the same name, a rule is
        for missing kinds, or nothing excites a unit.

    Examples
    --------
    A network of two stages, edges and lines:

    >>> from visioncircuits.handwritten.labels import Label, around
    >>> from visioncircuits.handwritten.rules import straight, wave
    >>> waves = [
    ...     Label("gabor", turn, 180.0, phase=phase, wavelength=6.0)
    ...     for turn in (0.0, 45.0, 90.0, 135.0) for phase in (90.0, 270.0)
    ... ]
    >>> edges = Stage(
    ...     layer="waves", units=waves, size=7,
    ...     rules={("pixel", "gabor"): wave(length=2.0, width=1.6)},
    ... )
    >>> lines = Stage(
    ...     layer="lines", units=around("line", 4, period=180.0), size=5,
    ...     rules={("gabor", "line"): straight(spread=1.0, tolerance=15.0)},
    ... )
    >>> network = build("lines", [edges, lines])
    >>> print(network.layer("lines").receptive_field, labels(network, "lines")[1])
    (11, 11) line 45°
    """
    _check(stages)
    module = prepared(Handwritten(stages))
    sources: Sequence[Label] = PIXELS
    spacing = 1.0
    parameters = {}
    for stage in stages:
        kernels = _kernels(stage, sources, Positions.grid(stage.size, spacing))
        parameters[f"{stage.layer}_pre_relu.weight"] = torch.from_numpy(kernels)
        parameters[f"{stage.layer}_pre_relu.bias"] = torch.full(
            [len(stage.units)], -stage.threshold
        )
        sources = stage.units
        spacing *= stage.stride * (2 if stage.pool else 1)
    module.load_state_dict(parameters)
    return HandwrittenNetwork(module, AROUND_GRAY, name=name)


def _check(stages: Sequence[Stage]) -> None:
    if not stages:
        raise InputError("a handwritten network needs at least one stage")
    names = [stage.layer for stage in stages]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two stages are named {name!r}; give each its own name")
    sources: Sequence[Label] = PIXELS
    for stage in stages:
        if not stage.units:
            raise InputError(f"the stage {stage.layer!r} has no units; label at least one")
        if stage.size % 2 == 0 or stage.size < 1:
            raise InputError(
                f"the kernels of {stage.layer!r} are {stage.size} positions wide; choose an odd "
                "number"
            )
        before, here = {label.kind for label in sources}, {label.kind for label in stage.units}
        for source, target in stage.rules:
            if source not in before or target not in here:
                raise InputError(
                    f"{stage.layer!r} has a rule from {source!r} to {target!r}, but connects "
                    f"{', '.join(sorted(before))} to {', '.join(sorted(here))}"
                )
        sources = stage.units


def _kernels(
    stage: Stage, sources: Sequence[Label], positions: Positions
) -> Float64[np.ndarray, "targets sources size size"]:
    kernels = np.zeros((len(stage.units), len(sources), stage.size, stage.size))
    for kernel, target in zip(kernels, stage.units, strict=True):
        for weights, source in zip(kernel, sources, strict=True):
            if rule := stage.rules.get((source.kind, target.kind)):
                weights[:] = rule(source, target, positions)
        # A sum that does not depend on the order of its terms, which rotation changes.
        excitation = math.fsum(kernel.max(axis=0).clip(min=0.0).flat)
        if excitation == 0:
            raise InputError(
                f"nothing excites the unit {target} of {stage.layer!r}; give it a rule from one "
                f"of {', '.join(sorted({label.kind for label in sources}))}"
            )
        kernel /= excitation
    return kernels


def labels(network: Network, layer: str) -> tuple[Label, ...]:
    """Return the labels of the units of a layer.

    Parameters
    ----------
    network
        A handwritten network.
    layer
        One of its layers; pools and normalizations have the units of the stage before them.

    Raises
    ------
    InputError
        For a network that is not handwritten, or an unknown layer.

    Examples
    --------
    >>> from visioncircuits.handwritten import load
    >>> labels(load("high-low"), "conv2d2")
    (Label(kind='high frequency'), Label(kind='low frequency'))
    """
    module = handwritten(network)
    network.layer(layer)
    while not isinstance(module.operation(layer), nn.Conv2d):
        (layer,) = module.sources[layer]
    (found,) = (s for s in module.stages if layer == f"{s.layer}_pre_relu")
    return tuple(found.units)


def handwritten(network: Network) -> Handwritten:
    """Return the module of a handwritten network.

    Raises
    ------
    InputError
        For a network that is not handwritten.
    """
    if not isinstance(network.module, Handwritten):
        raise InputError(f"{network.name} is not handwritten, so its units have no labels")
    return network.module
