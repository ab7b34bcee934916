"""`visioncircuits ablate`: what a network loses without some features."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.features import DIRECTION, features, several
from visioncircuits.cli.options import Checkpoint, Device, NetworkName, Range
from visioncircuits.cli.tables import print_table
from visioncircuits.errors import InputError
from visioncircuits.wording import counted

if TYPE_CHECKING:
    import xarray as xr

    from visioncircuits.interventions import ClassDamage
    from visioncircuits.networks import Feature

app = typer.Typer()


class Mode(StrEnum):
    """What takes the place of the units' values."""

    zero = "zero"
    mean = "mean"
    resample = "resample"


_MEASURES = {
    "cross_entropy": ("cross-entropy, nats", 1, 3),
    "divergence": ("divergence, nats", 1, 3),
    "top1": ("top-1, points", -100, 1),
    "top5": ("top-5, points", -100, 1),
}
"""The title of a measure, a factor, and the digits that are printed."""


@app.command()
def ablate(
    network: NetworkName,
    units: Annotated[
        str,
        typer.Argument(
            callback=several,
            help=f"Units, such as `mixed3b:413,408`, {DIRECTION}; or what `find --json` wrote.",
        ),
    ],
    photographs: Annotated[
        Path,
        typer.Option(
            help="Photographs whose names begin with ImageNet's ids: `n01443537_….JPEG`.",
            exists=True,
            file_okay=False,
        ),
    ],
    range: Range = None,
    mode: Annotated[
        Mode,
        typer.Option(
            help="What takes the place of their values: zero, their mean, or their values on "
            "another photograph."
        ),
    ] = Mode.zero,
    on: Annotated[
        str | None,
        typer.Option(
            help="Later features, such as `mixed4a:58,71`, whose changes are reported too."
        ),
    ] = None,
    controls: Annotated[
        int,
        typer.Option(
            help="How many times as many other units are ablated as controls: of the same "
            "branches, and with firing rates near theirs.",
            min=0,
        ),
    ] = 3,
    by_class: Annotated[
        bool,
        typer.Option(
            "--by-class",
            help="Report what each class loses beyond the controls: on its own photographs where "
            "every class has 10 or more, otherwise in its logit on all photographs.",
        ),
    ] = False,
    top: Annotated[
        int, typer.Option(help="How many of the classes that suffer most, and least.", min=1)
    ] = 10,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Draw what those classes lose: `.png` or `.svg`."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the controls and the intervals.")] = 0,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Ablate features of a network, and report what it loses, with 95 % intervals over photographs.

    visioncircuits ablate bvlc_googlenet curves.json --photographs photos/

    visioncircuits ablate bvlc_googlenet mixed3a:81 --photographs photos/ --on mixed3b:413,408

    visioncircuits ablate bvlc_googlenet edges.json --photographs photos/ --by-class -o classes.png
    """
    outputs.check(out, ".png", ".svg")
    if controls == 1 and (by_class or out):
        raise InputError(
            "one control draw does not show how much draws differ; pass --controls 2 or more"
        )
    named, others = _some(units), None if on is None else _some(on)
    from rich.table import Table

    from visioncircuits import datasets, interventions, networks
    from visioncircuits.interventions.scoring import labels_of

    found = networks.load(network, checkpoint=checkpoint, device=device)
    ablated = f"the {_counted(networks.expand(found, named))}"
    shown = datasets.photographs(photographs, range=range)
    if others is not None:
        labels_of(found, shown)
        ablations = interventions.unit_ablations(
            found, named, mode=mode.value, controls=controls, photographs=shown, seed=seed
        )
        measured = interventions.observe(found, others, shown, ablations, progress=True)
        _print_changes(measured, interventions.changes(measured, seed=seed), ablated)
    scores = interventions.ablate(
        found, named, shown, mode=mode.value, controls=controls, seed=seed, progress=True
    )
    damage = interventions.damage(scores, seed=seed)
    table = Table("without", box=None, pad_edge=False)
    for name in damage:
        table.add_column(_MEASURES[str(name)][0], justify="right")
    for condition in damage["condition"].values[1:]:
        row = damage.sel(condition=condition)
        cells = [_cell(row[name], *_MEASURES[str(name)][1:]) for name in damage]
        label = _label(condition, ablated)
        table.add_row(label, *cells)
    print_table(table)
    _print_matched(scores.record["matched"])
    original = scores.sel(condition="original").mean("photograph")
    if "class" in scores.coords:
        print(
            f"original: cross-entropy {float(original['cross_entropy']):.3f}, top-1 "
            f"{float(original['top1']):.1%}, top-5 {float(original['top5']):.1%} over "
            f"{counted(len(shown), 'photograph')}"
        )
    else:
        print(
            f"over {counted(len(shown), 'photograph')} without classes: their "
            "names have no WordNet ids, and there are no folders"
        )
    if by_class or out:
        lost = interventions.damage_by_class(scores, "ablated")
        if by_class:
            _print_classes(lost, top)
        if out:
            print(interventions.class_panel(lost, most=top).save(out))


def _print_matched(matched: Mapping[str, Mapping[str, Any]]) -> None:
    """Print how often the units and their controls activate, and where branches differ."""
    if not matched:
        return
    own = matched["given"]
    drawn = [each for name, each in matched.items() if name != "given"]
    rates = [each["firing"] for each in drawn]
    print(
        f"the units are above zero at {own['firing']:.1%} of positions in the median, the others "
        f"at {min(rates):.1%} to {max(rates):.1%}"
    )
    if any(each["branches"] != own["branches"] for each in drawn):
        print("a branch has too few other units: some of the others are of the nearest branch")


def _print_classes(lost: "ClassDamage", top: int) -> None:
    """Print the classes that suffer most and least, the first above."""
    from rich.table import Table

    rows = lost.summary()
    count, draws = len(rows), lost.sizes["draw"]
    logit = lost.attrs["measure"] == "logit"
    what = "fall of the logit on all photographs" if logit else "rise in cross-entropy, nats"
    table = Table("class", box=None, pad_edge=False)
    for title in (what, "p", "q", "photographs"):
        table.add_column(title, justify="right")
    for place, (label, row) in enumerate(rows.iterrows()):
        if top <= place < count - top:
            continue
        if place == count - top and count > 2 * top:
            table.add_row("…")
        bounds = f"{row.effect:+.3f} ({row.low:+.3f} … {row.high:+.3f})"
        table.add_row(str(label), bounds, f"{row.p:.2g}", f"{row.q:.2g}", f"{row.photographs:.0f}")
    print()
    print_table(table)
    against = f"the mean of {draws} control draws" if draws else "the original network"
    print(
        f"{(rows['q'] < 0.05).sum()} of {count} classes differ from {against} at q < 0.05 "
        f"(Benjamini and Hochberg over {count} classes)"
    )


def _print_changes(measured: "xr.Dataset", change: "xr.Dataset", ablated: str) -> None:
    """Print what later features change by without the units, in activation."""
    from rich.table import Table

    original = measured.sel(condition="original").mean("photograph")
    table = Table("feature", "without", box=None, pad_edge=False)
    for title in ("mean activation", "changes by", "strongest", "changes by"):
        table.add_column(title, justify="right")
    for feature in change["feature"].values:
        for condition in change["condition"].values[1:]:
            cells = []
            for name in ("mean", "peak"):
                row = change[name].sel(feature=feature, condition=condition)
                cells += [f"{float(original[name].sel(feature=feature)):.4g}", _cell(row, 1, 3)]
            table.add_row(feature, _label(condition, ablated), *cells)
    print_table(table)
    print()


def _label(condition: str, ablated: str) -> str:
    return ablated if condition == "ablated" else f"others ({condition})"


def _cell(bounds: "xr.DataArray", factor: int, digits: int) -> str:
    """A mean with its interval, or without where all photographs change alike."""
    mean, low, high = (factor * float(bounds.sel(bound=b)) + 0.0 for b in ("mean", "low", "high"))
    low, high = sorted((low, high))
    if low == high:
        return f"{mean:+.{digits}f} (no interval)"
    return f"{mean:+.{digits}f} ({low:+.{digits}f} … {high:+.{digits}f})"


def _some(text: str) -> list[str]:
    """Read features, where a whole layer is a mistake.

    Examples
    --------
    >>> _some("mixed3b:413,408")
    ['mixed3b:413', 'mixed3b:408']
    """
    named = features(text)
    if isinstance(named, str):
        raise InputError(f"{text!r} names no units; write {text}:3,5 or give a file .json")
    return named


def _counted(ablated: "Sequence[Feature]") -> str:
    """Count features, in words."""
    units = sum(isinstance(feature.record(), str) for feature in ablated)
    counts = (units, "unit"), (len(ablated) - units, "direction")
    return " and ".join(counted(number, noun) for number, noun in counts if number)
