"""The local linear map from a layer to weighted sums of a later one, on one picture.

The map of contextual weights ("Visualizing Weights", Voss et al., 2021), to many neurons at once.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.networks import Network
from visioncircuits.weights.composition import composed
from visioncircuits.weights.expansion import check_path
from visioncircuits.weights.kernels import Kernel, within
from visioncircuits.weights.linearization import LOCAL
from visioncircuits.weights.tracing import trace


@torch.no_grad()
def local_map(
    network: Network,
    picture: Float[Tensor, "1 channels height width"],
    source: str,
    target: str,
    sums: Float[Tensor, "sums units rows columns"],
    *,
    instead: str,
) -> Float[Tensor, "sums in_units in_rows in_columns"]:
    """Return how each weighted sum over the target's neurons depends on the source's.

    Parameters
    ----------
    picture
        On which gates, gains and the routes through max pools are computed.
    source, target
        Layers, the earlier one first.
    sums
        The weights of the target's neurons.
    instead
        What to do where there is no such map, for messages.

    Raises
    ------
    InputError
        As `expanded_weights`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    >>> one = torch.zeros(1, 256, 8, 8)
    >>> one[0, 7, 3, 2] = 1
    >>> local_map(network, picture, "conv2d2", "mixed3a", one, instead="do not").shape
    torch.Size([1, 192, 16, 16])
    """
    traced = trace(network, [source, target], LOCAL, pictures=picture, averaged=False, borders=True)
    check_path(traced, source, target, one_neuron=True, instead=instead)
    begin, end = traced.layers[source], traced.layers[target]
    shape = (*traced.steps[begin].shape, 1, 1)[:3]
    weight = sums.new_zeros(len(sums), *shape).to(network.device)
    start = Kernel(sums.to(network.device), (0, 0), (0, 0))
    if (kernel := composed(traced, begin, end, start)) is not None:
        within(weight, (0, 0), kernel).copy_(kernel.weight)
    return weight
