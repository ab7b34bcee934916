"""`visioncircuits gallery`: from a recipe to a site."""

from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.options import (
    Address,
    Device,
    EngineName,
    Engines,
    Precision,
    Precisions,
    Workers,
)

app = typer.Typer()


@app.command()
def gallery(
    recipe: Annotated[Path, typer.Argument(help="A TOML file; `galleries/` holds examples.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The site's folder.")],
    photographs: Annotated[
        Path | None,
        typer.Option(
            help="Photographs for dataset examples, instead of those that the recipe names.",
            exists=True,
        ),
    ] = None,
    workers: Workers = None,
    engine: EngineName = Engines.local,
    address: Address = None,
    device: Device = "cpu",
    precision: Precision = Precisions.float32,
) -> None:
    """Build a gallery: a static site of feature visualizations, from a recipe.

    Interrupt it whenever you like: the same command goes on where it was.

        visioncircuits gallery galleries/early-vision.toml --out site/
    """
    outputs.check_folder(out)
    from visioncircuits.gallery import recipe as recipes

    recipes.read(recipe)
    from visioncircuits.engine import choose
    from visioncircuits.gallery import build

    workforce = choose(engine.value, workers=workers, address=address, device=device)
    page = build(
        recipe,
        out,
        photographs=photographs,
        workers=workforce,
        device=device,
        precision=precision.value,
        progress=True,
    )
    print(f"open {page}")
