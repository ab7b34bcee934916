"""Cropping: of every value only the window that some neurons depend on is computed.

A window of a layer's rows and columns is followed backwards through the nodes. A convolution or a
pool needs the positions under its kernels, a function that computes positions one by one needs the
same ones, and whatever else takes all of its inputs. A value is computed in the smallest window
with all that later nodes need of it; those that need less take a part. Where kernels reach beyond
the border, the part is padded as the node would have padded it. Values are the same to float
rounding.
"""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.networks.cropped_nodes import CroppedNode, Part, Window
from visioncircuits.networks.edited_nodes import Key
from visioncircuits.networks.nodes import Node, Value, ancestors


def check_window(window: Window, layer: str, shape: tuple[int, ...]) -> None:
    """Check that a layer of this shape, `(batch, units, rows, columns)`, has a window.

    Raises
    ------
    InputError
        Where it has no positions, or not all of these, or where the window is empty or has gaps.
    """
    if len(shape) != 4:
        raise InputError(f"{layer} has no rows and columns, so no window of them; read it whole")
    for name, part, size in zip(("rows", "columns"), window, shape[2:], strict=True):
        if part.step != 1 or not 0 <= part.start < part.stop <= size:
            raise InputError(
                f"{layer} has {name} 0 to {size - 1}; {part} is not a range of some of them"
            )


def cropped(
    nodes: Mapping[Key, Node], wanted: Mapping[Key, Window], module: nn.Module
) -> tuple[dict[Key, Node], dict[Key, Key]]:
    """Return nodes that compute windows of values, and which of them computes each that is wanted.

    Parameters
    ----------
    nodes
        All there are.
    wanted
        Windows of nodes of shape `(batch, units, rows, columns)`.
    module
        Whose parameters are read.
    """
    order = sorted(ancestors(wanted, lambda at: nodes[at].inputs))
    needed: dict[Key, Window] = dict(wanted)
    taken: dict[Key, dict[Key, Part]] = {}
    made = dict(nodes)
    for key in reversed(order):
        node = nodes[key]
        if len(node.shape) != 4 or not node.inputs or needed[key] == _whole(node):
            found = None
        else:
            found = CroppedNode(nodes, module, node, needed[key]).found()
        if found is None:
            if len(node.shape) == 4:
                needed[key] = _whole(node)
            taken[key] = {}
        else:
            made[key], taken[key] = found
        for source in node.inputs:
            if len(nodes[source].shape) == 4:
                part = taken[key].setdefault(source, Part(_whole(nodes[source])))
                needed[source] = _union(needed.get(source, part.window), part.window)
    views: dict[tuple[Key, Part], Key] = {}

    def view(source: Key, part: Part | None) -> Key:
        """Return the node of a part of a value, which is added where there is none yet."""
        if part is None or part == Part(needed[source]):
            return source
        if (source, part) not in views:
            views[source, part] = name = (*source, 0, len(views))  # just after the value
            made[name] = _view(source, part, needed[source], nodes[source])
        return views[source, part]

    for key in order:
        takes = {source: view(source, taken[key].get(source)) for source in made[key].inputs}
        made[key] = made[key].with_inputs(takes.__getitem__)
    return made, {key: view(key, Part(window)) for key, window in wanted.items()}


def part_of(
    value: Float[Tensor, "batch units _ _"],
    rows: tuple[int, int],
    columns: tuple[int, int],
    around: tuple[int, int, int, int],
    fill: float,
) -> Float[Tensor, "batch units _ _"]:
    """Return some rows and columns, from one to before another, with a number around them."""
    part = value[:, :, slice(*rows), slice(*columns)]
    return F.pad(part, around, value=fill) if any(around) else part


def _view(source: Key, part: Part, computed: Window, node: Node) -> Node:
    rows, columns = (
        (inner.start - outer.start, inner.stop - outer.start)
        for inner, outer in zip(part.window, computed, strict=True)
    )
    left, right, above, below = part.around
    height, width = map(len, part.window)
    return Node(
        "part",
        part_of,
        (Value(source), rows, columns, part.around, part.fill),
        {},
        varies=node.varies,
        shape=(*node.shape[:2], above + height + below, left + width + right),
    )


def _whole(node: Node) -> Window:
    return range(node.shape[2]), range(node.shape[3])


def _union(one: Window, other: Window) -> Window:
    rows, columns = (
        range(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return rows, columns
