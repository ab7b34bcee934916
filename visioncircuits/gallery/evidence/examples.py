"""Dataset examples: photographs that activate a feature most, and how often it activates."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache, partial
from math import ceil
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits import datasets
from visioncircuits.datasets import Photographs
from visioncircuits.engine import Store, Work
from visioncircuits.examples import Examples, crops
from visioncircuits.gallery.atoms import Atoms
from visioncircuits.gallery.evidence import dataset, histogram, kind, photographs, tiles
from visioncircuits.gallery.evidence.dataset import DatasetExamples, Example
from visioncircuits.gallery.evidence.kind import Build, Kind, Task, stem
from visioncircuits.gallery.evidence.tiles import Sheets
from visioncircuits.gallery.recipe import Recipe
from visioncircuits.gallery.section import FeaturePage, Section
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Feature, Network, Unit, select
from visioncircuits.networks.fixed_parameters import parameters_fixed
from visioncircuits.site import pages

CUT = 128
"""Features of which examples are cut at once: a photograph is read once for all of them."""

SHOWN = 8
"""Photographs that go through the network at once."""


def plan(build: Build) -> Task | None:
    """Carry out the pass over the photographs, and plan what is cut out of them.

    Returns
    -------
    Task or None
        None where the recipe names photographs that are not there: examples that are finished
        are kept until they are there again.

    Raises
    ------
    InputError
        Where none of the photographs can be read.
    WorkFailed
        Where parts of the pass failed.
    """
    survey, store = build.survey, Store(build.out / "survey")
    tidy = partial(photographs.tidy, survey, store)
    if survey is None:
        wanted = build.photographs or build.recipe.examples.photographs
        return None if wanted else Task((), make, tidy)
    found = photographs.complete(survey, store, build.engine, progress=build.progress)
    atoms = {each.layer.name: each.atoms for each in build.selections if each.atoms}
    work = partial(
        make,
        atoms=atoms,
        images=survey.source,
        found=found.absolute(),
        classes=photographs.classes(survey),
        range=build.recipe.examples.range,
    )
    fingerprint = photographs.fingerprint(survey)
    return Task(requests(build.recipe, build.network, build.selections, fingerprint), work, tidy)


def requests(
    recipe: Recipe, network: Network, selections: Sequence[Selection], fingerprint: str
) -> list[Work]:
    """Describe the examples of all features, by layer, of photographs with this fingerprint."""
    options = recipe.examples.model_dump(exclude={"photographs", "range"})
    found = []
    for selection in selections:
        if len(selection.layer.shape) != 2:
            continue
        atoms = selection.atoms.shown if selection.atoms else ()
        coded = set(atoms)
        others = tuple(each for each in selection.features if each not in coded)
        for features, more in ((others, {}), (atoms, _dictionary(selection))):
            if features:
                found.append(
                    kind.request(
                        "dataset examples",
                        network,
                        replace(selection, features=features),
                        photographs=fingerprint,
                        examples=options,
                        batch=CUT,
                        **more,
                    )
                )
    return found


def _dictionary(selection: Selection) -> dict[str, str]:
    """Return what the codes of atoms depend on besides the atoms."""
    return {"dictionary": selection.atoms.files["file"][1]} if selection.atoms else {}


def make(
    network: Network,
    work: Work,
    *,
    images: Path,
    found: Path,
    classes: Mapping[int, str],
    range: tuple[float, float] | None = None,
    atoms: Mapping[str, Atoms] | None = None,
) -> dict[str, bytes]:
    """Cut the examples of a piece of work's features out of photographs.

    Parameters
    ----------
    network
        That the work was planned with.
    work
        As `plan.batches` describes it.
    images
        The photographs, as `examples.survey` takes them.
    found
        The file of the `Examples` collected from them.
    classes
        Names of classes by number; a class without a name is shown by its number.
    range
        Of the photographs' values, as for `datasets.photographs`.
    atoms
        Layer to its dictionary, for the codes of atoms.

    Returns
    -------
    dict
        File name to content: for each feature its numbers as JSON, and two WebP sheets of tiles: of
        crops; and of whole pictures veiled where it is inactive, followed by whole pictures with
        its pre-activations, or a direction's activations, in color.
    """
    features = kind.features(work)
    collected = _load(found)
    layer = network.layers[features[0].layer]
    before = collected.record["layers"].get(layer.name, layer.name)
    read = {
        feature: select(network, replace(feature, layer=before))
        if isinstance(feature, Unit)
        else select(network, feature)
        for feature in features
    }
    side = min(work["examples"]["crop"] or max(layer.receptive_field), network.size)
    sheets = {
        feature: Sheets(*collected.row(feature), layer, side, whole=side == network.size)
        for feature in features
    }
    source = _photographs(images, range)
    layers = sorted({each.layer for each in read.values()})
    with torch.inference_mode(), parameters_fixed():
        for numbers, pictures in _together(source, collected, sheets.values(), network.size):
            values = network.activations(pictures, layers)
            shown = [crops.seen(network, picture) for picture in pictures]
            for feature, sheet in sheets.items():
                maps = read[feature].of(values[read[feature].layer])[:, 0].float().cpu()
                for place, number in enumerate(numbers):
                    sheet.cut(number, shown[place], maps[place])
                    if atoms and "dictionary" in work:
                        here = values[feature.layer][place]
                        _code(sheet, number, here, atoms[feature.layer], feature)
    files = {}
    for feature, sheet in sheets.items():
        data = {
            "feature": feature.record(),
            **asdict(dataset.summarize(collected, feature, sheet, network.size, classes)),
            "record": {"network": work["network"], "version": work["version"]},
        }
        file = stem(feature, "examples")
        files[f"{file}.json"] = json.dumps(data, separators=(",", ":")).encode()
        files[f"{file}-crops.webp"] = tiles.webp(sheet.tiles["crops"])
        files[f"{file}-whole.webp"] = tiles.webp(sheet.tiles["masked"], sheet.tiles["overlaid"])
    return files


def _together(
    source: Photographs, collected: Examples, sheets: Iterable[Sheets], size: int
) -> Iterator[tuple[list[int], Float[Tensor, "photographs channels size size"]]]:
    """Read the photographs that sheets are cut of, each once; few are in memory at a time."""
    wanted = sorted({number for sheet in sheets for number in sheet.wanted})
    for first in range(0, len(wanted), SHOWN):
        numbers = wanted[first : first + SHOWN]
        read = [source.read(collected.names[number], size) for number in numbers]
        yield numbers, torch.stack(read)


def _code(
    sheet: Sheets,
    number: int,
    values: Float[Tensor, "units height width"],
    atoms: Atoms,
    feature: Feature,
) -> None:
    """Encode a photograph where an atom's examples are, and note its codes there."""
    wanted = sheet.wanted.get(number, [])
    if wanted:
        rows, columns = zip(*(each.position for _, each in wanted), strict=True)
        here = values[:, list(rows), list(columns)].T.float().cpu()
        codes = atoms.dictionary.encode(here)[:, atoms.number(feature)]
        for (place, _), code in zip(wanted, codes.tolist(), strict=True):
            sheet.codes[place] = kind.rounded(code)


@lru_cache(maxsize=2)
def _photographs(images: Path, range: tuple[float, float] | None) -> Photographs:
    return datasets.photographs(images, labels="none", range=range)


@lru_cache(maxsize=2)
def _load(path: Path) -> Examples:
    return Examples.load(path)


def read(
    request: Work, features: Sequence[Feature], folder: Path, out: Path
) -> Mapping[Feature, list[DatasetExamples]]:
    """Read the examples of some features."""
    return {
        feature: [dataset.load(folder / f"{stem(feature, 'examples')}.json", out)]
        for feature in features
    }


def section(page: FeaturePage) -> Section | None:
    """Show the strongest and weakest examples, the histogram and a quilt along it."""
    shown: DatasetExamples | None = next(iter(page.entry.evidence.get(KIND.name, ())), None)
    if shown is None:
        return None
    tops, bottoms = len(shown.tops), len(shown.bottoms)
    quilt = []
    place = tops + bottoms
    for column in shown.quilt:
        quilt.append(_tiles(column, shown, place))
        place += len(column)
    body = pages.render(
        "examples.html",
        examples=shown,
        groups=[
            ("Strongest", _tiles(shown.tops, shown, 0)),
            ("Weakest", _tiles(shown.bottoms, shown, tops)),
        ],
        quilt=quilt,
        crop_rows=_rows(place),
        whole_rows=_rows(tops + bottoms),
        columns=tiles.COLUMNS,
        frame=tiles.FRAME,
        sides={"crop": tiles.CROP, "whole": tiles.WHOLE},
        value="Activation" if shown.rectified else "Pre-activation",
        density=histogram.logarithmic(shown.density),
        decades=histogram.decades(shown.density),
        shares=histogram.linear(shown.shares),
        ticks=[
            (pages.number(step), f"{100 * at / (len(shown.steps) - 1):.4g}")
            for at, step in enumerate(shown.steps)
        ],
        numbers=_numbers(shown),
        coded=any(each.code is not None for each in shown.tops),
        root=page.root,
    )
    return Section("Dataset examples", "examples", body)


def _tiles(examples: Sequence[Example], shown: DatasetExamples, first: int) -> list[dict[str, Any]]:
    """Compute where each tile is on the sheets, and its crop in the whole picture, in %."""
    placed = []
    for place, each in enumerate(examples, first):
        row, column = divmod(place, tiles.COLUMNS)
        left, top, side = each.box
        right, bottom = (min(edge + side, shown.size) for edge in (left, top))
        left, top = max(left, 0), max(top, 0)
        box = [f"{100 * v / shown.size:.4g}%" for v in (left, top, right - left, bottom - top)]
        placed.append({"example": each, "at": (column, row), "box": box})
    return placed


def _rows(count: int) -> int:
    return ceil(count / tiles.COLUMNS)


def _numbers(shown: DatasetExamples) -> list[tuple[str, str]]:
    quantiles = " · ".join(
        f"{100 * share:g} %: {pages.number(value)}" for share, value in shown.quantiles
    )
    classes = ", ".join(f"{name} {pages.number(value)}" for name, value in shown.classes)
    rows = [
        ("Active at", f"{100 * shown.active:.3g} % of positions"),
        ("Mean", pages.number(shown.mean)),
        ("Standard deviation", pages.number(shown.deviation)),
        ("Quantiles", quantiles),
        ("Classes that drive it most, by mean highest activation", classes),
    ]
    return [(name, value) for name, value in rows if value]


KIND = Kind("examples", plan, read)
