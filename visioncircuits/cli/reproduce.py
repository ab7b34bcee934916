"""`visioncircuits reproduce`: the Circuits thread's claims, tested on a network."""

import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from visioncircuits.cli import outputs
from visioncircuits.cli.options import (
    NETWORK,
    Checkpoint,
    Device,
    Precision,
    Precisions,
    Workers,
)
from visioncircuits.errors import InputError
from visioncircuits.networks import names

app = typer.Typer()


@app.command()
def reproduce(
    article: Annotated[
        list[str],
        typer.Argument(
            metavar="ARTICLE…",
            help="`all`, or names such as `curve-detectors`; an unknown one lists these.",
        ),
    ],
    network: Annotated[
        str,
        typer.Option(
            metavar=NETWORK,
            callback=names.existing,
            help="A network's name, such as `bvlc_googlenet`, or your own, `my_cnn.py:build`.",
        ),
    ] = "bvlc_googlenet",
    photographs: Annotated[
        Path | None,
        typer.Option(
            help="A folder of photographs; without it, claims about photographs are not tested. "
            "Names that begin with WordNet ids give the classes.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder for the pages.")] = Path(
        "thread"
    ),
    published: Annotated[
        Path | None,
        typer.Option(
            envvar="VISIONCIRCUITS_PUBLISHED",
            help="The folder of the thread's published data.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="Minutes, not hours: fewer photographs, steps and draws, and no stand-ins.",
        ),
    ] = False,
    workers: Workers = None,
    seed: Annotated[int, typer.Option(help="Of all randomness.")] = 0,
    layers: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=LAYER",
            help="The layer to study a family in, such as `curves=features.7`, or to take for one "
            "of InceptionV1, such as `mixed3a=features.6`; or a TOML file with a table "
            "`[layers]` of these. As often as needed; other layers are chosen.",
        ),
    ] = None,
    checkpoint: Checkpoint = None,
    device: Device = "cpu",
    precision: Precision = Precisions.float32,
) -> None:
    r"""Test an article's claims on a network, remake its figures, and keep the score.

    It writes a page for each article, `index.html` with the scorecard over all of them, and
    `scorecard.json`. Interrupt it whenever you like: the same command goes on where it was.

    Unless it is quick, each claim about the network is also tested on stand-ins: other units in the
    place of a family's, the network with shuffled weights, and handwritten networks that have what
    is claimed. A claim that holds on one that lacks it too is "no evidence", and does not count.

        visioncircuits reproduce curve-detectors --network bvlc_googlenet --photographs photos/

        visioncircuits reproduce all --network bvlc_googlenet --photographs photos/ --quick

    The articles name layers of InceptionV1. In a network without these, the layer with most
    detectors of an article's family is taken, of those with about the same receptive field; or
    name it yourself.

        visioncircuits reproduce all --network torchvision:squeezenet1_1 --layers curves=features.7
    """
    outputs.check_folder(out)
    from visioncircuits import thread
    from visioncircuits.errors import unknown
    from visioncircuits.thread.study import PUBLISHED

    articles = thread.names() if "all" in article else list(dict.fromkeys(article))
    for name in articles:
        if name not in thread.names():
            raise unknown("article", name, [*thread.names(), "all"])
    if published is None:
        print(
            f"no published data: claims about it are not run; give --published or set {PUBLISHED}"
        )
    given = named_layers(layers or ())
    run = thread.Run(
        network,
        checkpoint=checkpoint,
        images=photographs,
        published=published,
        quick=quick,
        seed=seed,
        layers=given,
        device=device,
        precision=precision.value,
    )
    page = thread.reproduce(articles, run, out, workers=workers, progress=True)
    print(f"open {page}")


def named_layers(given: Sequence[str]) -> dict[str, str]:
    """Read `NAME=LAYER` and TOML files with a table `[layers]`.

    Raises
    ------
    InputError
        For anything else, and a name that is given twice.

    Examples
    --------
    >>> named_layers(["curves=features.7", "mixed3a=features.6"])
    {'curves': 'features.7', 'mixed3a': 'features.6'}
    """
    found: dict[str, str] = {}
    for text in given:
        name, equals, layer = text.partition("=")
        pairs = {name.strip(): layer.strip()} if equals else _table(Path(text))
        for name, layer in pairs.items():
            if name in found:
                raise InputError(f"--layers names {name} twice")
            found[name] = layer
    return found


def _table(path: Path) -> dict[str, str]:
    if path.suffix != ".toml":
        raise InputError(
            f"--layers {path} is neither NAME=LAYER, such as curves=features.7, nor a TOML file"
        )
    try:
        table = tomllib.loads(path.read_text("utf-8")).get("layers")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no TOML: {error}") from error
    if not isinstance(table, dict) or not all(isinstance(each, str) for each in table.values()):
        raise InputError(f'{path} has no table [layers] of names, such as curves = "features.7"')
    return table


def article(name: str) -> None:
    """Run `visioncircuits reproduce` for one article, with the options that were typed."""
    from visioncircuits.cli import main

    sys.argv[1:1] = ["reproduce", name]
    main()
