"""Other hypotheses that a scrubbed one is held against: coarser, smaller, turned, or by chance."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from visioncircuits.networks import Network, Unit, select
from visioncircuits.scrubbing.hypothesis import CausalHypothesis, Variable

TURN = 90.0
"""Degrees by which a turned hypothesis has the orientation of every unit wrong."""


def alternatives_to(
    network: Network, hypothesis: CausalHypothesis, *, seed: int = 0
) -> dict[str, CausalHypothesis]:
    """Return what else could be claimed of the same behavior, by name.

    These are: each reading of each variable in bins twice as wide, or where it has none left out;
    the hypothesis without each variable; where units have orientations, all of them turned by 90
    degrees; as many other units; and nothing at all.

    Raises
    ------
    InputError
        For features that the network does not have.

    Examples
    --------
    >>> from visioncircuits.handwritten import load
    >>> from visioncircuits.scrubbing import Reading
    >>> same = Variable("line", "mixed3a:0", 1, (Reading("orientation", step=5),))
    >>> claimed = CausalHypothesis("horizontal", "mixed3a:0", ("line",), (same,))
    >>> list(alternatives_to(load("lines"), claimed))
    ['line: orientation in steps of 10', 'as many other units', 'nothing claimed']
    """
    found = {}
    for variable in hypothesis.variables:
        for name, other in _coarser(variable):
            found[f"{variable.name}: {name}"] = hypothesis.replacing(other)
    if len(hypothesis.variables) > 1:
        found |= {f"without {v.name}": hypothesis.without(v.name) for v in hypothesis.variables}
    if any(variable.orientations for variable in hypothesis.variables):
        found[f"all orientations turned by {TURN:g}°"] = hypothesis.turned(TURN)
    found["as many other units"] = other_units(network, hypothesis, seed=seed)
    found["nothing claimed"] = replace(hypothesis, depends=(), variables=())
    return found


def _coarser(variable: Variable) -> Iterator[tuple[str, Variable]]:
    for place, reading in enumerate(variable.values):
        before, after = variable.values[:place], variable.values[place + 1 :]
        coarser = reading.coarser()
        if coarser is not None:
            yield str(coarser), replace(variable, values=(*before, coarser, *after))
        else:
            yield f"any {reading}", replace(variable, values=(*before, *after))


def other_units(
    network: Network, hypothesis: CausalHypothesis, *, seed: int = 0
) -> CausalHypothesis:
    """Return a hypothesis of the same size, its units drawn at random from all of their layers.

    Their orientations are as they were stated for the others. Directions stay as they are.

    Raises
    ------
    InputError
        For features that the network does not have.

    Examples
    --------
    >>> from visioncircuits.handwritten import load
    >>> lines = Variable("lines", ("mixed3a:24", "mixed3a:25"), 5)
    >>> arch = CausalHypothesis("arch", "mixed3b:18", ("lines",), (lines,))
    >>> other_units(load("curves"), arch, seed=1).variables[0].features
    (Unit(layer='mixed3a', index=16), Unit(layer='mixed3a', index=18))
    """
    rng = np.random.default_rng(seed)
    drawn: list[Variable] = []
    for variable in hypothesis.variables:
        chosen = select(network, variable.features)
        if chosen.indices is None:
            drawn.append(variable)
            continue
        units = rng.choice(network.layer(chosen.layer).units, len(chosen), replace=False)
        features = tuple(Unit(chosen.layer, int(unit)) for unit in np.sort(units))
        drawn.append(replace(variable, features=features))
    return replace(hypothesis, variables=tuple(drawn))
