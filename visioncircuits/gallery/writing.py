"""The pages of a gallery, which open from a disk and from any web server alike."""

from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from visioncircuits import __version__, files
from visioncircuits.gallery.contents import FeatureEntry, Gallery, LayerEntry
from visioncircuits.gallery.evidence import tuning, weights
from visioncircuits.gallery.section import FeaturePage, MakeSection
from visioncircuits.gallery.sections import SECTIONS
from visioncircuits.networks import Direction
from visioncircuits.site import explanation, pages, thumbnails

PREVIEWS = 20
"""The most features of a layer that the index shows."""

Entry = TypeVar("Entry")


def write(gallery: Gallery, out: Path, *, sections: Sequence[MakeSection] = SECTIONS) -> Path:
    """Write all pages of a gallery whose pictures are in place already.

    Every page is replaced at once; files of a former site's layers that are not in this one are
    removed.

    Parameters
    ----------
    gallery
        What to show. Its paths count from `out`.
    out
        The site's folder.
    sections
        What the pages of features are made of.

    Returns
    -------
    Path
        The index page.

    Raises
    ------
    InputError
        Where a file cannot be written.
    """
    written = set()
    for path, content in _files(gallery, out, sections):
        if path not in written:
            if not _holds(out / path, content):
                files.write(out / path, content)
            written.add(path)
    _remove_others(out, written)
    return out / "index.html"


def _holds(path: Path, content: bytes) -> bool:
    """Check what a file holds: to read thousands of small ones is quicker than to replace them."""
    return path.is_file() and path.read_bytes() == content


def _remove_others(out: Path, written: Container[str]) -> None:
    for folder in (out / "layers").iterdir():
        for file in folder.iterdir():
            if file.relative_to(out).as_posix() not in written:
                file.unlink()
        if not any(folder.iterdir()):
            folder.rmdir()


def _files(
    gallery: Gallery, out: Path, sections: Sequence[MakeSection]
) -> Iterator[tuple[str, bytes]]:
    """Yield every file of the site but the evidence: path from the root, content."""
    for name in ("gallery.css", "gallery.js", *(explanation.ASSETS if gallery.chapters else ())):
        yield f"assets/{name}", pages.asset(name)
    yield "recipe.toml", gallery.recipe.encode()
    linked = any(
        weights.of(entry) or isinstance(entry.feature, Direction)
        for layer in gallery.layers
        for entry in layer.features
    )
    if linked:
        for small in gallery.thumbnails.values():
            yield small.path, thumbnails.sheet([out / path for path in small.files.values()])
    for before, layer, after in _between(gallery.layers):
        for previous, entry, following in _between(layer.features):
            page = FeaturePage(gallery, layer, entry)
            made = [section for make in sections if (section := make(page)) is not None]
            for section in made:
                yield from section.assets.items()
            yield (
                entry.page,
                _page(
                    "unit.html",
                    gallery,
                    root=page.root,
                    page=page,
                    sections=made,
                    previous=previous,
                    next=following,
                ),
            )
        yield (
            layer.page,
            _page(
                "layer.html",
                gallery,
                root="../../",
                layer=layer,
                previous=before,
                next=after,
                places={family: place for place, family in enumerate(layer.families)},
                oriented=tuning.oriented(layer),
                orientations=[tuning.orientation(entry) for entry in layer.features],
                in_order=layer.features
                == (*(layer.units[index] for index in sorted(layer.units)), *layer.directions),
            ),
        )
    yield "index.html", _index(gallery)


def _index(gallery: Gallery) -> bytes:
    return _page(
        "index.html",
        gallery,
        root="",
        paragraphs=[part for part in gallery.description.split("\n\n") if part.strip()],
        units=sum(len(layer.units) for layer in gallery.layers),
        directions=sum(len(layer.directions) for layer in gallery.layers),
        previews={layer.name: _preview(layer) for layer in gallery.layers},
        labels={layer.name: [e.label for e in layer.features] for layer in gallery.layers},
    )


def _preview(layer: LayerEntry) -> list[FeatureEntry]:
    """Choose features spread evenly over those that have a picture."""
    seen = [entry for entry in layer.features if not entry.first.problem]
    count = min(len(seen), PREVIEWS)
    return [seen[i * len(seen) // count] for i in range(count)]


def _page(template: str, gallery: Gallery, **context: Any) -> bytes:
    return pages.render(template, gallery=gallery, version=__version__, **context).encode()


def _between(entries: Sequence[Entry]) -> Iterator[tuple[Entry | None, Entry, Entry | None]]:
    """Iterate over the entries, each with the one before it and the one after."""
    return zip([None, *entries[:-1]], entries, [*entries[1:], None], strict=True)
