"""Which layers of another network to study a family in: those that have most of it.

A receptive field alone is a guess: the nearest layer of SqueezeNet to InceptionV1's mixed3b has
no curve detectors, and a layer two before it has ten. What choosing costs is stated with it.
"""

from collections.abc import Mapping
from dataclasses import replace

from visioncircuits.errors import InputError
from visioncircuits.thread import layers
from visioncircuits.thread.layers import Counterpart
from visioncircuits.thread.study import Study


def placed(study: Study, families: Mapping[str, str]) -> Study:
    """Choose the layers that an article's families are studied in, and return the study of these.

    Every layer whose receptive field is half to double as large is looked at. Layers are chosen
    together, in InceptionV1's order: so that the family with the fewest detectors has as many as
    possible, then for the most in all, then by receptive field. What the network has by
    InceptionV1's name, or a user named, stays.

    Parameters
    ----------
    study
        Of any network.
    families
        InceptionV1's layers, each with the family that it is studied for.

    Examples
    --------
    >>> from pathlib import Path
    >>> from visioncircuits.networks import untrained
    >>> study = Study(untrained("bvlc_googlenet"), Path("measured"))
    >>> placed(study, {"mixed3b": "curve"}).layer("mixed3b")
    'mixed3b'
    """
    fixed = {name: study.counterparts[name].layer for name in study.counterparts}
    fixed |= {name: name for name in families if name in study.network.layers and name not in fixed}
    names = [name for name in layers.FIELDS if name in families and name not in fixed]
    near = {name: study.near(name, fixed) for name in names}
    names = [name for name in names if near[name]]
    found = {name: {
        layer: count for layer in near[name]
        if (count := counted(study, families[name], layer)) is not None
    } for name in names}  # fmt: skip
    names = [name for name in names if found[name]]

    def worth(chosen: tuple[str, ...]) -> tuple[int, int, float]:
        pairs = list(zip(names, chosen, strict=True))
        counts = [found[name][layer] for name, layer in pairs]
        return min(counts), sum(counts), -sum(near[name][layer] for name, layer in pairs)

    ways = layers.increasing(study.network, [list(found[name]) for name in names])
    best = max(ways, key=worth, default=()) if names else ()
    chosen = {
        name: Counterpart(name, layer, family=families[name], found=_in_order(study, found[name]))
        for name, layer in zip(names, best, strict=False)
    }
    return replace(study, counterparts={**study.counterparts, **chosen})


def counted(study: Study, family: str, layer: str) -> int | None:
    """Count a layer's detectors of a family; None where it is too early for the stimuli."""
    try:
        return len(study.found(family, layer))
    except InputError:
        return None


def _in_order(study: Study, found: Mapping[str, int]) -> dict[str, int]:
    return {layer: found[layer] for layer in study.network.layers if layer in found}
