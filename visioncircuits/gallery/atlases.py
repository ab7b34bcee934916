"""Activation atlases, a chapter of a site: what layers represent, laid out in the plane."""

import io
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

import visioncircuits
from visioncircuits import atlas, datasets, files, fingerprint
from visioncircuits.atlas import layout, mosaic
from visioncircuits.atlas.aligned import shared_positions
from visioncircuits.atlas.attributing import asked
from visioncircuits.atlas.storage import FILE
from visioncircuits.datasets import Photographs
from visioncircuits.engine import Store, Work
from visioncircuits.errors import InputError
from visioncircuits.gallery.chapter import Chapter
from visioncircuits.gallery.contents import Link
from visioncircuits.gallery.evidence.kind import Build, Task
from visioncircuits.gallery.recipe_tables import AtlasChoice
from visioncircuits.networks import Network
from visioncircuits.site import atlas as page
from visioncircuits.site.atlas_sheets import named, sheet

NAME = "atlases"

PAGE, THUMBNAIL = "page/index.html", "page/thumbnail.webp"
"""In the folder of an atlas."""

_LEAST = 160
"""Of a thumbnail, in pixels."""


def plan(build: Build) -> Task:
    """Check all tables and their photographs, and describe an atlas a table.

    Raises
    ------
    InputError
        For photographs that are not there, unknown layers, classes and features, layers without
        positions or with too few, and a layout that is not installed; with the recipe's line.
    """
    works: list[Work] = []
    sources: dict[str, Photographs] = {}
    for place, table in enumerate(build.recipe.atlas):
        given = _photographs(build, place, table)
        digest = given.digest()
        sources[digest] = given
        try:
            options = _options(build.network, table, build.recipe.quality.seed)
        except InputError as error:
            raise build.source.error(("atlas", place), str(error)) from error
        works.append(
            {
                "what": "atlas",
                "version": visioncircuits.__version__,
                "code": fingerprint.code(),
                "network": build.network.record(),
                "network_size": build.network.size,
                "photographs": digest,
                **options,
            }
        )
    return Task(works, partial(make, photographs=sources))


def _options(network: Network, table: AtlasChoice, seed: int) -> Work:
    """Check what can be checked without photographs."""
    layers = [network.layer(layer).name for layer in table.layers]
    if len(set(layers)) < len(layers):
        raise InputError("a layer is named twice")
    shared_positions(
        [(network, layer) for layer in layers], 1, per_photograph=table.per_photograph,
        edge=table.edge, seed=seed,
    )  # fmt: skip
    for feature in map(network.feature, table.features):
        if feature.layer not in layers:
            raise InputError(f"{feature} is of none of the layers {', '.join(layers)}")
    layout.check_layout(table.layout)
    classes, *_ = [asked(network, layer, table.classes) for layer in layers]
    options = table.model_dump(exclude={"photographs", "layers", "classes"})
    return {**options, "layers": layers, "classes": classes, "seed": seed}


def _photographs(build: Build, place: int, table: AtlasChoice) -> Photographs:
    name = table.photographs or build.recipe.examples.photographs
    if name is None:
        raise build.source.error(
            ("atlas", place), "an atlas needs photographs: name a folder here, or in [examples]"
        )
    path, at = build.source.beside(name), ("atlas", place, "photographs")
    assert path is not None
    try:
        return datasets.photographs(path, labels="none")
    except InputError as error:
        raise build.source.error(at, str(error)) from error


def make(
    network: Network, work: Work, *, photographs: Mapping[str, Photographs]
) -> Mapping[str, bytes]:
    """Make the atlases of a table; their icons are rendered in a queue of their own.

    Returns
    -------
    dict
        For each layer, the file of its atlas in a folder by its place.
    """
    given = photographs[work["photographs"]]
    shared = ("per_photograph", "edge", "layout", "sides", "least", "classes", "seed")
    options = {name: work[name] for name in shared}
    layers = work["layers"]
    if len(layers) > 1:
        found = atlas.aligned([(network, layer) for layer in layers], given, **options)
    else:
        found = (atlas.atlas(network, layers[0], given, **options),)
    content = {}
    with tempfile.TemporaryDirectory() as folder:
        for place, made in enumerate(found):
            content[f"{place}/{FILE}"] = atlas.save(made, folder).read_bytes()
    return content


def links(build: Build, works: Sequence[Work]) -> list[Link]:
    """Render the icons of each atlas and write its page, where it is not there; link it.

    Icons are kept as they are finished, so that an interrupted build goes on where it was.
    """
    found = []
    for work in works:
        folder = Store(build.out / NAME).path(work)
        if not (folder / PAGE).is_file():
            _write(build, work, folder)
        where, layers = folder.relative_to(build.out).as_posix(), ", ".join(work["layers"])
        grid = f"{max(work['sides'])} by {max(work['sides'])} cells"
        found.append(Link(layers, f"{where}/{PAGE}", f"{where}/{THUMBNAIL}", grid))
    return found


def _write(build: Build, work: Work, folder: Path) -> None:
    made = [atlas.load(folder / str(place)) for place in range(len(work["layers"]))]
    (given,) = (
        photographs
        for place, table in enumerate(build.recipe.atlas)
        if (photographs := _photographs(build, place, table)).digest() == work["photographs"]
    )
    sheets = [
        sheet(
            build.obtain, name, each, given, work=folder, features=work["features"],
            size=work["size"], steps=work["steps"], seed=work["seed"], engine=build.engine,
            progress=build.progress,
        )
        for name, each in named(made).items()
    ]  # fmt: skip
    coarsest = sheets[0].icons[0]
    pixels = np.stack([np.asarray(coarsest[cell]) for cell in sorted(coarsest)])
    whole = Image.fromarray(mosaic(made[0].grids[0], pixels))
    buffer = io.BytesIO()
    whole.resize((_LEAST, _LEAST), Image.Resampling.LANCZOS).save(buffer, "WEBP", quality=88)
    files.write(folder / THUMBNAIL, buffer.getvalue())
    title = f"{build.network.name}: {', '.join(work['layers'])}"
    page.write(sheets, (folder / PAGE).parent, title=title, cell=work["size"])


CHAPTER = Chapter(NAME, "Activation atlases", plan, links)
