"""Path patching: one edge or one weight changed, and everything beside it left as it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import errors
from visioncircuits.errors import InputError
from visioncircuits.interventions.edits import Access, Change, access, edit_of
from visioncircuits.networks import Features, Network
from visioncircuits.networks.edits import Rewiring


@contextmanager
def path_patched(
    network: Network, sources: Features, targets: Features, change: Change
) -> Iterator[None]:
    """Change the values of sources as inputs of the targets alone, within this context.

    The targets are what they would be if the sources had the changed values: along the kernel
    between them where the layers are adjacent, otherwise along every path, through branches,
    bottlenecks and rectifiers. All other features receive the original values of the sources, and
    what follows receives the changed targets. With `zero()` or `constant(mean)` it is the
    ablation of an edge (Goldowsky-Dill et al., "Localizing Model Behavior with Path Patching",
    2023).

    Contexts nest, with one another and with `edited`, whose edits come first. Each costs what
    lies between sources and targets once more. Gradients flow.

    Parameters
    ----------
    network
        Any network.
    sources
        Units or directions of one layer.
    targets
        Units or directions of one later layer.
    change
        What becomes of the sources' values: as for `edited`.

    Raises
    ------
    InputError
        For unknown features, none, features of several layers on one side, or targets that do not
        depend on the sources' layer.

    Examples
    --------
    >>> from visioncircuits.interventions import zero
    >>> from visioncircuits.networks import untrained
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    >>> layer = "mixed3b_pre_relu"
    >>> before = network.activations(picture, [layer])[layer]
    >>> with path_patched(network, "mixed3a:5", f"{layer}:9", zero()):
    ...     after = network.activations(picture, [layer])[layer]
    >>> (before != after).any(dim=3).any(dim=2).nonzero().tolist()
    [[0, 9]]
    """
    with network.changing(rewiring(network, sources, targets, change)):
        yield


def rewiring(network: Network, sources: Features, targets: Features, change: Change) -> Rewiring:
    """Return what `path_patched` does as a change of the network's graph.

    Raises
    ------
    InputError
        As `path_patched`.
    """
    start, end = access(network, sources), access(network, targets)
    if not network.depends(end.layer, start.layer):
        raise InputError(
            f"{end.layer} does not depend on {start.layer}; name sources of an earlier layer"
        )
    edit = edit_of(network, sources, change)
    return Rewiring(edit.place, edit.change, end.layer, _Merged(end))


@dataclass(frozen=True)
class _Merged:
    """Take over the targets' changed values, and nothing else of the layer."""

    targets: Access

    def __call__(self, values: Tensor, changed: Tensor) -> Tensor:
        return self.targets.write(values, self.targets.read(changed))


@contextmanager
def reweighted(
    network: Network,
    parameter: str,
    place: tuple[int | slice, ...],
    change: Callable[[Float[Tensor, "..."]], Float[Tensor, "..."]],
) -> Iterator[None]:
    """Change one weight, or some weights of one parameter, within this context.

    Afterwards the parameter is what it was to the bit, whatever happens in the context.

    Parameters
    ----------
    network
        Any network.
    parameter
        As torch names it: `mixed3b_5x5_pre_relu.weight`, which is `(out, in, height, width)`.
    place
        What is changed, as an index into the parameter: four numbers are one weight of a
        convolution, two (out, in) are a kernel.
    change
        What becomes of the weights: `zero()`, `constant(value)`, `scale(factor)`, or a function
        of your own.

    Raises
    ------
    InputError
        For an unknown parameter, or a place that it does not have.

    Examples
    --------
    >>> from visioncircuits.interventions import zero
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> weight = network.module.get_parameter("conv2d0_pre_relu.weight")
    >>> with reweighted(network, "conv2d0_pre_relu.weight", (5, 0, 3, 3), zero()):
    ...     float(weight[5, 0, 3, 3])
    0.0
    >>> bool(weight[5, 0, 3, 3] == 0)
    False
    """
    parameters = dict(network.module.named_parameters())
    if parameter not in parameters:
        raise errors.unknown("parameter", parameter, parameters)
    values = parameters[parameter]
    try:
        before = values.detach()[place].clone()
    except IndexError as error:
        raise InputError(
            f"{parameter} is {' × '.join(map(str, values.shape))}, and has no weight at {place}"
        ) from error
    try:
        with torch.no_grad():
            values[place] = change(before)
        yield
    finally:
        with torch.no_grad():
            values[place] = before
