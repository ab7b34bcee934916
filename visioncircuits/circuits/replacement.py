"""What a network would say if a layer said something else."""

from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import LayerGraph, Network, Node
from visioncircuits.networks.graph import INPUT
from visioncircuits.networks.network import Pictures


def replaced(network: Network, layer: str, values: Tensor, *, pictures: Pictures) -> Tensor:
    """Compute a network's output with a layer's values replaced by others.

    Parameters
    ----------
    network
        Any network.
    layer
        One of its layers.
    values
        What the layer is to say: of the shape that it has on the pictures.
    pictures
        Float32 in [0, 1], `(batch, channels, height, width)`: what layers beside this one see. A
        `LayerGraph` whose every path leads through the layer does not look at them.

    Raises
    ------
    InputError
        For an unknown layer, or values of another shape.

    Examples
    --------
    >>> import torch
    >>> from visioncircuits.networks import untrained
    >>> network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 224, 224)
    >>> said = network.activations(picture, ["mixed4a", "logits"])
    >>> same = replaced(network, "mixed4a", said["mixed4a"], pictures=picture)
    >>> torch.allclose(same, said["logits"], atol=1e-5)
    True
    """
    height, width = pictures.shape[2:]
    layers = network.layers_at((height, width))
    expected = (len(pictures), *layers[network.layer(layer).name].shape)
    if (values.shape[0], *values.shape[2:]) != expected:
        raise InputError(
            f"{layer} has values of {expected} on these pictures, batch and positions, not "
            f"{(values.shape[0], *values.shape[2:])}"
        )
    if isinstance(network.module, LayerGraph):
        remainder = section(network.module, layer, network.module.output)
        if remainder is not None:
            return remainder(values)
    handle = network.module.get_submodule(layer).register_forward_hook(lambda *_: values.clone())
    try:
        return network(pictures)
    finally:
        handle.remove()


def section(graph: LayerGraph, layer: str, target: str) -> LayerGraph | None:
    """Give the part of a network from one layer to another, where nothing else leads there."""
    needed, waiting = {target}, [target]
    while waiting:
        before = graph.sources.get(waiting.pop(), ())
        waiting.extend(name for name in before if name not in needed and name != layer)
        needed.update(waiting)
    nodes: dict[str, Node] = {}
    for name, sources in graph.sources.items():
        if name not in needed or not any(s == layer or s in nodes for s in sources):
            continue
        if not all(source == layer or source in nodes for source in sources):
            return None
        inputs = tuple(INPUT if source == layer else source for source in sources)
        nodes[name] = Node(graph.operation(name), inputs)
    return LayerGraph(nodes, output=target) if target in nodes else None
