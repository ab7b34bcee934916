"""Feature visualizations: pictures that are optimized for a feature, with their records."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from visioncircuits import featurevis
from visioncircuits.engine import Work
from visioncircuits.featurevis import Objective, Settings, Visualization, objectives
from visioncircuits.featurevis.visualization import problem, record_inside
from visioncircuits.gallery.contents import Picture
from visioncircuits.gallery.evidence import kind
from visioncircuits.gallery.evidence.kind import Build, Kind, Task
from visioncircuits.gallery.recipe import Recipe
from visioncircuits.gallery.recipe_tables import Show
from visioncircuits.gallery.section import FeaturePage, Section
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Feature, Network, parse
from visioncircuits.site import pages

EXACT, QUALITY = 64, 90
"""The side in pixels up to which every pixel is kept, and the quality of larger pictures."""

THUMBNAIL = 128
"""The side of a thumbnail in pixels, enough for a grid on a screen of high density."""

_TITLES = {
    "positive": ("Positive", "what drives it most"),
    "negative": ("Negative", "what drives it the other way"),
    "diversity": ("Diversity", "one of several different pictures that drive it"),
}


def plan(build: Build) -> Task:
    """Plan all pictures of a gallery."""
    return Task(requests(build.recipe, build.network, build.selections), make)


def requests(recipe: Recipe, network: Network, selections: Sequence[Selection]) -> list[Work]:
    """Describe all pictures of a gallery, by layer and kind."""
    return [
        kind.request(
            "feature visualization",
            network,
            selection,
            kind=name,
            pictures=pictures,
            settings=recipe.quality.settings(),
            lossless=recipe.quality.lossless,
            thumbnail=first,  # of the picture that stands for the feature
        )
        for selection in selections
        for name, pictures, first in _shown(recipe.show)
    ]


def _shown(show: Show) -> list[tuple[str, int, bool]]:
    return [(name, count, not place) for place, (name, count) in enumerate(kinds(show).items())]


def kinds(show: Show) -> dict[str, int]:
    """Count the pictures of each kind that a feature gets; kinds without pictures are left out."""
    counts = {
        "positive": int(show.positive),
        "negative": int(show.negative),
        "diversity": show.diversity,
    }
    return {name: count for name, count in counts.items() if count}


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
        File name to content: for each picture a WebP with its record inside, a thumbnail of the
        first if there is to be one, and the channels as `.npy` where these are neither gray nor
        RGB.
    """
    features = kind.features(work)
    wanted = [_objective(network, work, feature) for feature in features]
    rendered = featurevis.render_all(
        network,
        wanted,
        settings=_settings(network, work),
        batch=len(wanted) * work["pictures"],
    )
    files = {}
    for feature in features:
        for place in range(work["pictures"]):
            name = stem(feature, work["kind"], place)
            made = next(rendered)
            files.update(_files(name, made, lossless=work["lossless"]))
            if work["thumbnail"] and not place:
                files[f"{name}-small.webp"] = _thumbnail(made)
    return files


def stem(feature: Feature, name: str, place: int) -> str:
    """Build the name of a picture's files, without their suffix.

    Examples
    --------
    >>> stem(parse("mixed3b:413"), "positive", 0)
    'mixed3b-413-positive'
    >>> stem(parse("mixed3b:413"), "diversity", 2)
    'mixed3b-413-diversity-3'
    """
    return kind.stem(feature, f"{name}-{place + 1}" if name == "diversity" else name)


def _settings(network: Network, work: Work) -> Settings:
    options = work["settings"]
    layer = parse(work["features"][0]).layer
    suited = featurevis.suited(network, layer, steps=options["steps"], seed=options["seed"])
    return suited if options["size"] is None else replace(suited, size=options["size"])


def _objective(network: Network, work: Work, feature: Feature) -> Objective:
    match work["kind"]:
        case "negative":
            return objectives.negative(network, feature)
        case "diversity":
            return objectives.diverse(feature, work["pictures"])
        case _:
            return objectives.neuron(feature)


def _files(name: str, visualization: Visualization, *, lossless: bool) -> dict[str, bytes]:
    exact = lossless or max(visualization.picture.shape[1:]) <= EXACT
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.webp"
        visualization.save(path, quality=None if exact else QUALITY)
        kept = (file for file in path.parent.iterdir() if file.suffix != ".json")
        return {file.name: file.read_bytes() for file in kept}


def _thumbnail(visualization: Visualization) -> bytes:
    image = visualization.image()
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = BytesIO()
    image.save(buffer, "WEBP", quality=70)
    return buffer.getvalue()


def read(
    request: Work, features: Sequence[Feature], folder: Path, out: Path
) -> Mapping[Feature, list[Picture]]:
    """Read the finished pictures of some features."""
    return {
        feature: [
            _picture(folder / f"{stem(feature, request['kind'], place)}.webp", request["kind"], out)
            for place in range(request["pictures"])
        ]
        for feature in features
    }


def _picture(path: Path, name: str, out: Path) -> Picture:
    data = record_inside(path)
    size = data["record"]["settings"]["size"]
    return Picture(
        kind=name,
        path=path.relative_to(out).as_posix(),
        width=size,
        height=size,
        activation=-data["score"] if name == "negative" else data["activation"],
        problem=problem(data),
        history=tuple(data.pop("history")),
        record=data,
    )


def pictures(page: FeaturePage) -> Section:
    """Show the pictures, with the activations that they reach."""
    groups = [
        {
            "kind": name,
            "title": title,
            "alt": f"{page.entry}: {text}",
            "pictures": page.entry.of_kind(name),
        }
        for name, (title, text) in _TITLES.items()
        if page.entry.of_kind(name)
    ]
    body = pages.render("pictures.html", groups=groups, root=page.root)
    return Section("Feature visualization", "pictures", body)


def record(page: FeaturePage) -> Section:
    """Show how each kind of picture was made, so that it can be made again."""
    first = {picture.kind: picture for picture in reversed(page.entry.pictures)}
    body = pages.render("record.html", pictures=reversed(first.values()), root=page.root)
    return Section("How this was made", "record", body)


KIND = Kind("pictures", plan, read)
