"""Operations in place: which tensors they change, and which other names of them are used later."""

from collections.abc import Iterable, Sequence

from torch import Tensor

from visioncircuits.networks.nodes import Node


def version(tensor: Tensor) -> int:
    """Return a number that grows with every change in place."""
    return 0 if tensor.is_inference() else tensor._version


def versions(tensors: Iterable[Tensor]) -> list[tuple[Tensor, int]]:
    """Return tensors with their versions, to be compared by `changed` later."""
    return [(tensor, version(tensor)) for tensor in tensors]


def changed(before: Iterable[tuple[Tensor, int]]) -> list[Tensor]:
    """Return the tensors that were changed in place since, each once."""
    return list({id(t): t for t, old in before if version(t) != old}.values())


def storage(tensor: Tensor) -> int:
    """Return what tensors that share their memory have in common."""
    return int(tensor.untyped_storage()._cdata)


def outdated_uses(
    nodes: Sequence[Node], shared: Iterable[tuple[int, int]]
) -> Iterable[tuple[int, int, int]]:
    """Find uses of a value after its memory was changed under another name.

    Parameters
    ----------
    nodes
        In the order in which they were called.
    shared
        Pairs of an operation in place and a node whose value shares the memory that it changes.

    Returns
    -------
    iterable
        The operation, the node, and the last node that uses its value.
    """
    used = {source: index for index, node in enumerate(nodes) for source in node.inputs}
    return ((at, other, used[other]) for at, other in shared if used.get(other, -1) > at)
