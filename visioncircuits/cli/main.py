"""One command a job; a user's mistake is one sentence and exit code 2."""

import os
import sys
from typing import Any

import typer

from visioncircuits.cli import (
    ablate,
    across,
    activations,
    atlas,
    attribute,
    circuit,
    compare,
    coverage,
    dictionary,
    discover,
    examples,
    explain,
    facet,
    find,
    gallery,
    handwritten,
    induct,
    judge,
    match,
    networks,
    positions,
    prefer,
    render,
    reproduce,
    scrub,
    seven_arguments,
    split,
    stimuli,
    tune,
    weights,
)
from visioncircuits.cli.features import WRITTEN
from visioncircuits.cli.options import with_network_options
from visioncircuits.engine import WorkFailed
from visioncircuits.errors import InputError

app = typer.Typer(
    help="Reverse engineer convolutional vision networks the way the Circuits thread did.\n\n"
    + WRITTEN,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
_UsageError: Any = typer.BadParameter.__base__  # click's, of which typer may bring its own

for part in (
    networks,
    render,
    facet,
    stimuli,
    tune,
    find,
    judge,
    examples,
    prefer,
    activations,
    split,
    ablate,
    attribute,
    explain,
    atlas,
    discover,
    scrub,
    dictionary,
    weights,
    positions,
    circuit,
    gallery,
    handwritten,
    compare,
    seven_arguments,
    reproduce,
    across,
    match,
    coverage,
    induct,
):
    for command in part.app.registered_commands:
        assert command.callback is not None
        command.callback = with_network_options(command.callback)
    app.add_typer(part.app, name=getattr(part, "NAME", None))


def main() -> None:
    """Run a command; exit with 2 for a mistake of the user's, 1 for a job that partly failed."""
    try:
        raise SystemExit(app(standalone_mode=False))
    except _UsageError as error:
        message = error.format_message().removesuffix(".")
        if error.ctx is None or not message:  # help was requested
            raise SystemExit(error.exit_code) from None
        print(f"error: {message}; try `{error.ctx.command_path} --help`", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except typer.Abort:
        print("interrupted", file=sys.stderr)
        raise SystemExit(130) from None
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except WorkFailed as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except BrokenPipeError:  # the reader, `head` perhaps, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
