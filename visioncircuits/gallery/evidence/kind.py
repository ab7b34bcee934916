"""What a kind of evidence consists of, and what it has in common with the others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import visioncircuits
from visioncircuits import fingerprint
from visioncircuits.engine import Engine, Work
from visioncircuits.examples import Survey
from visioncircuits.gallery.contents import label, slug
from visioncircuits.gallery.recipe import Recipe, Source
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Feature, Network, parse
from visioncircuits.networks.obtaining import Obtain

Make = Callable[..., Mapping[str, bytes]]
"""Takes the network and a piece of work; returns files, name to content."""


@dataclass(frozen=True)
class Build:
    """What a build starts from.

    Attributes
    ----------
    source, network, selections
        The recipe, the network, and the features that the recipe selects.
    obtain
        Returns the network, to every worker.
    out
        The site's folder.
    engine
        Does the work.
    photographs, survey
        Photographs used instead of those that the recipe names, and the pass over whichever are
        used; None where there are none.
    progress
        Whether progress is shown.
    """

    source: Source
    network: Network
    selections: Sequence[Selection]
    obtain: Obtain
    out: Path
    engine: Engine
    photographs: Path | None = None
    survey: Survey | None = None
    progress: bool = False

    @property
    def recipe(self) -> Recipe:
        """The recipe itself."""
        return self.source.recipe


@dataclass(frozen=True)
class Task:
    """The work on one kind of evidence.

    Attributes
    ----------
    requests
        What is requested, by layer; `plan.batches` cuts it into pieces of work.
    make
        Does a piece of work.
    tidy
        Called when the site is written.
    """

    requests: Sequence[Work]
    make: Make
    tidy: Callable[[], object] = lambda: None


@dataclass(frozen=True)
class Kind:
    """A kind of evidence.

    Attributes
    ----------
    name
        The folder of its finished work, and its key in `FeatureEntry.evidence`.
    plan
        Returns the work on it; None where finished work is to be kept but not shown.
    read
        Takes a request, some of its features, the folder of the finished work and the site's
        folder; returns what a site shows of each feature.
    """

    name: str
    plan: Callable[[Build], Task | None]
    read: Callable[[Work, Sequence[Feature], Path, Path], Mapping[Feature, Sequence[Any]]]


def request(what: str, network: Network, selection: Selection, **options: Any) -> Work:
    """Describe what is requested of a layer's features.

    The description holds all that the result depends on, so that what was made for another
    recipe, or another state of this one, is recognized as the same or not.
    """
    return {
        "what": what,
        "version": visioncircuits.__version__,
        "code": fingerprint.code(),
        "network": network.record(),
        **options,
        "features": [feature.record() for feature in selection.features],
    }


def features(work: Work) -> list[Feature]:
    """Return the features of a piece of work, which are all of one layer."""
    return list(map(parse, work["features"]))


def stem(feature: Feature, what: str) -> str:
    """Build the name of a feature's files, without their suffix.

    Examples
    --------
    >>> stem(parse("mixed3b:413"), "weights")
    'mixed3b-413-weights'
    """
    return f"{slug(feature.layer)}-{slug(label(feature))}-{what}"


def rounded(value: float) -> float:
    """Round to four significant digits: more than a page shows, in few bytes."""
    return float(f"{value:.4g}")
