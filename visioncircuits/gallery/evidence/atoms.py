"""A dictionary's atom: what its dictionary is worth, and its siblings from another seed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from visioncircuits.dictionaries import Dictionary, best_subspaces
from visioncircuits.dictionaries.gates import RECURS, UNIT
from visioncircuits.dictionaries.rules import Linear
from visioncircuits.engine import Work
from visioncircuits.gallery.atoms import Atoms, sibling
from visioncircuits.gallery.contents import FeatureEntry
from visioncircuits.gallery.evidence import kind
from visioncircuits.gallery.evidence.cards import Card
from visioncircuits.gallery.evidence.kind import Build, Kind, Task, rounded, stem
from visioncircuits.gallery.section import FeaturePage, Section
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Feature, Network
from visioncircuits.site import pages
from visioncircuits.wording import counted

SIBLINGS = 3
"""Atoms of the second dictionary that are shown, the nearest first."""

UNEVALUATED = (
    "The recipe names no evaluation: whether this dictionary beats keeping the largest units is "
    "unknown."
)


@dataclass(frozen=True)
class Atom:
    """What is known of an atom.

    Attributes
    ----------
    path
        The file of these numbers, from the site's root.
    number
        In its dictionary.
    dictionary
        The file, and what it holds.
    converged
        Whether its training ended because nothing changed; None of what is not trained.
    verdict
        The first line of the evaluation; "" without one.
    used
        The share of held-out samples at which its code is not 0; None without an evaluation.
    encoder
        By unit, what each 1 of its activation adds to the code while the atom is in use.
    unit, unit_cosine
        The nearest unit of either sign, and the cosine with it.
    siblings
        The nearest atoms of the second dictionary, and the cosines with them; () without one.
    block
        The atoms that are in use together with it, itself among them.
    overlap
        Of the block and the nearest of the second dictionary, as `best_subspaces`; None where
        blocks are single atoms, and without a second dictionary.
    """

    path: str
    number: int
    dictionary: str
    converged: bool | None
    verdict: str
    used: float | None
    encoder: tuple[float, ...]
    unit: int
    unit_cosine: float
    siblings: tuple[tuple[int, float], ...]
    block: tuple[int, ...]
    overlap: float | None


def plan(build: Build) -> Task:
    """Plan what is compared of all atoms of a gallery."""
    found = {each.layer.name: each.atoms for each in build.selections if each.atoms}
    return Task(requests(build.network, build.selections), partial(make, found=found))


def requests(network: Network, selections: Sequence[Selection]) -> list[Work]:
    """Describe what is compared, by layer."""
    return [
        kind.request(
            "atoms",
            network,
            replace(selection, features=selection.atoms.shown),
            files={key: list(file) for key, file in selection.atoms.files.items()},
        )
        for selection in selections
        if selection.atoms
    ]


def make(network: Network, work: Work, *, found: Mapping[str, Atoms]) -> dict[str, bytes]:
    """Compare a piece of work's atoms with units and with another seed's.

    Parameters
    ----------
    network
        That the work was planned with.
    work
        As `plan.batches` describes it.
    found
        Layer to its dictionary.

    Returns
    -------
    dict
        File name to content: the numbers of each atom as JSON.
    """
    features = kind.features(work)
    atoms = found[features[0].layer]
    dictionary, second, evaluation = atoms.dictionary, atoms.second, atoms.evaluation
    size = dictionary.block_size
    overlaps = best_subspaces(dictionary.atoms, second.atoms, size) if second and size > 1 else None
    files = {}
    for feature in features:
        number = atoms.number(feature)
        own = functional.normalize(dictionary.atoms[number], dim=0)
        unit = int(own.abs().argmax())
        block = number // size
        atom = Atom(
            path="",
            number=number,
            dictionary=f"{atoms.files['file'][0]}: {_described(dictionary)}",
            converged=dictionary.record.get("convergence", {}).get("converged"),
            verdict="" if evaluation is None else evaluation.verdict,
            used=None if evaluation is None else float(evaluation.atoms["firing"][number]),
            encoder=tuple(
                map(rounded, (dictionary.encoder[:, number] * dictionary.gain[number]).tolist())
            ),
            unit=unit,
            unit_cosine=rounded(float(own[unit])),
            siblings=() if second is None else _nearest(own, second),
            block=tuple(range(block * size, (block + 1) * size)),
            overlap=None if overlaps is None else rounded(float(overlaps[block])),
        )
        content = {"feature": feature.record(), **asdict(atom)}
        files[f"{stem(feature, 'atom')}.json"] = json.dumps(content).encode()
    return files


def _nearest(own: Float[Tensor, " units"], second: Dictionary) -> tuple[tuple[int, float], ...]:
    """Return the nearest atoms of a second dictionary; of either sign where signs mean nothing."""
    cosines = functional.normalize(second.atoms, dim=1) @ own
    ranked = cosines.abs() if isinstance(second.rule, Linear) else cosines
    order = torch.argsort(ranked, descending=True, stable=True)[:SIBLINGS].tolist()
    return tuple((number, rounded(float(cosines[number]))) for number in order)


def _described(dictionary: Dictionary) -> str:
    size = dictionary.block_size
    blocks = "" if size == 1 else f" in blocks of {size}"
    atoms, units = dictionary.atoms.shape
    return f"{dictionary.method}, {counted(atoms, 'atom')}{blocks} of {counted(units, 'unit')}"


def read(
    request: Work, features: Sequence[Feature], folder: Path, out: Path
) -> Mapping[Feature, list[Atom]]:
    """Read what was compared of some atoms."""
    return {each: [_atom(folder / f"{stem(each, 'atom')}.json", out)] for each in features}


def _atom(path: Path, out: Path) -> Atom:
    data = json.loads(path.read_text("utf-8"))
    del data["feature"]
    return Atom(
        **{
            **data,
            "path": path.relative_to(out).as_posix(),
            "siblings": tuple(map(tuple, data["siblings"])),
            **{name: tuple(data[name]) for name in ("encoder", "block")},
        }
    )


def of(entry: FeatureEntry) -> Atom | None:
    """Return what is known of an atom; None of other features."""
    return next(iter(entry.evidence.get(KIND.name, ())), None)


def section(page: FeaturePage) -> Section | None:
    """Show what the atom's dictionary is worth, its nearest unit, and its siblings."""
    atom = of(page.entry)
    if atom is None:
        return None
    layer = page.layer.name
    small = page.gallery.thumbnails.get(layer)
    siblings = [
        replace(Card.of(page, layer, sibling(number)), name=f"atom {number}").html(
            f"cosine {pages.number(cosine)}"
        )
        for number, cosine in atom.siblings
    ]
    others = [Card.of(page, layer, f"atom {each}") for each in atom.block if each != atom.number]
    body = pages.render(
        "atom.html",
        atom=atom,
        layer=layer,
        verdict=atom.verdict or UNEVALUATED,
        unit=Card.of(page, layer, str(atom.unit)),
        is_unit=abs(atom.unit_cosine) >= UNIT,
        others=others,
        siblings=siblings,
        recurs=bool(atom.siblings) and abs(atom.siblings[0][1]) >= RECURS,
        least=RECURS,
        thumbnails=small and page.root + small.path,
        path=page.root + atom.path,
    )
    return Section("Atom", "atom", body)


KIND = Kind("atoms", plan, read)
