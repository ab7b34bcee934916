"""Expanded weights: the linear map between two layers, adjacent or not.

Source: Voss et al., "Visualizing Weights" (2021).
"""

import base64
import json
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import Feature, parse
from visioncircuits.pictures import png
from visioncircuits.weights import storage
from visioncircuits.weights.kernels import Pair

_KIND = "expanded weights"


@dataclass(frozen=True, eq=False)
class ExpandedWeights:
    """The linear map between two layers: `output[o, p] = Σ weight[o, i, y, x] · input[i, q]`.

    Here `q = stride·p + offset + (y, x)`, away from the maps' borders. A notebook shows the
    strongest kernels.

    Attributes
    ----------
    weight
        Float32 `(out, in, height, width)`, a cross-correlation as in torch.
    inputs, outputs
        The features along the second and the first axis.
    stride, offset
        Down and right, in neurons of the source. With stride (0, 0) it is the map to one neuron,
        and the offset is an absolute position.
    record
        How it was computed, as plain data: network, checkpoint, linearization, versions.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.weights import expanded_weights
    >>> weights = expanded_weights(untrained("bvlc_googlenet"), "mixed3a", "mixed3b:7")
    >>> weights
    ExpandedWeights(256 of mixed3a → mixed3b:7, shape=(1, 256, 1, 1), stride=(1, 1), offset=(0, 0))
    replaced: max_pool2d (max_pool): average, relu (rectifier): identity
    >>> weights.array.sel({"in": "mixed3a:5"}).dims
    ('out', 'y', 'x')
    """

    weight: Float[Tensor, "out in height width"]
    inputs: tuple[Feature, ...]
    outputs: tuple[Feature, ...]
    stride: Pair
    offset: Pair
    record: dict[str, Any]

    def __repr__(self) -> str:
        replaced = ", ".join(f"{name}: {how}" for name, how in self.replaced.items())
        return f"{self.line}\nreplaced: {replaced}" if replaced else self.line

    @property
    def line(self) -> str:
        """From where to where, shape, stride and offset, as one line."""
        inputs, outputs = (
            str(features[0]) if len(features) == 1 else f"{len(features)} of {features[0].layer}"
            for features in (self.inputs, self.outputs)
        )
        return (
            f"ExpandedWeights({inputs} → {outputs}, shape={tuple(self.weight.shape)}, "
            f"stride={self.stride}, offset={self.offset})"
        )

    def _repr_png_(self) -> bytes:
        from visioncircuits.weights.pictures import kernel_grid

        return png(kernel_grid(self.strongest()))

    def _repr_html_(self) -> str:
        shown = base64.b64encode(self._repr_png_()).decode()
        return f'<pre>{escape(repr(self))}</pre><img src="data:image/png;base64,{shown}">'

    def strongest(self, kernels: int = 24) -> "ExpandedWeights":
        """Return the weights between the strongest inputs and outputs, the strongest first.

        Parameters
        ----------
        kernels
            How many at most, in up to 12 rows and columns.
        """
        norms = self.weight.nan_to_num().square().sum((2, 3)).cpu()
        across = min(norms.shape[1], kernels // min(norms.shape[0], 4), 12)
        rows = norms.sum(1).argsort(descending=True, stable=True)[: min(kernels // across, 12)]
        columns = norms[rows].sum(0).argsort(descending=True, stable=True)[:across]
        return replace(
            self,
            weight=self.weight[rows][:, columns],
            inputs=tuple(self.inputs[at] for at in columns.tolist()),
            outputs=tuple(self.outputs[at] for at in rows.tolist()),
        )

    @property
    def replaced(self) -> dict[str, str]:
        """What became of the operations in between that a `Linearization` replaces, by name.

        Examples
        --------
        >>> from visioncircuits.networks import untrained
        >>> from visioncircuits.weights import expanded_weights
        >>> expanded_weights(untrained("bvlc_googlenet"), "mixed3a", "mixed3b:7").replaced
        {'max_pool2d (max_pool)': 'average', 'relu (rectifier)': 'identity'}
        """
        return dict(self.record.get("replaced", {}))

    @property
    def source(self) -> str:
        """The source layer; `"input"` is the picture itself, RGB in [0, 1]."""
        return self.inputs[0].layer

    @property
    def target(self) -> str:
        """The target layer."""
        return self.outputs[0].layer

    def row(self, feature: str | Feature | None = None) -> int:
        """Return the index of an output, which may be omitted if there is only one.

        Raises
        ------
        InputError
            For a feature that is not one of the outputs.
        """
        return _index(self.outputs, feature, "outputs")

    def column(self, feature: str | Feature | None = None) -> int:
        """Return the index of an input, which may be omitted if there is only one.

        Raises
        ------
        InputError
            For a feature that is not one of the inputs.
        """
        return _index(self.inputs, feature, "inputs")

    @property
    def array(self) -> xr.DataArray:
        """The weights as a labeled array: `out` and `in` by feature, `y` and `x` in neurons."""
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
        """Save as .npz or .nc (netCDF), with labels and record.

        Raises
        ------
        InputError
            For another suffix, or if the file cannot be written.
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
        """Load saved weights.

        Raises
        ------
        InputError
            If the file is missing, damaged, or has other content.
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


def _index(features: tuple[Feature, ...], feature: str | Feature | None, kind: str) -> int:
    if feature is None and len(features) == 1:
        return 0
    if feature is None:
        raise InputError(f"the weights have {len(features)} {kind}; name one of them")
    try:
        return features.index(parse(feature))
    except ValueError as error:
        raise InputError(
            f"{feature} is not among the {len(features)} {kind} of the weights, such as "
            f"{features[0]}"
        ) from error
