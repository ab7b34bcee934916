"""`visioncircuits tune`: how the units of a layer respond to a set of stimuli."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from visioncircuits.cli import hypotheses, outputs
from visioncircuits.cli.features import DIRECTION, features, several
from visioncircuits.cli.hypotheses import Photographs
from visioncircuits.cli.options import (
    Channels,
    Checkpoint,
    Device,
    Ground,
    NetworkName,
    Precision,
    Precisions,
    Range,
    drawing_in,
)
from visioncircuits.cli.tables import print_table
from visioncircuits.errors import InputError, unknown
from visioncircuits.wording import counted

if TYPE_CHECKING:  # a command's help is not to wait for torch
    import xarray as xr

    from visioncircuits.figures import Figure
    from visioncircuits.stimuli import StimulusSet

app = typer.Typer()


@app.command()
def tune(
    network: NetworkName,
    asked: Annotated[
        str,
        typer.Argument(
            metavar="FEATURES",
            callback=several,
            help="A layer for all of its units (`mixed3b`, or `mixed3b_pre_relu` for the values "
            f"before the rectifier), or units of one (`mixed3b:413,408`), {DIRECTION}.",
        ),
    ],
    stimuli: Annotated[
        str,
        typer.Option(
            callback=hypotheses.checked,
            help="A ready set, `visioncircuits stimuli` lists them; or a file `.toml` with stimuli "
            "of your own, such as a hypothesis.",
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The responses, as netCDF: `.nc`.")],
    plot: Annotated[
        Path | None,
        typer.Option(
            help="Draw them too, `.svg`, `.png` or `.pdf`: as maps for stimuli with two axes, else "
            "as radial tuning curves. Of a layer, the units that respond most."
        ),
    ] = None,
    over: Annotated[
        str | None,
        typer.Option(
            help="What the plot is over: two axes of the stimuli, such as `orientation,radius`, "
            "for maps; or `orientation`, for radial tuning curves."
        ),
    ] = None,
    top: Annotated[
        int, typer.Option(help="How many units of a layer are listed and drawn.", min=1)
    ] = 12,
    reach: Annotated[
        int,
        typer.Option(
            help="Take the maximum over neurons up to so many rows and columns away.", min=0
        ),
    ] = 0,
    photographs: Photographs = None,
    range: Range = None,
    channels: Channels = None,
    ground: Ground = 0.5,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
    precision: Precision = Precisions.float32,
) -> None:
    """Measure the responses of units to stimuli centered on what they see.

    Interrupt it whenever you like: the same command goes on where it was.

        visioncircuits tune bvlc_googlenet mixed3b --stimuli curves -o mixed3b-curves.nc
    """
    outputs.check(out, ".nc")
    outputs.check(plot, ".svg", ".png", ".pdf")
    if over is not None and plot is None:
        raise InputError("--over is what a plot is over; name the plot's file with --plot")
    from rich.table import Table

    from visioncircuits import networks
    from visioncircuits.stimuli import stimulus_set
    from visioncircuits.tuning import in_deviations, measure, orientation_tuning

    shown = stimulus_set(stimuli)
    drawn = () if plot is None else _drawn_axes(shown, over)
    found = networks.load(network, checkpoint=checkpoint, device=device, precision=precision.value)
    found = drawing_in(found, channels, ground)
    responses: xr.DataArray = measure(
        found, features(asked), shown, reach=reach, save=out, progress=True
    )
    given = hypotheses.photographs(photographs, range)
    spread = hypotheses.deviations(found, features(asked), given)
    if spread is not None:
        spread = spread.sel(unit=responses["unit"].values)
        responses = responses.assign_coords(deviation=("unit", spread.values))
        responses.save(out)
        responses = in_deviations(responses)
    axes = [axis for axis in responses.dims if axis != "unit"]
    strongest = responses.max(axes).sortby(responses.max(axes), ascending=False)
    names = strongest["unit"].values[:top]
    numbers = orientation_tuning(responses) if _goes_around(shown) else None
    table = Table("unit", "strongest", box=None, pad_edge=False)
    if numbers is not None:
        for title in ("orientation", "width", "echo"):
            table.add_column(title, justify="right")
    for name in names:
        row = [str(name), f"{float(strongest.sel(unit=name)):.4g}"]
        if numbers is not None:
            unit = numbers.sel(unit=name)
            row += [f"{float(unit['orientation']):.0f}°", f"{float(unit['width']):.0f}°",
                    f"{float(unit['echo']):.2f}"]  # fmt: skip
        table.add_row(*row)
    print_table(table)
    print(f"{out}: {counted(len(responses), 'unit')}, {len(shown)} stimuli")
    if plot is not None:
        print(_figure(responses.sel(unit=list(names)), shown, drawn).save(plot))


def _goes_around(stimuli: "StimulusSet") -> bool:
    """Return whether the stimuli have orientations at equal steps around a turn, or half of one."""
    from visioncircuits.tuning.orientation import check_orientations

    try:
        check_orientations(stimuli.axes.get("orientation", ()))
    except InputError:
        return False
    return True


def _drawn_axes(stimuli: "StimulusSet", over: str | None) -> tuple[str, ...]:
    """Return the one or two axes that a plot is over."""
    from visioncircuits.tuning.orientation import check_orientations

    many = [axis for axis, values in stimuli.axes.items() if len(values) > 1]
    if over is not None:
        axes = tuple(axis.strip() for axis in over.split(","))
    elif len(many) == 2:
        axes = tuple(sorted(many, key=lambda axis: axis != "orientation"))
    else:
        axes = ("orientation",) if "orientation" in many else tuple(many[:2])
    for axis in axes:
        if axis not in stimuli.dims:
            raise unknown(f"axis of {stimuli.name}", axis, stimuli.dims)
    if axes == ("orientation",):
        check_orientations(stimuli.axes["orientation"])
    elif len(set(axes)) != 2:
        raise InputError(
            f"a plot is over orientation or two axes, not {' and '.join(axes) or 'no axis'}; "
            f"{stimuli.name} has {', '.join(stimuli.dims) or 'none'}"
        )
    return axes


def _figure(responses: "xr.DataArray", stimuli: "StimulusSet", axes: tuple[str, ...]) -> "Figure":
    from visioncircuits.tuning import radial_panel, tuning_maps

    if len(axes) == 1:
        return radial_panel(responses)
    across, down = axes
    return tuning_maps(responses, across, down, stimuli, columns=1 if len(responses) <= 6 else 2)
