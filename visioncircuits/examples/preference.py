"""Which features prefer some classes of photographs: found, where their numbers are not known."""

import json

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import __version__, datasets
from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.examples import roc
from visioncircuits.examples.collect import batches
from visioncircuits.figures import Figure
from visioncircuits.labeled import LabeledTable
from visioncircuits.networks import Direction, Feature, Features, Network, expand, select
from visioncircuits.networks.class_names import Classes, class_numbers
from visioncircuits.networks.fixed_parameters import parameters_fixed
from visioncircuits.networks.memory import freed_memory_kept
from visioncircuits.numbers import whole
from visioncircuits.progress import bar

LEVEL = 0.95
"""Of the intervals, for all features together."""

_COLUMNS = ("auc", "low", "high", "inside", "outside")
_ROWS = 12
"""Of the summary in a notebook."""


class Preferences(LabeledTable):  # type: ignore[no-untyped-call]
    """Features by how well they separate photographs of some classes from others, best first.

    By `unit` they are `auc`, the area under the ROC curve; `low` and `high`, its interval; `inside`
    and `outside`, the mean activation in photographs of the classes and in others. `activation`,
    by `unit` and `photograph`, is what they are computed from, and `preferred`, by `photograph`,
    whether its class is one of those. A notebook shows the best as a picture.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> pictures = [(picture, label % 2) for label, picture in enumerate(torch.rand(6, 3, 64, 64))]
    >>> found = prefer(untrained("bvlc_googlenet"), "conv2d0", pictures, classes=1)
    >>> found.summary().columns.tolist()
    ['auc', 'low', 'high', 'inside', 'outside']
    >>> found.sel(unit="conv2d0:3")["activation"].sizes["photograph"]
    6
    """

    __slots__ = ()
    contents = "preferences"
    dimensions = ("unit", "photograph")

    def summary(self) -> pd.DataFrame | None:
        """Return a row a feature, in their order; None where parts of the table are gone."""
        if any(name not in self or self[name].dims != ("unit",) for name in _COLUMNS):
            return None
        return pd.DataFrame(
            {name: self[name].values for name in _COLUMNS}, index=self["unit"].to_index()
        )

    def _repr_html_(self) -> str:
        values, summary = super()._repr_html_(), self.summary()
        return values if summary is None else summary[:_ROWS].round(3).to_html(border=0) + values

    def _picture(self) -> Figure | None:
        from visioncircuits.examples.preference_panel import preference_panel

        needed = {"activation": 2, "preferred": 1}
        complete = all(name in self and self[name].ndim == n for name, n in needed.items())
        return preference_panel(self) if complete and self.summary() is not None else None


def prefer(
    network: Network,
    features: Features,
    photographs: Source,
    *,
    classes: Classes,
    batch: int = 16,
    progress: bool = False,
) -> Preferences:
    """Rank features by how well they separate photographs of some classes from all others.

    A feature's activation in a photograph is its highest over all positions. The area under the
    ROC curve is the probability that it is higher in a photograph of these classes than in another
    photograph: 1 for a perfect detector, 0.5 for a feature that is as strong in both, less for
    one that prefers the others.

    Parameters
    ----------
    network
        Any network.
    features
        Layers, or features of these: `["mixed4c", "mixed4d"]` ranks the units of both together.
    photographs
        With classes (see `datasets.photographs`); those without one, or that cannot be read, are
        left out.
    classes
        Those preferred: names, numbers, ranges of numbers, or several of these, among the classes
        of the photographs or, where these have numbers only, of the network. ImageNet's numbers
        are in the order of WordNet, so that its groups are often ranges: dogs are
        `range(151, 269)`.
    batch
        Pictures that go through the network at once.
    progress
        Whether to show a bar.

    Returns
    -------
    Preferences
        The highest area first. Intervals hold for all features together with 95 % probability
        (Bonferroni), so that they may be read off the best of many. They are for photographs that
        were drawn independently: parts of one photograph are not.

    Raises
    ------
    InputError
        For an unknown feature or class, and for fewer than two photographs of these classes, or
        of others.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> pictures = [(picture, label % 2) for label, picture in enumerate(torch.rand(6, 3, 64, 64))]
    >>> found = prefer(untrained("bvlc_googlenet"), ["conv2d0:3", "conv2d1:5"], pictures, classes=1)
    >>> dict(found.sizes), bool(found["auc"][0] >= found["auc"][1])
    ({'unit': 2, 'photograph': 6}, True)
    """
    whole("batch", batch, least=1)
    layers: dict[str, dict[Feature, None]] = {}
    for feature in expand(network, features):
        layers.setdefault(feature.layer, {})[feature] = None
    selections = [select(network, list(own)) for own in layers.values()]
    chosen = [feature for selection in selections for feature in selection.features]
    given = datasets.photographs(photographs)
    numbers = class_numbers(classes, given.classes or network.classes)
    places = [place for place, label in enumerate(given.labels) if label is not None]
    if not places:
        raise InputError(
            "no photograph has a class; begin names with ImageNet's WordNet ids, as in "
            "n01443537_goldfish.JPEG, or use a folder a class, or pass labels to photographs(…)"
        )
    preferred = np.array([given.labels[place] in numbers for place in places])
    _check_counts(preferred)
    labeled, skipped = given.part(places), list[str]()
    found, kept = [], []
    with (
        bar("photographs", len(places), visible=progress) as advance,
        freed_memory_kept(),
        parameters_fixed(),
    ):
        for photos, ordinals in batches(labeled.at(network.size), batch, 0, skipped, advance):
            pixels = [photo.pixels for photo in photos if photo.pixels is not None]
            with torch.inference_mode():
                maps = network.activations(torch.stack(pixels), list(layers))
            values = [_strongest(each.of(maps[each.layer])) for each in selections]
            found.append(np.concatenate(values, 1))
            kept.append(ordinals)
    order = np.concatenate(kept) if kept else np.array([], int)
    preferred = preferred[order]
    _check_counts(preferred)
    every = np.concatenate(found)
    inside, outside = every[preferred], every[~preferred]
    low, high = roc.intervals(inside, outside, level=1 - (1 - LEVEL) / len(chosen))
    area = roc.auc(inside, outside)
    ranked = np.argsort(-area, kind="stable")
    columns = (area, low, high, inside.mean(0), outside.mean(0))
    record = {
        "visioncircuits": __version__,
        "torch": torch.__version__,
        "device": network.device.type,
        "network": network.record(),
        "photographs": labeled.digest(),
        "classes": sorted(numbers),
        "level": LEVEL,
        "features": len(chosen),
        "directions": [each.record() for each in chosen if isinstance(each, Direction)],
        "unlabeled": len(given) - len(places),
        "skipped": skipped,
    }
    return Preferences(
        {
            **{
                name: ("unit", column[ranked])
                for name, column in zip(_COLUMNS, columns, strict=True)
            },
            "activation": (("unit", "photograph"), every.T[ranked]),
            "preferred": ("photograph", preferred),
        },
        coords={
            "unit": [str(chosen[place]) for place in ranked],
            "photograph": [labeled.names[place] for place in order],
        },
        attrs={"record": json.dumps(record, sort_keys=True)},
    )


def _check_counts(preferred: np.ndarray) -> None:
    inside = int(preferred.sum())
    if min(inside, len(preferred) - inside) < 2:
        raise InputError(
            f"there are {inside} photographs of these classes and {len(preferred) - inside} of "
            "others; two of each are needed, and tens for a narrow interval"
        )


def _strongest(values: Float[Tensor, "batch features *positions"]) -> np.ndarray:
    """Return each feature's highest value over all positions."""
    return values.reshape(*values.shape[:2], -1).amax(2).float().cpu().numpy()
