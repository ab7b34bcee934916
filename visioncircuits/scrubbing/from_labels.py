"""The hypothesis that a handwritten network was built by: from its own labels."""

from collections.abc import Sequence

import numpy as np

from visioncircuits.errors import InputError
from visioncircuits.handwritten.circuit import handwritten, labels
from visioncircuits.handwritten.labels import LINE, Label
from visioncircuits.networks import Network, Unit, select
from visioncircuits.numbers import real, whole
from visioncircuits.scrubbing.hypothesis import CausalHypothesis, Variable
from visioncircuits.scrubbing.readings import AnyReading, Reading, between

SHAPE: tuple[AnyReading, ...] = (Reading("orientation"), Reading("radius"))
"""What a curve is, whatever it is drawn in."""


def from_labels(
    network: Network,
    feature: str,
    *,
    values: Sequence[AnyReading] = SHAPE,
    tolerance: float = 45.0,
    depth: int | None = None,
    turned: float = 0.0,
) -> CausalHypothesis:
    """Return how a handwritten unit is built, stage by stage, by the labels of its sources.

    The unit is claimed to be computed from the units of the stage before whose orientation is
    within a tolerance of its own, up to half a turn; these from units of the stage before them,
    and so on to the first. Each kind of unit is a variable.

    Parameters
    ----------
    network
        A handwritten one.
    feature
        A unit with an orientation.
    values
        What all variables depend on, and nothing else: by default the shape of a curve, in
        whatever colors it is drawn.
    depth
        How many stages down; the last is taken as it is on a picture. By default all.
    tolerance
        In degrees; each stage further down is allowed as much more.
    turned
        Degrees by which every label is turned, for a hypothesis that is wrong.

    Raises
    ------
    InputError
        For a network that is not handwritten, and a unit without an orientation.

    Examples
    --------
    >>> from visioncircuits.handwritten import load
    >>> claimed = from_labels(load("curves"), "mixed3b:18")
    >>> [(each.name, len(each.features)) for each in claimed.variables][:3]
    [('early curve at mixed3a', 14), ('line at mixed3a', 7), ('line at maxpool1', 12)]
    """
    real("tolerance", tolerance, least=0, open=True)
    chosen = select(network, feature)
    module, own = handwritten(network), labels(network, chosen.layer)
    target = own[chosen.indices[0]] if chosen.indices else None
    if target is None or target.orientation is None or len(chosen) != 1:
        raise InputError(f"{feature} is not a unit with an orientation; name one that has")
    convolutions = [f"{stage.layer}_pre_relu" for stage in module.stages]
    last = chosen.layer
    while last not in convolutions:
        (last,) = module.sources[last]
    read = [module.sources[name][0] for name in convolutions[1 : convolutions.index(last) + 1]]
    if depth is not None:
        read = read[-whole("depth", depth, least=1, most=len(read)) :]
    variables: list[Variable] = []
    below: tuple[str, ...] | None = None
    for place, layer in enumerate(read):
        reach = tolerance * (len(read) - place)
        kinds: dict[str, list[Unit]] = {}
        for unit, label in enumerate(labels(network, layer)):
            if label.orientation is None or _angle(label, target, turned) <= reach:
                kinds.setdefault(label.kind, []).append(Unit(layer, unit))
        found = [
            Variable(f"{kind} at {layer}", tuple(units), values=tuple(values), depends=below)
            for kind, units in kinds.items()
        ]
        variables = found + variables
        below = tuple(variable.name for variable in found)
    name = f"{target.kind} by labels" + (f" turned by {turned:g}°" if turned else "")
    return CausalHypothesis(name, str(chosen.features[0]), below or (), tuple(variables))


def _angle(label: Label, target: Label, turned: float) -> float:
    """Return the angle between two labels' contours, up to half a turn."""
    return float(between(np.array(label.normal + turned), np.array(target.normal), LINE))
