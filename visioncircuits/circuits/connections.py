"""One connection or one weight changed, and everything beside it left as it is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import errors
from visioncircuits.circuits.attribution import follows
from visioncircuits.circuits.interventions import Access, Edit, access, intervened
from visioncircuits.errors import InputError
from visioncircuits.networks import Feature, LayerGraph, Network
from visioncircuits.networks.graph import INPUT

Features = str | Feature | Sequence[str | Feature]


@contextmanager
def rewired(network: Network, sources: Features, targets: Features, edit: Edit) -> Iterator[None]:
    """Let sources say something else to the targets, and to nobody else, within this context.

    The targets are what they would be if the sources said what `edit` makes of it: along the
    kernel between them where the layers are adjacent, otherwise along every path, through
    branches, bottlenecks and rectifiers. All other features hear the sources as they are, and what
    follows hears the changed targets. With `silenced()` or `held(mean)` it is the ablation of a
    connection, known as path patching (Goldowsky-Dill et al., "Localizing Model Behavior with
    Path Patching", 2023).

    Contexts nest, with one another and with `intervened`. Each costs one more forward pass, as far
    as the targets. Gradients flow.

    Parameters
    ----------
    network
        Any network. In one that is no `LayerGraph`, layers that run more than once are changed as
        they were the first time.
    sources
        Units or directions of one layer.
    targets
        Units or directions of one later layer.
    edit
        What becomes of what the sources say: `silenced`, `held`, `scaled`, `swapped`, or a
        function of your own.

    Raises
    ------
    InputError
        For unknown features, none, features of several layers on one side, or targets that do not
        depend on the sources' layer.

    Examples
    --------
    >>> from visioncircuits.circuits import silenced
    >>> from visioncircuits.networks import untrained
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    >>> layer = "mixed3b_pre_relu"
    >>> before = network.activations(picture, [layer])[layer]
    >>> with rewired(network, "mixed3a:5", f"{layer}:9", silenced()):
    ...     after = network.activations(picture, [layer])[layer]
    >>> (before != after).any(dim=3).any(dim=2).nonzero().tolist()
    [[0, 9]]
    """
    speakers, listeners = access(network, sources), access(network, targets)
    module, name = network.module, listeners.layer
    if speakers.layer == name or (
        isinstance(module, LayerGraph) and not follows(module, name, speakers.layer)
    ):
        raise _unconnected(speakers, listeners)
    with ExitStack() as stack:
        again = _repeater(network, name, stack)
        asking = False

        def hook(_module: Any, _inputs: Any, output: Tensor) -> Tensor:
            nonlocal asking
            if asking:
                raise _Heard(output)
            spoken = False

            def noted(said: Tensor) -> Tensor:
                nonlocal spoken
                spoken = True
                return edit(said)

            asking = True
            try:
                with intervened(network, sources, noted):
                    again()
            except _Heard as heard:
                if not spoken:
                    raise _unconnected(speakers, listeners) from None
                return listeners.write(output, listeners.read(heard.values))
            finally:
                asking = False
            raise AssertionError("a forward pass ran twice and took another way")

        stack.callback(module.get_submodule(name).register_forward_hook(hook).remove)
        yield


class _Heard(Exception):
    """What the targets' layer gives once the sources have said something else."""

    def __init__(self, values: Tensor) -> None:
        super().__init__()
        self.values = values


def _repeater(network: Network, layer: str, stack: ExitStack) -> Callable[[], object]:
    """Give what repeats the forward pass that is running, as far as a layer."""
    module, taken = network.module, {}

    if isinstance(module, LayerGraph):
        for name, sources in module.sources.items():
            if INPUT in sources:
                place = sources.index(INPUT)

                def note(_module: Any, inputs: tuple[Tensor, ...], place: int = place) -> None:
                    taken[INPUT] = inputs[place]

                operation = module.operation(name)
                stack.callback(operation.register_forward_pre_hook(note).remove)
        return lambda: module.compute(taken[INPUT], [layer])

    def note_all(_module: Any, inputs: tuple[Tensor, ...]) -> None:
        taken[INPUT] = inputs[0]

    stack.callback(module.register_forward_pre_hook(note_all).remove)
    return lambda: module(taken[INPUT])


def _unconnected(speakers: Access, listeners: Access) -> InputError:
    return InputError(
        f"{listeners.layer} does not depend on {speakers.layer}; name sources of an earlier layer"
    )


@contextmanager
def reweighted(
    network: Network,
    parameter: str,
    place: tuple[int | slice, ...],
    edit: Callable[[Float[Tensor, "..."]], Float[Tensor, "..."]],
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
    edit
        From what the weights are to what they are to be: `silenced`, `held`, `scaled`, or a
        function of your own.

    Raises
    ------
    InputError
        For an unknown parameter, or a place that it does not have.

    Examples
    --------
    >>> from visioncircuits.circuits import silenced
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> weight = network.module.get_parameter("conv2d0_pre_relu.weight")
    >>> with reweighted(network, "conv2d0_pre_relu.weight", (5, 0, 3, 3), silenced()):
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
            values[place] = edit(before)
        yield
    finally:
        with torch.no_grad():
            values[place] = before
