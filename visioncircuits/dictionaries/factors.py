"""What the dictionaries of scikit-learn's factorizations share."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import sklearn
from jaxtyping import Float
from torch import Tensor

from visioncircuits.dictionaries.dictionary import provenance
from visioncircuits.dictionaries.normalization import Normalization
from visioncircuits.dictionaries.sources import checked
from visioncircuits.errors import InputError
from visioncircuits.networks import Network


def normalized(
    activations: Float[Tensor, "samples units"], atoms: int, kind: str, *, centered: bool = True
) -> tuple[Float[np.ndarray, "samples units"], Normalization]:
    """Return activations in float32 as an array, and how they were normalized.

    Raises
    ------
    InputError
        For activations that are not finite or all the same, more atoms than units or samples, or
        an unknown normalization.
    """
    values = checked(activations).float().cpu()
    if not 1 <= atoms <= min(values.shape):
        samples, units = values.shape
        raise InputError(f"{samples} activations of {units} units have no {atoms} factors")
    normalization = Normalization.of(values, kind, centered=centered)
    return normalization.applied(values).numpy(), normalization


def described(
    layer: str, method: str, atoms: int, settings: Mapping[str, Any], network: Network | None
) -> dict[str, Any]:
    """Return the record of a factorization."""
    record = provenance(layer, {"name": method}, atoms, settings, network)
    return record | {"scikit-learn": sklearn.__version__}
