"""What a worker does: make a batch of pictures, as the files that the site is made of."""

import tempfile
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path

from visioncircuits import featurevis, networks
from visioncircuits.engine import Work
from visioncircuits.featurevis import Objective, Settings, Visualization, objectives
from visioncircuits.gallery.contents import slug
from visioncircuits.networks import Network, Unit, parse

THUMBNAIL = 128
"""Pixels: what a grid shows on a fine screen."""


def draw(work: Work, *, checkpoint: Path | None = None, device: str = "cpu") -> dict[str, bytes]:
    """Make the pictures of a piece of work.

    Parameters
    ----------
    work
        As `plan.batches` describes it.
    checkpoint, device
        Where the network's parameters are, if not where they are looked for, and where to
        compute.

    Returns
    -------
    dict
        File name to content: for each picture a lossless WebP with its record inside, the record
        as JSON, and a thumbnail.
    """
    network = loaded(work["network"]["name"], checkpoint, device)
    wanted = [_objective(network, work, feature) for feature in work["features"]]
    drawn = featurevis.render_all(
        network,
        wanted,
        settings=_settings(network, work),
        batch=len(wanted) * work["pictures"],
    )
    files = {}
    for feature in work["features"]:
        for place in range(work["pictures"]):
            files.update(_files(stem(feature, work["kind"], place), next(drawn)))
    return files


def stem(feature: str, kind: str, place: int) -> str:
    """Name the files of a picture.

    Examples
    --------
    >>> stem("mixed3b:413", "positive", 0)
    'mixed3b-413-positive'
    >>> stem("mixed3b:413", "diversity", 2)
    'mixed3b-413-diversity-3'
    """
    unit = parse(feature)
    assert isinstance(unit, Unit)
    name = f"{slug(unit.layer)}-{unit.index}-{kind}"
    return f"{name}-{place + 1}" if kind == "diversity" else name


@cache
def loaded(name: str, checkpoint: Path | None, device: str = "cpu") -> Network:
    """Load a network, once in a process."""
    return networks.load(name, checkpoint=checkpoint, device=device)


def _settings(network: Network, work: Work) -> Settings:
    asked = work["settings"]
    layer = parse(work["features"][0]).layer
    suited = featurevis.suited(network, layer, steps=asked["steps"], seed=asked["seed"])
    return suited if asked["size"] is None else replace(suited, size=asked["size"])


def _objective(network: Network, work: Work, feature: str) -> Objective:
    match work["kind"]:
        case "negative":
            return objectives.negative(network, feature)
        case "diversity":
            return objectives.diverse(feature, work["pictures"])
        case _:
            return objectives.neuron(feature)


def _files(name: str, visualization: Visualization) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = visualization.save(Path(folder) / f"{name}.webp")
        files = {file.name: file.read_bytes() for file in (path, path.with_suffix(".json"))}
    image = visualization.image()
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = BytesIO()
    image.save(buffer, "WEBP", quality=80)
    return {**files, f"{name}-small.webp": buffer.getvalue()}
