"""`visioncircuits tune`: how the units of a layer respond to a set of stimuli."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from visioncircuits.cli import hypotheses, outputs
from visioncircuits.cli.features import DIRECTION, features, several
from visioncircuits.cli.hypotheses import Photographs
from visioncircuits.cli.options import Checkpoint, Device, NetworkName
from visioncircuits.cli.tables import print_table

if TYPE_CHECKING:
    import xarray as xr

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
            help="Draw them too, `.svg`, `.png` or `.pdf`: radial tuning curves for stimuli that "
            "have an orientation. Of a layer, the units that respond most."
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
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
) -> None:
    """Measure the responses of units to stimuli centered on what they see.

    Interrupt it whenever you like: the same command goes on where it was.

        visioncircuits tune bvlc_googlenet mixed3b --stimuli curves -o mixed3b-curves.nc
    """
    outputs.check(out, ".nc")
    outputs.check(plot, ".svg", ".png", ".pdf")
    from rich.table import Table

    from visioncircuits import networks
    from visioncircuits.stimuli import stimulus_set
    from visioncircuits.tuning import (
        in_deviations,
        measure,
        orientation_tuning,
        radial_panel,
    )

    shown = stimulus_set(stimuli)
    found = networks.load(network, checkpoint=checkpoint, device=device)
    responses: xr.DataArray = measure(
        found, features(asked), shown, reach=reach, save=out, progress=True
    )
    spread = hypotheses.deviations(found, features(asked), photographs)
    if spread is not None:
        spread = spread.sel(unit=responses["unit"].values)
        responses = responses.assign_coords(deviation=("unit", spread.values))
        responses.save(out)
        responses = in_deviations(responses)
    axes = [axis for axis in responses.dims if axis != "unit"]
    strongest = responses.max(axes).sortby(responses.max(axes), ascending=False)
    names = strongest["unit"].values[:top]
    oriented = "orientation" in axes and len(responses["orientation"]) > 3
    numbers = orientation_tuning(responses) if oriented else None
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
    print(f"{out}: {len(responses)} units, {len(shown)} stimuli")
    if plot is not None:
        radial_panel(responses.sel(unit=list(names))).save(plot)
        print(plot)
