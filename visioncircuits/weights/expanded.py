"""Expanded weights: the linear map between two layers that need not be adjacent.

Source: Voss et al., "Visualizing Weights" (2021).
"""

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

import visioncircuits
from visioncircuits.errors import InputError
from visioncircuits.networks import Feature, Network, parse
from visioncircuits.weights import storage
from visioncircuits.weights.composition import EVERY, GIB, backwards, forwards
from visioncircuits.weights.kernels import Pair
from visioncircuits.weights.linearization import INPUT, Linearization, Trace, trace
from visioncircuits.weights.selection import Features, select

FEW = 8
"""How many times fewer inputs than outputs there must be for it to pay to start from them."""

_KIND = "expanded weights"


@dataclass(frozen=True, eq=False)
class ExpandedWeights:
    """The linear map between two layers: `output[o, p] = Σ weight[o, i, y, x] · input[i, q]`.

    There `q = stride·p + offset + (y, x)`, away from the maps' borders.

    Attributes
    ----------
    weight
        Float32 `(out, in, height, width)`, a cross-correlation as in torch.
    inputs, outputs
        The features that the second and the first axis stand for.
    stride, offset
        Down and right, in neurons of the source. With stride (0, 0) it is the map to one neuron,
        and the offset is an absolute position.
    record
        How to make it again, as plain data: network, checkpoint, linearization, versions.
    """

    weight: Float[Tensor, "out in height width"]
    inputs: tuple[Feature, ...]
    outputs: tuple[Feature, ...]
    stride: Pair
    offset: Pair
    record: dict[str, Any]

    @property
    def source(self) -> str:
        """The layer that it leads from; `"input"` is the picture itself, RGB in [0, 1]."""
        return self.inputs[0].layer

    @property
    def target(self) -> str:
        """The layer that it leads to."""
        return self.outputs[0].layer

    def row(self, feature: str | Feature | None = None) -> int:
        """Find an output's place; it may be left out where there is only one.

        Raises
        ------
        InputError
            For a feature that the weights do not lead to.
        """
        return _place(self.outputs, feature, "lead to")

    def column(self, feature: str | Feature | None = None) -> int:
        """Find an input's place; it may be left out where there is only one.

        Raises
        ------
        InputError
            For a feature that the weights do not lead from.
        """
        return _place(self.inputs, feature, "lead from")

    @property
    def array(self) -> xr.DataArray:
        """The weights, labelled: `out` and `in` by feature, `y` and `x` in neurons."""
        (top, left), (height, width) = self.offset, self.weight.shape[2:]
        return xr.DataArray(
            self.weight.cpu().numpy(),
            dims=("out", "in", "y", "x"),
            coords={
                "out": [str(feature) for feature in self.outputs],
                "in": [str(feature) for feature in self.inputs],
                "y": top + np.arange(height),
                "x": left + np.arange(width),
            },
            name="weight",
        )

    def save(self, path: str | Path) -> Path:
        """Write it as .npz or as .nc (netCDF), labels and record included.

        Raises
        ------
        InputError
            For another suffix, or where the file cannot be written.
        """
        dataset = self.array.to_dataset()
        dataset.attrs = {
            "kind": _KIND,
            "inputs": storage.features_to_json(self.inputs),
            "outputs": storage.features_to_json(self.outputs),
            "stride": json.dumps(self.stride),
            "record": json.dumps(self.record),
        }
        return storage.write(dataset, path)

    @classmethod
    def load(cls, path: str | Path) -> "ExpandedWeights":
        """Read saved weights back.

        Raises
        ------
        InputError
            Where the file is missing, damaged, or holds something else.
        """
        dataset = storage.read(path, _KIND)
        stride = json.loads(dataset.attrs["stride"])
        return cls(
            weight=torch.tensor(dataset["weight"].values),
            inputs=storage.features_from_json(dataset.attrs["inputs"]),
            outputs=storage.features_from_json(dataset.attrs["outputs"]),
            stride=(stride[0], stride[1]),
            offset=(int(dataset["y"][0]), int(dataset["x"][0])),
            record=json.loads(dataset.attrs["record"]),
        )


def _place(features: tuple[Feature, ...], wanted: str | Feature | None, told: str) -> int:
    if wanted is None and len(features) == 1:
        return 0
    if wanted is None:
        raise InputError(f"the weights {told} {len(features)} features: say which is meant")
    try:
        return features.index(parse(wanted))
    except ValueError as error:
        raise InputError(
            f"{wanted} is none of the {len(features)} features that the weights {told}, such as "
            f"{features[0]}"
        ) from error


@torch.no_grad()
def expanded_weights(
    network: Network,
    source: Features,
    target: Features,
    *,
    linearization: Linearization | None = None,
    pictures: Float[Tensor, "batch channels height width"] | None = None,
    position: Pair | None = None,
    memory: float = 2 * GIB,
) -> ExpandedWeights:
    """Compute the weights between two layers, adjacent or not, of the linearised network.

    They are composed from the kernels between the two, starting from the side that has few
    features; there is no backward pass.

    Parameters
    ----------
    source, target
        Each a layer, for all of its units; a feature; or several features of one layer. The source
        may be `"input"`.
    linearization
        How what is not linear is replaced; as `Linearization()` says where it is not given.
    pictures
        What gates and gains are taken from: float32 in [0, 1], `(batch, 3, height, width)`.
    position
        Row and column of one neuron of the target, for the map to this neuron alone: then what
        would be read beyond a border is left out, and gates and gains are those at each position
        of the one picture.
    memory
        How many bytes the result may take.

    Returns
    -------
    ExpandedWeights
        Of `(out, in, height, width)`.

    Raises
    ------
    InputError
        For layers in the wrong order or with no path between them, features that the network does
        not have, a result too large, and operations that have no linear stand-in.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> weights = expanded_weights(network, "conv2d2", "mixed3a:7")
    >>> weights.weight.shape, weights.stride, weights.offset
    (torch.Size([1, 192, 3, 3]), (2, 2), (0, 0))
    """
    linearization = linearization or Linearization()
    _check(linearization, pictures, position)
    inputs, outputs = select(network, source), select(network, target)
    layers = [inputs.layer, outputs.layer]
    found = trace(
        network,
        layers,
        linearization,
        pictures=pictures,
        averaged=position is None,
        borders=position is not None or _everywhere(network, outputs.layer) != EVERY,
    )
    _check_path(found, *layers)
    neuron = _neuron(network, found, outputs.layer, position)
    if FEW * len(inputs) < len(outputs) and neuron == EVERY:
        kernel = forwards(found, inputs, outputs, memory=memory)
    else:
        kernel = backwards(found, inputs, outputs, neuron=neuron, memory=memory)
    record = provenance(network, linearization, position=position)
    return ExpandedWeights(
        kernel.weight, inputs.features, outputs.features, kernel.stride, kernel.offset, record
    )


def provenance(network: Network, linearization: Linearization, **more: Any) -> dict[str, Any]:
    """Say how weights came about, as plain data."""
    return {
        "version": visioncircuits.__version__,
        "torch": version("torch"),
        "network": network.record(),
        "linearization": linearization.record(),
        **more,
    }


def _check(linearization: Linearization, pictures: Tensor | None, position: Pair | None) -> None:
    if linearization.needs_pictures and pictures is None:
        raise InputError(f"{linearization} depends on pictures: give some")
    if linearization.max_pool == "route" and position is None:
        raise InputError(
            "what a max pool passed on differs from neuron to neuron: give a position, or take "
            'max_pool="average"'
        )
    if position is not None and pictures is not None and len(pictures) != 1:
        raise InputError(
            f"the map to one neuron belongs to one picture, not to {len(pictures)}; leave out the "
            "position for averages, or give one picture at a time"
        )


def _check_path(found: Trace, source: str, target: str) -> None:
    """Find out whether the source feeds the target, by what can be followed alone."""
    begin, end = found.layers[source], found.layers[target]
    if begin == end:
        raise InputError(f"{source} and {target} hold the same values: there is nothing between")
    path = found.between(begin, end)
    if not path and found.between(end, begin):
        raise InputError(f"{source} comes after {target}; give the earlier layer as the source")
    if not path:
        raise InputError(f"no path leads from {source} to {target}; they lie side by side")
    for at in path[1:]:
        if found.steps[at].operation is None:
            raise InputError(
                f"between {source} and {target} the network does {found.steps[at].name!r}, which "
                "has no linear stand-in here; expanded_weights_by_autograd takes its derivative"
            )


def _everywhere(network: Network, layer: str) -> tuple[Pair, Pair]:
    """Give stride and offset of the identity at a layer, all of whose neurons are meant."""
    return EVERY if layer == INPUT or all(network.layer(layer).stride) else ((0, 0), (0, 0))


def _neuron(network: Network, found: Trace, layer: str, position: Pair | None) -> tuple[Pair, Pair]:
    """Give stride and offset of the identity at the target."""
    shape = (*found.steps[found.layers[layer]].shape[1:], 1, 1)[:2]
    if position is None:
        return _everywhere(network, layer)
    if not all(0 <= place < size for place, size in zip(position, shape, strict=True)):
        raise InputError(
            f"{layer} has no neuron at {position}; it has {shape[0]} rows and {shape[1]} columns"
        )
    return (0, 0), position
