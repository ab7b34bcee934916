"""Run articles on a network, part by part, and write their pages and the scorecard."""

import io
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
from PIL import Image

from visioncircuits import engine, fingerprint, pictures
from visioncircuits.engine import Store, Work, complete
from visioncircuits.errors import InputError
from visioncircuits.networks import Network
from visioncircuits.networks.obtaining import Obtain, checked, obtaining
from visioncircuits.progress import bar
from visioncircuits.thread import article, layers, scorecard
from visioncircuits.thread.article import Part, Plate
from visioncircuits.thread.claims import Row, Unavailable
from visioncircuits.thread.family_layers import placed
from visioncircuits.thread.run import Run
from visioncircuits.thread.stand_ins import StandIn, stand_in
from visioncircuits.thread.study import Study

FINISHED, MEASURED = "parts", "measured"
"""Folders of what is finished: parts of articles, and what they share."""


def reproduce(
    articles: str | Sequence[str],
    run: Run,
    out: str | Path,
    *,
    workers: int | engine.Engine | None = None,
    progress: bool = False,
) -> Path:
    """Run articles on a network, and write a page for each and a scorecard over all.

    Unless the run is quick, every claim about the network is tested on its stand-ins too, each of
    them work of its own; see `thread.stand_ins`.

    What is finished in `out` already, for the same network, photographs and code, is kept, and
    other articles of which anything is finished stay on the scorecard.

    Parameters
    ----------
    articles
        Their names, or one's; see `names`.
    run
        Network, photographs, thoroughness.
    out
        The folder for the pages.
    workers
        How many processes run the parts, by default one a core, or a GPU; or an engine.
    progress
        Whether to show progress, on standard error.

    Returns
    -------
    Path
        The scorecard's page.

    Raises
    ------
    InputError
        If an article, the network, or a layer that the run names is unknown.
    WorkFailed
        If parts failed; all others are finished and on the pages.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     page = reproduce([], Run("handwritten:lines"), folder)
    ...     "The Circuits thread on handwritten:lines" in page.read_text()
    True
    """
    names = [articles] if isinstance(articles, str) else list(articles)
    workforce = (
        workers
        if isinstance(workers, engine.Engine)
        else engine.choose(workers=workers, device=run.device)
    )
    out = Path(out)
    obtain = _obtaining(run)
    network = obtain()
    everything = _works(article.names(), run, network)
    store = Store(out / FINISHED)
    record = network.record()

    def written() -> Path:
        parts: dict[str, dict[str, Any]] = {}
        for work in everything:
            folder, name = store.path(work), work["stand_in"]
            found = _read(folder) if folder.exists() else None
            if name is None and found:
                parts.setdefault(work["article"], {})[work["part"]] = found
            elif name is None and work["article"] in names:
                parts.setdefault(work["article"], {})
            elif name and (own := parts.get(work["article"], {}).get(work["part"])):
                own["stand_ins"][name] = found["rows"] if found else None
        return scorecard.write(parts, record, run, out, pictures=FINISHED)

    test = partial(
        part_files,
        obtain=obtain,
        folder=out.resolve() / MEASURED,
        images=None if run.images is None else run.images.resolve(),
        published=None if run.published is None else run.published.resolve(),
    )
    missing = _unfinished(_works(names, run, network), store)
    with bar("parts of articles", len(missing), visible=progress and bool(missing)) as advance:

        def finished(work: Work) -> None:
            written()
            advance(1)

        try:
            complete(store, test, missing, engine=workforce, advance=finished)
        finally:
            page = written()
    return page


def pending(names: Sequence[str], run: Run, out: Path) -> list[dict[str, Any]]:
    """Describe the parts that are not finished."""
    network = _obtaining(run)()
    return _unfinished(_works(names, run, network), Store(out / FINISHED))


def _obtaining(run: Run) -> Obtain:
    return obtaining(
        run.network, checkpoint=run.checkpoint, device=run.device, precision=run.precision
    )


def _unfinished(works: Sequence[dict[str, Any]], store: Store) -> list[dict[str, Any]]:
    return [work for work in works if not store.path(work).exists()]


def _works(names: Sequence[str], run: Run, network: Network) -> list[dict[str, Any]]:
    named = layers.named(network, run.layers).values()
    shared = {
        "network": network.record(),
        "device": network.device.type,
        "layers": {each.name: each.layer for each in named},
        "images": None if run.images is None else pictures.fingerprint(run.images),
        "published": None if run.published is None else _content(run.published),
        "code": fingerprint.code(),
        "quick": run.quick,
        "seed": run.seed,
    }
    return [
        {
            **shared,
            "article": name,
            "source": fingerprint.of_article(part.test.__module__),
            "part": part.name,
            "stand_in": other,
        }
        for name in names
        for part in article.load(name).parts
        for other in (None, *(() if run.quick else part.stand_ins))
    ]


def _content(published: Path) -> str:
    """Return the fingerprint of a folder's files."""
    files = [path for path in published.rglob("*") if path.is_file()]
    return fingerprint.content(files, root=published)


def part_files(
    work: Work,
    *,
    obtain: Obtain,
    folder: Path,
    images: Path | None = None,
    published: Path | None = None,
) -> dict[str, bytes]:
    """Test the claims of a part, and draw its plates.

    Parameters
    ----------
    work
        Names article, part, network, layers and stand-in, if any, and what photographs, published
        data and code are.
    obtain
        Returns the network, which must be the one that the work describes.
    folder
        For what several parts share.
    images, published
        Where the photographs and the published data lie.

    Returns
    -------
    dict
        `part.json` with rows and captions, and a file for each plate.
    """
    network = checked(obtain(), work["network"])
    study = Study(
        network=network,
        folder=folder,
        images=images,
        data=published,
        quick=work["quick"],
        seed=work["seed"],
        counterparts=layers.named(network, work["layers"]),
    )
    whole = article.load(work["article"])
    (part,) = (part for part in whole.parts if part.name == work["part"])
    here = any(claim.kind == "this network" for claim in part.claims)
    if here:
        study = placed(study, whole.families)
    if work["stand_in"] is not None:
        study = stand_in(work["stand_in"], study)
    rows, plates = run_part(part, study)
    results: dict[str, bytes] = {}
    captions = []
    for plate in plates:
        name, content = _rendered(plate)
        results[name] = content
        captions.append({"file": name, "caption": plate.caption})
    record = {
        "rows": [row.plain() for row in rows],
        "plates": captions,
        "layers": [each.plain() for each in study.renamed_layers()] if here else [],
    }
    return {**results, "part.json": json.dumps(record, indent=1).encode()}


def run_part(part: Part, study: Study) -> tuple[list[Row], list[Plate]]:
    """Run a part: return a row for each of its claims, in their order, and its plates.

    On a stand-in, rows of the claims that name it are returned, and no plates.

    Raises
    ------
    RuntimeError
        If a claim has no row or several: the article is wrong.
    """
    replaced = isinstance(study, StandIn)
    claims = part.tested_on(study.name) if isinstance(study, StandIn) else part.claims
    open_ = {claim.text for claim in claims}
    rows: list[Row] = []
    plates: list[Plate] = []
    missing = ""
    try:
        for found in part.test(study):
            if isinstance(found, Row):
                rows.append(found)
                open_.discard(found.claim)
            elif not replaced:
                plates.append(found)
            if replaced and not open_:
                break  # what follows are plates
    except (Unavailable, InputError) as error:
        missing = str(error)
    by_claim: dict[str, list[Row]] = {claim.text: [] for claim in part.claims}
    for row in rows:
        by_claim.setdefault(row.claim, []).append(row)
    complete = []
    for claim in part.claims:
        given = by_claim.pop(claim.text)
        if claim not in claims:
            continue
        if not given and missing:
            here = claim.kind == "this network"
            given = [claim.untestable(missing) if here else claim.unavailable(missing)]
        if len(given) != 1:
            raise RuntimeError(f"{part.name} has {len(given)} rows for the claim {claim.text!r}")
        complete += given
    if by_claim:
        raise RuntimeError(f"{part.name} has a row for {next(iter(by_claim))!r}, no claim of it")
    return complete, plates


def _rendered(plate: Plate) -> tuple[str, bytes]:
    buffer = io.BytesIO()
    if isinstance(plate.picture, Image.Image):
        plate.picture.save(buffer, "WEBP", lossless=True)
        return f"{plate.name}.webp", buffer.getvalue()
    with matplotlib.rc_context({"savefig.facecolor": "white"}):
        plate.picture.savefig(buffer, format="png", dpi=144, metadata={"Software": None})
    return f"{plate.name}.png", buffer.getvalue()


def _read(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "part.json").read_text("utf-8"))
    return {**content, "folder": folder.name, "stand_ins": {}}
