"""Counterparts of InceptionV1's layers in other networks: of about the same receptive field.

The articles name layers of InceptionV1. Another network's layer may take the place of one where its
receptive field is half to double as large, and where it lies as the original does before or behind
those that have their places already.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2
from typing import Any

from visioncircuits.errors import InputError, unknown
from visioncircuits.hypotheses.verdicts import LEVEL
from visioncircuits.networks import Network

FIELDS = {
    "conv2d0": 7, "conv2d1": 11, "conv2d2": 19, "maxpool1": 27, "mixed3a": 59, "mixed3b": 91,
    "mixed4a": 171, "mixed4b": 235, "mixed4c": 299, "mixed4d": 363, "mixed4e": 427,
    "mixed5a": 587, "mixed5b": 715,
}  # fmt: skip
"""Receptive fields of InceptionV1's layers in pixels, in their order."""

HOMES = {
    "lines": "conv2d2",
    "color-contrasts": "conv2d2",
    "color-center-surrounds": "conv2d2",
    "high-low": "mixed3a",
    "brightness-gradients": "mixed3a",
    "curves": "mixed3b",
}
"""The layer that the articles study a family in."""


@dataclass(frozen=True)
class Counterpart:
    """Which layer is in the place of one of InceptionV1's, and why.

    Attributes
    ----------
    name
        InceptionV1's.
    layer
        Of the network.
    named
        Whether a user named it.
    family
        The family that it was chosen by, as a predefined hypothesis; empty where the nearest
        receptive field decided.
    found
        How many detectors of the family each layer has that it was chosen from.

    Examples
    --------
    >>> chosen = Counterpart(
    ...     "mixed3b", "features.7", family="curve", found={"features.7": 10, "features.9": 9}
    ... )
    >>> chosen.false_if_named, round(chosen.false_at_most, 3)
    (0.5, 0.95)
    """

    name: str
    layer: str
    named: bool = False
    family: str = ""
    found: Mapping[str, int] = field(default_factory=dict)

    @property
    def false_if_named(self) -> float:
        """How many of its detectors `find` lets be false: its rate, were there no choice."""
        return LEVEL * self.found.get(self.layer, 0)

    @property
    def false_at_most(self) -> float:
        """How many at most, as the layer was chosen: the false ones of all layers may be here."""
        return min(LEVEL * sum(self.found.values()), float(self.found.get(self.layer, 0)))

    @property
    def why(self) -> str:
        """The choice and what it costs, in words."""
        if self.named:
            return "as named for this run."
        if not self.family:
            return "by its receptive field."
        count, most = self.found[self.layer], max(self.found.values())
        listed = ", ".join(f"{layer} {found}" for layer, found in self.found.items())
        among = f"{len(self.found)} layers of half to double its receptive field"
        if not most:
            return f"by its receptive field: no {self.family} detectors in {among} ({listed})."
        rule = "the most" if count == most else "chosen together with the layers beside it, out"
        return (
            f"{count} {self.family} detectors, {rule} of {among}: {listed}. At the test's false "
            f"discovery rate of {LEVEL:.0%}, {self.false_if_named:.2g} of the {count} are expected "
            f"to be false; as the layer was chosen for its detectors, {self.false_at_most:.2g} at "
            f"most, which is {LEVEL:.0%} of those in all {len(self.found)} layers."
        )

    def plain(self) -> dict[str, Any]:
        """Return the fields as JSON holds them, and the sentence."""
        return {
            "name": self.name,
            "layer": self.layer,
            "named": self.named,
            "family": self.family,
            "found": dict(self.found),
            "false if named": round(self.false_if_named, 3),
            "false at most": round(self.false_at_most, 3),
            "why": self.why,
        }


def near(
    network: Network, name: str, layers: Sequence[str], placed: Mapping[str, str]
) -> dict[str, float]:
    """List the layers that may be in the place of one of InceptionV1, the nearest first.

    Parameters
    ----------
    network
        Any network.
    name
        InceptionV1's.
    layers
        Of the network, to choose from.
    placed
        Which layers are in the places of others of InceptionV1.

    Returns
    -------
    dict
        By layer how much larger or smaller its receptive field is, in octaves: at most one.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("torchvision:squeezenet1_1")
    >>> near(network, "mixed3b", ["features.6", "features.7", "features.9"], {})
    {'features.9': 0.2..., 'features.7': 0.5..., 'features.6': 0.9...}
    >>> list(near(network, "mixed3b", ["features.6", "features.7"], {"mixed3a": "features.6"}))
    ['features.7']
    """
    if name not in FIELDS:
        return {}
    names, depth = list(FIELDS), {layer: place for place, layer in enumerate(network.layers)}
    known = {other: depth[layer] for other, layer in placed.items() if layer in depth}
    place = names.index(name)
    after = max((known[other] for other in names[:place] if other in known), default=-1)
    before = min(
        (known[other] for other in names[place + 1 :] if other in known), default=len(depth)
    )
    off = {
        layer: abs(log2(max(network.layer(layer).receptive_field) / FIELDS[name]))
        for layer in layers
        if after < depth[layer] < before
    }
    return {
        layer: off[layer] for layer in sorted(off, key=lambda each: off[each]) if off[layer] <= 1
    }


def increasing(network: Network, choices: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """List the ways to take a layer of each, every one behind the one before.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("torchvision:squeezenet1_1")
    >>> list(increasing(network, [["features.6", "features.9"], ["features.7"]]))
    [('features.6', 'features.7')]
    """
    depth = {layer: place for place, layer in enumerate(network.layers)}

    def extended(chosen: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if len(chosen) == len(choices):
            yield chosen
            return
        for layer in choices[len(chosen)]:
            if not chosen or depth[chosen[-1]] < depth[layer]:
                yield from extended((*chosen, layer))

    yield from extended(())


def named(network: Network, given: Mapping[str, str]) -> dict[str, Counterpart]:
    """Read the layers that a user names in the place of InceptionV1's.

    Parameters
    ----------
    network
        Whose layers they are.
    given
        By family, a key of `HOMES`, or by InceptionV1's name.

    Returns
    -------
    dict
        By InceptionV1's name.

    Raises
    ------
    InputError
        For an unknown family or layer, and where one layer of InceptionV1 is named twice.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("torchvision:squeezenet1_1")
    >>> named(network, {"curves": "features.7"})["mixed3b"].layer
    'features.7'
    """
    found: dict[str, Counterpart] = {}
    keys: dict[str, str] = {}
    for key, layer in given.items():
        name = HOMES.get(key) or HOMES.get(f"{key}s") or key
        if name not in FIELDS:
            raise unknown("family or layer of InceptionV1", key, [*HOMES, *FIELDS])
        if layer not in network.layers:
            raise unknown(f"layer of {network.name}", layer, network.layers)
        if name in keys:
            raise InputError(f"{keys[name]} and {key} are both {name}; give one of them")
        keys[name] = key
        found[name] = Counterpart(name, layer, named=True)
    return found
