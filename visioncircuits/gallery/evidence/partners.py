"""Quick small pictures of the units that weights and directions show and the recipe does not."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from visioncircuits import featurevis
from visioncircuits.engine import Work
from visioncircuits.errors import InputError
from visioncircuits.featurevis import Settings, objectives
from visioncircuits.gallery.evidence import composition, kind, weights
from visioncircuits.gallery.evidence.kind import Build, Kind, Task
from visioncircuits.gallery.finished import Finished
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Direction, Feature, Network, Unit
from visioncircuits.weights.tracing import INPUT

SIZE, STEPS, RATE = 40, 16, 0.1
"""A thumbnail is shown at 64 pixels; at twice the usual rate few steps show what a unit is."""

BATCH = 32
"""Pictures made at once: small ones gain from more than `plan.BATCH`."""


def plan(build: Build) -> Task:
    """Plan a picture of every partner that finished weights, or directions, show."""
    wanted = weights.requests(build.recipe, build.network, build.selections)
    shown = Finished(weights.KIND, build.out).read(wanted)
    found = partners(shown, [each for some in build.selections for each in some.features])
    return Task(requests(build.network, build.selections, found), make)


def partners(
    shown: Mapping[Feature, Sequence[weights.Weights]], features: Sequence[Feature]
) -> dict[str, set[int]]:
    """Collect the units that weights show, and those that directions are made of, by layer."""
    found: dict[str, set[int]] = {}
    for feature in features:
        if isinstance(feature, Direction):
            largest = (index for index, _ in composition.largest(feature))
            found.setdefault(feature.layer, set()).update(largest)
    for each in (each for some in shown.values() for each in some):
        for connections in (*each.inputs, *each.outputs):
            if connections.layer != INPUT:
                found.setdefault(connections.layer, set()).update(connections.shown)
    return found


def requests(
    network: Network, selections: Sequence[Selection], found: Mapping[str, set[int]]
) -> list[Work]:
    """Describe the pictures of partners that are not selected, by layer."""
    selected = {feature for selection in selections for feature in selection.features}
    options = {"size": SIZE, "steps": STEPS, "rate": RATE}
    return [
        kind.request(
            "partner",
            network,
            Selection(network.layers[name], units, {}, {}),
            settings=options,
            batch=BATCH,
        )
        for name in network.layers
        if (units := _missing(name, found.get(name, ()), selected))
    ]


def _missing(layer: str, units: Iterable[int], selected: Set[Feature]) -> tuple[Unit, ...]:
    every = (Unit(layer, index) for index in sorted(units))
    return tuple(unit for unit in every if unit not in selected)


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
        File name to content: a WebP for each unit but those that never got a gradient.
    """
    features = kind.features(work)
    rendered = featurevis.render_all(
        network,
        [objectives.neuron(feature) for feature in features],
        settings=_settings(network, features[0].layer, **work["settings"]),
        batch=len(features),
    )
    files = {}
    for feature, made in zip(features, rendered, strict=True):
        if not made.dead:
            buffer = BytesIO()
            made.image().save(buffer, "WEBP", quality=90)
            files[_file(feature)] = buffer.getvalue()
    return files


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
    """Find the finished pictures of some units: files, from the site's root."""
    return {
        feature: [path.relative_to(out).as_posix()]
        for feature in features
        if (path := folder / _file(feature)).exists()
    }


KIND = Kind("partners", plan, read)
