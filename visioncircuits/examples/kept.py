"""What is kept of a layer's activations: of which features, at which positions, in which files."""

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from visioncircuits.errors import InputError, unknown
from visioncircuits.examples import sampling
from visioncircuits.networks import Feature, Features, Network, expand, select
from visioncircuits.numbers import whole

DTYPES = ("float16", "float32")


@dataclass(frozen=True)
class Kept:
    """What is kept of one layer.

    Attributes
    ----------
    file
        The name of its array's file.
    indices, vectors
        Its features: of units the indices, else directions over the layer's units.
    shape
        Rows and columns of the layer; () where it has no positions.
    """

    layer: str
    file: str
    features: tuple[Feature, ...]
    indices: list[int] | None
    vectors: Float[Tensor, "features units"]
    shape: tuple[int, ...]
    positions: int | str
    dtype: str
    seed: int

    @property
    def places_file(self) -> str:
        return f"{self.file.removesuffix('.npy')}.positions.npy"

    def rows(self) -> dict[str, np.ndarray]:
        """Return, by file, an array like what is written for each photograph."""
        count = len(self.features)
        if isinstance(self.positions, int):
            return {
                self.file: np.empty((self.positions, count), self.dtype),
                self.places_file: np.empty((self.positions, 2), np.int32),
            }
        kept = self.shape if self.positions == "all" else ()
        return {self.file: np.empty((count, *kept), self.dtype)}

    def of(
        self, maps: Float[Tensor, "batch units *positions"], numbers: Int64[np.ndarray, " batch"]
    ) -> dict[str, np.ndarray]:
        """Return what is written for the photographs of these numbers.

        Raises
        ------
        InputError
            For values that float16 cannot hold.
        """
        if self.indices is None:
            maps = torch.einsum("fu,bu...->bf...", self.vectors.to(maps), maps)
        elif self.indices != list(range(maps.shape[1])):
            maps = maps[:, self.indices]
        found = {}
        if self.positions == "mean":
            maps = maps.flatten(2).mean(2)
        elif self.positions == "max":
            maps = maps.flatten(2).amax(2)
        elif isinstance(self.positions, int):
            places = self._drawn(numbers)
            index = torch.from_numpy(places).to(maps.device)[:, None]
            maps = maps.flatten(2).gather(2, index.expand(-1, maps.shape[1], -1)).transpose(1, 2)
            rows_and_columns = np.divmod(places, self.shape[1])
            found[self.places_file] = np.stack(rows_and_columns, -1).astype(np.int32)
        return {self.file: rounded(maps, self.dtype, self.layer), **found}

    def _drawn(self, numbers: Int64[np.ndarray, " batch"]) -> Int64[np.ndarray, "batch drawn"]:
        """Draw positions of each photograph: they depend on its number and the seed alone."""
        every = np.arange(math.prod(self.shape))
        hashes = sampling.hashed(numbers[:, None], every[None], self.seed)
        return np.sort(np.argsort(hashes, 1)[:, : int(self.positions)], 1)

    def described(self) -> dict[str, Any]:
        """Return what `load_activations` needs, as JSON data."""
        sampled = isinstance(self.positions, int)
        positions = ["row", "column"] if self.positions == "all" and self.shape else []
        return {
            "file": self.file,
            "positions": self.places_file if sampled else None,
            "dims": ["sample" if sampled else "photograph", "unit", *positions],
            "units": [str(feature) for feature in self.features],
        }


def rounded(values: Float[Tensor, "*shape"], dtype: str, layer: str) -> Float[np.ndarray, "*shape"]:
    """Return a layer's values as an array of a type.

    Raises
    ------
    InputError
        For values that float16 cannot hold.

    Examples
    --------
    >>> rounded(torch.tensor([1 / 3]), "float16", "mixed3b")
    array([0.3333], dtype=float16)
    """
    array = values.float().cpu().numpy()
    largest = np.finfo(dtype).max
    if (over := np.abs(array)[np.isfinite(array)].max(initial=0)) > largest:
        raise InputError(
            f"{layer} has the activation {over:.6g}, and {dtype} ends at {largest:g}; pass "
            "dtype='float32'"
        )
    return array.astype(dtype)


def kept(
    network: Network, features: Features, positions: int | str, dtype: str, seed: int
) -> list[Kept]:
    """Check the options, and sort features by layer."""
    if dtype not in DTYPES:
        raise unknown("dtype of activations", str(dtype), DTYPES)
    if isinstance(positions, str):
        if positions not in ("all", "mean", "max"):
            raise InputError(
                f"positions are 'all', 'mean', 'max' or a number of them, not {positions!r}"
            )
    else:
        positions = whole("positions", positions, least=1)
    layers: dict[str, dict[Feature, None]] = {}
    for feature in expand(network, features):
        layers.setdefault(feature.layer, {})[feature] = None
    found: list[Kept] = []
    for name, listed in layers.items():
        shape = network.layer(name).shape
        if not shape and positions != "all":
            raise InputError(f"{name} has no positions; save it with positions='all'")
        if isinstance(positions, int) and positions > math.prod(shape):
            raise InputError(
                f"{name} has {math.prod(shape)} positions, and {positions} cannot be drawn"
            )
        chosen = select(network, list(listed))
        file = re.sub(r"[^\w.-]", "-", name)
        if any(part.file == f"{file}.npy" for part in found):
            file = f"{file}-{len(found)}"
        vectors = chosen.vectors if chosen.indices is None else torch.empty(0, 0)
        found.append(
            Kept(name, f"{file}.npy", chosen.features, chosen.indices, vectors.cpu(), shape,
                  positions, dtype, seed)
        )  # fmt: skip
    return found
