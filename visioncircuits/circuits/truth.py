"""The true circuit of a handwritten network: the edges that its own weights have."""

import torch

from visioncircuits.circuits.candidates import candidates
from visioncircuits.circuits.circuit import Circuit
from visioncircuits.errors import InputError
from visioncircuits.handwritten.circuit import handwritten
from visioncircuits.networks import Network, Unit


def true_circuit(network: Network, target: str, source: str, *, share: float = 0.01) -> Circuit:
    """Return the circuit that a handwritten network's weights describe.

    Its places are what each convolution takes, after pools and normalizations, so that an edge is
    a kernel.

    Parameters
    ----------
    network
        A handwritten network.
    target
        One of its units, such as `mixed3b:0`, or `mixed3b_pre_relu:0`.
    source
        The layer of the stage at which the circuit begins, such as `conv2d1`.
    share
        The smallest L2 norm of a kernel that counts, of the largest of its unit. Rules are made of
        Gaussians, which are never quite 0.

    Raises
    ------
    InputError
        For a network that is not handwritten, an unknown layer or unit, or a source that is not
        before the target.

    Examples
    --------
    >>> from visioncircuits.handwritten import load
    >>> true_circuit(load("curves"), "mixed3b:26", "conv2d2")
    Circuit(mixed3b:26: 12 of maxpool1 → 12 of mixed3a → 1 of mixed3b, 156 edges)
    """
    module = handwritten(network)
    asked = network.feature(target)
    stages = [stage.layer for stage in module.stages]
    if not isinstance(asked, Unit):
        raise InputError(f"{asked} is a direction; the weights describe units")
    goal = asked.layer.removesuffix("_pre_relu")
    for layer in (source, goal):
        if layer not in stages:
            raise InputError(f"{layer} is no stage of {network.name}; name {' or '.join(stages)}")
    later = stages[stages.index(source) + 1 : stages.index(goal) + 1]
    if not later:
        raise InputError(f"{source} is not before {asked}; name an earlier stage")
    places = [module.sources[f"{layer}_pre_relu"][0] for layer in later]
    found, unit = candidates(network, asked, places), asked.index
    kept = {}
    for number, layer in enumerate(later):
        weight = network.module.get_parameter(f"{layer}_pre_relu.weight").detach()
        norms = weight.square().sum((2, 3)).sqrt()
        strong = norms >= share * norms.amax(1, keepdim=True)
        kept[number, number + 1] = (strong if layer != goal else strong[[unit]]).T
    chosen = found.live(found.joined(kept).to(torch.bool).cpu().numpy())
    return found.circuit(chosen.nonzero()[0], {"network": network.record(), "share": share})
