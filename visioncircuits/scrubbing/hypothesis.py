"""A hypothesis about how a behavior is computed: variables, what they depend on, and where."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from visioncircuits.errors import InputError, unknown
from visioncircuits.interventions.edits import access
from visioncircuits.networks import Features, Network, select
from visioncircuits.numbers import real, whole
from visioncircuits.scrubbing.readings import AnyReading

Measure = Literal["squared error", "divergence", "cross-entropy"]
"""What a changed behavior loses: of values, of a classifier's probabilities, or of its classes."""


@dataclass(frozen=True)
class Variable:
    """A variable of a hypothesis: features at some positions, and what their activations depend on.

    Attributes
    ----------
    name
        Such as `"early curves"`.
    features
        A layer, or units or directions of one.
    positions
        Side of the window about the center of the pictures that the variable is of, in positions
        of the layer; None for all of them.
    values
        What the activations depend on: on pictures where all of it is the same they can be
        exchanged. Without any, they can be exchanged on any two pictures. What is read from each
        unit's own orientation, or at each position, is exchanged unit by unit, or position by
        position.
    depends
        Names of the variables that the activations are computed from, of earlier layers; all else
        that leads to them makes no difference. None for a variable whose activation is taken as
        it is on a picture.
    orientations
        Of the features, in degrees, for readings relative to them.

    Raises
    ------
    InputError
        For positions that are no odd number.

    Examples
    --------
    >>> from visioncircuits.scrubbing import Reading
    >>> turned = Reading("orientation", step=30)
    >>> Variable("arch", "mixed3b:18", positions=1, values=(turned,)).record()["values"]
    ['orientation in steps of 30']
    """

    name: str
    features: Features
    positions: int | None = None
    values: tuple[AnyReading, ...] = ()
    depends: tuple[str, ...] | None = None
    orientations: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.features, str) and isinstance(self.features, Sequence):
            object.__setattr__(self, "features", tuple(self.features))
        if self.positions is not None and whole("positions", self.positions, least=1) % 2 == 0:
            raise InputError(
                f"the window of {self.name} is {self.positions} positions wide; choose an odd "
                "number, which has a center"
            )

    def record(self) -> dict[str, Any]:
        """Describe it as plain data."""
        features = [self.features] if isinstance(self.features, str) else self.features
        listed = features if isinstance(features, Sequence) else [features]
        return {
            "name": self.name,
            "features": [str(feature) for feature in listed],
            "positions": self.positions,
            "values": [str(reading) for reading in self.values],
            "depends": None if self.depends is None else list(self.depends),
            "orientations": None if self.orientations is None else list(self.orientations),
        }


@dataclass(frozen=True, repr=False)
class CausalHypothesis:
    """How a behavior of a network is claimed to be computed.

    Attributes
    ----------
    name
        Its own.
    behavior
        A feature, at the center of the pictures; or a layer without positions, such as
        `"logits"`.
    depends
        Names of the variables that it is computed from, and from nothing else.
    variables
        All variables, in any order.
    measure
        Of what a change costs: the `"squared error"` of values; of logits the Kullback-Leibler
        `"divergence"` of probabilities from the original ones, or the `"cross-entropy"` of the
        pictures' classes.

    Raises
    ------
    InputError
        For two variables of one name, a name that none has, a variable that depends on itself, or
        one that nothing depends on.

    Examples
    --------
    >>> from visioncircuits.scrubbing import Reading
    >>> lines = Variable("lines", "mixed3a:24", 5, (Reading("orientation"),))
    >>> CausalHypothesis("arch", "mixed3b:18", ("lines",), (lines,))
    <CausalHypothesis arch: mixed3b:18 from lines>
    """

    name: str
    behavior: Features
    depends: tuple[str, ...] = ()
    variables: tuple[Variable, ...] = ()
    measure: Measure = "squared error"

    def __post_init__(self) -> None:
        if self.measure not in get_args(Measure):
            raise unknown("measure", self.measure, get_args(Measure))
        names = [variable.name for variable in self.variables]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"two variables of {self.name!r} are named {name!r}")
        for name in (*self.depends, *(n for v in self.variables for n in v.depends or ())):
            if name not in names:
                raise unknown("variable", name, names)
        reached = self._reached(self.depends, ())
        for name in names:
            if name not in reached:
                raise InputError(
                    f"nothing depends on the variable {name!r}; name it in depends, or leave it out"
                )

    def _reached(self, names: Sequence[str], after: tuple[str, ...]) -> set[str]:
        found = set(names)
        for name in names:
            if name in after:
                raise InputError(f"the variable {name!r} depends on itself")
            found |= self._reached(self.variable(name).depends or (), (*after, name))
        return found

    def __repr__(self) -> str:
        return f"<CausalHypothesis {self.name}: {self.behavior} from {self._from}>"

    @property
    def _from(self) -> str:
        return ", ".join(self.depends) or "nothing"

    def variable(self, name: str) -> Variable:
        """Return the variable of a name."""
        return next(each for each in self.variables if each.name == name)

    def sources(self, variable: Variable) -> tuple[Variable, ...]:
        """Return the variables that one depends on."""
        return tuple(self.variable(name) for name in variable.depends or ())

    def output(self) -> Variable:
        """Return the behavior as a variable, whose values nothing is exchanged by."""
        return Variable("behavior", self.behavior, 1, (), self.depends)

    def without(self, name: str) -> "CausalHypothesis":
        """Return the hypothesis that does not name a variable: its place makes no difference.

        What only it depends on is left out too.

        Examples
        --------
        >>> lines = Variable("lines", "mixed3a:24", 5)
        >>> CausalHypothesis("arch", "mixed3b:18", ("lines",), (lines,)).without("lines")
        <CausalHypothesis arch: mixed3b:18 from nothing>
        """
        kept = {v.name: _without(v, name) for v in self.variables if v.name != name}
        depends = tuple(n for n in self.depends if n != name)
        needed, waiting = set[str](), list(depends)
        while waiting:
            each = waiting.pop()
            needed.add(each)
            waiting += kept[each].depends or ()
        variables = tuple(variable for n, variable in kept.items() if n in needed)
        return replace(self, depends=depends, variables=variables)

    def replacing(self, variable: Variable) -> "CausalHypothesis":
        """Return the hypothesis with another variable of the same name."""
        changed = (variable if v.name == variable.name else v for v in self.variables)
        return replace(self, variables=tuple(changed))

    def turned(self, degrees: float) -> "CausalHypothesis":
        """Return the hypothesis with the orientation of every unit turned.

        Examples
        --------
        >>> lines = Variable("lines", "mixed3a:24", 5, orientations=(30.0,))
        >>> arch = CausalHypothesis("arch", "mixed3b:18", ("lines",), (lines,))
        >>> arch.turned(90).variables[0].orientations
        (120.0,)
        """
        real("degrees", degrees)
        turned = tuple(
            replace(v, orientations=tuple((o + degrees) % 360 for o in v.orientations))
            if v.orientations
            else v
            for v in self.variables
        )
        return replace(self, variables=turned)

    def check(self, network: Network) -> None:
        """Check that a network has what it names, in an order in which it can be computed.

        Raises
        ------
        InputError
            For unknown features, features of several layers, a variable that does not depend on
            the layer of one that it names, a number of orientations other than of features; and
            for a behavior of several features at positions.
        """
        layers = {each.name: access(network, each.features).layer for each in self.variables}
        for variable in self.variables:
            count = len(select(network, variable.features))
            if variable.orientations is not None and len(variable.orientations) != count:
                raise InputError(
                    f"{variable.name} has {count} features and {len(variable.orientations)} "
                    "orientations; give one for each"
                )
        behavior = select(network, self.behavior)
        if len(behavior) > 1 and network.layer(behavior.layer).shape:
            raise InputError(
                f"the behavior is {len(behavior)} features of {behavior.layer}; name one, or a "
                "layer without positions"
            )
        for variable in (self.output(), *self.variables):
            layer = layers.get(variable.name, behavior.layer)
            for name in variable.depends or ():
                if layers[name] != layer and not network.depends(layer, layers[name]):
                    raise InputError(
                        f"{variable.name} at {layer} is not computed from {name} at "
                        f"{layers[name]}; name variables of earlier layers"
                    )

    def record(self) -> dict[str, Any]:
        """Describe it as plain data."""
        return {
            "name": self.name,
            "behavior": str(self.behavior),
            "measure": self.measure,
            "depends": list(self.depends),
            "variables": [variable.record() for variable in self.variables],
        }


def _without(variable: Variable, name: str) -> Variable:
    if variable.depends is None:
        return variable
    return replace(variable, depends=tuple(n for n in variable.depends if n != name))
