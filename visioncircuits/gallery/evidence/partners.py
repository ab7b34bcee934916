"""Quick small pictures of the features that pages show and the recipe does not.

Units and atoms that weights connect, units that directions are made of, siblings of atoms.
"""

import sys
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from visioncircuits import featurevis
from visioncircuits.engine import Work
from visioncircuits.errors import InputError
from visioncircuits.featurevis import Settings, objectives
from visioncircuits.gallery.evidence import atoms, composition, kind, weights
from visioncircuits.gallery.evidence.kind import Build, Kind, Task
from visioncircuits.gallery.finished import Finished
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Direction, Feature, Network, Unit
from visioncircuits.weights.tracing import INPUT

SIZE, STEPS, RATE = 40, 16, 0.1
"""A thumbnail is shown at 64 pixels; at twice the usual rate few steps show what a unit is."""

ARCHIVE = "partners.zip"

BATCH = 32
"""Pictures made at once: small ones gain from more than `plan.BATCH`."""


def plan(build: Build) -> Task:
    """Plan a picture of every partner that finished weights, or directions, show."""
    wanted = weights.requests(build.recipe, build.network, build.selections)
    shown = Finished(weights.KIND, build.out).read(wanted)
    compared = Finished(atoms.KIND, build.out).read(atoms.requests(build.network, build.selections))
    found = partners(shown, compared, build.selections)
    return Task(requests(build.network, build.selections, found), make)


def partners(
    shown: Mapping[Feature, Sequence[weights.Weights]],
    compared: Mapping[Feature, Sequence[atoms.Atom]],
    selections: Sequence[Selection],
) -> set[Feature]:
    """Collect what weights show, units that directions are made of, and siblings of atoms."""
    dictionaries = {each.layer.name: each.atoms for each in selections if each.atoms}
    found: set[Feature] = set()
    for feature in (feature for some in selections for feature in some.features):
        if isinstance(feature, Direction):
            found.update(Unit(feature.layer, index) for index, _ in composition.largest(feature))
    for feature, (atom,) in compared.items():
        found.update(dictionaries[feature.layer].sibling(each) for each, _ in atom.siblings)
    for each in (each for some in shown.values() for each in some):
        for connections in (*each.inputs, *each.outputs):
            layer = connections.layer
            if connections.atoms:
                found.update(dictionaries[layer].features[number] for number in connections.shown)
            elif layer != INPUT:
                found.update(Unit(layer, index) for index in connections.shown)
    return found


def requests(network: Network, selections: Sequence[Selection], found: Set[Feature]) -> list[Work]:
    """Describe the pictures of partners that are not selected, by layer."""
    selected = {feature for selection in selections for feature in selection.features}
    missing: dict[str, list[Feature]] = {}
    for feature in found - selected:
        missing.setdefault(feature.layer, []).append(feature)
    options = {"size": SIZE, "steps": STEPS, "rate": RATE}
    return [
        kind.request(
            "partner",
            network,
            Selection(network.layers[name], features, {}, {}),
            settings=options,
            batch=BATCH,
        )
        for name in network.layers
        if (features := tuple(sorted(missing.get(name, ()), key=_order)))
    ]


def _order(feature: Feature) -> tuple[int, str]:
    """Return what sorts units by number, then directions by name."""
    return (feature.index, "") if isinstance(feature, Unit) else (sys.maxsize, feature.name)


def make(network: Network, work: Work) -> dict[str, bytes]:
    """Make the pictures of a piece of work.

    Parameters
    ----------
    network
        That the work was planned with.
    work
        As `plan.batches` describes it.

    Returns
    -------
    dict
        One archive, so that a site has few files: of a WebP for each feature but those that never
        got a gradient.
    """
    features = kind.features(work)
    rendered = featurevis.render_all(
        network,
        [objectives.neuron(feature) for feature in features],
        settings=_settings(network, features[0].layer, **work["settings"]),
        batch=len(features),
    )
    archive = BytesIO()
    with ZipFile(archive, "w") as files:
        for feature, made in zip(features, rendered, strict=True):
            if not made.dead:
                buffer = BytesIO()
                made.image().save(buffer, "WEBP", quality=90)
                files.writestr(ZipInfo(_file(feature)), buffer.getvalue())
    return {ARCHIVE: archive.getvalue()}


def _settings(network: Network, layer: str, *, size: int, steps: int, rate: float) -> Settings:
    settings = replace(featurevis.suited(network, layer, steps=steps), rate=rate)
    try:
        network.layer_at(layer, size)
    except InputError:  # too small for a kernel
        return settings
    return replace(settings, size=min(settings.size, size))


def _file(feature: Feature) -> str:
    return f"{kind.stem(feature, 'partner')}.webp"


def read(
    request: Work, features: Sequence[Feature], folder: Path, out: Path
) -> dict[Feature, list[str]]:
    """Find the finished pictures of some features: in archives, from the site's root."""
    archive = folder / ARCHIVE
    with ZipFile(archive) as files:
        names = set(files.namelist())
    return {
        feature: [(archive / name).relative_to(out).as_posix()]
        for feature in features
        if (name := _file(feature)) in names
    }


KIND = Kind("partners", plan, read)
