"""A Sphinx extension: a page for every command of the command line, written before a build.

The pages are made of the commands' own help, in the folder `commands`, which is not checked in.
"""

import re
from pathlib import Path
from typing import Any

import typer
from sphinx.application import Sphinx

from visioncircuits.cli.main import app as program

FOLDER = "commands"
NAME = "visioncircuits"

NOTE = re.compile(r"(.*?)(?:\s*\[([^]]*)\])?", re.DOTALL)
"""Help, and what click appends to it: the default, the range, "required"."""

Command = Any
"""A command of click's, of which typer may bring its own."""


def commands() -> dict[str, Command]:
    """Return every command by the words that call it, such as "networks show".

    Examples
    --------
    >>> [words for words in commands() if words.startswith("networks")]
    ['networks', 'networks list', 'networks show', 'networks verify']
    """
    return dict(_within("", typer.main.get_command(program)))


def _within(before: str, group: Command) -> list[tuple[str, Command]]:
    """List the commands within a group, each followed by those within it."""
    found = []
    for name, command in getattr(group, "commands", {}).items():
        found += [(f"{before}{name}", command), *_within(f"{before}{name} ", command)]
    return found


def page(words: str, command: Command) -> str:
    """Return the page of a command, in MyST.

    Examples
    --------
    >>> print(page("positions", commands()["positions"]).splitlines()[0])
    # visioncircuits positions
    """
    context = command.make_context(f"{NAME} {words}", [], resilient_parsing=True)
    text, examples = _split(command.help or "")
    usage = command.collect_usage_pieces(context)
    pieces = [re.sub(r"[{}]", "", piece).upper() for piece in usage]
    sections = [f"# {NAME} {words}", text, _block([" ".join([NAME, words, *pieces])])]
    if examples:
        sections += ["## Example" if len(examples) == 1 else "## Examples", _block(examples)]
    for kind in ("argument", "option"):
        records = [
            parameter.get_help_record(context)
            for parameter in command.params
            if parameter.param_type_name == kind
        ]
        if shown := [_entry(kind, *record) for record in records if record]:
            sections += [f"## {kind.title()}s", *shown]
    if within := _within(f"{words} ", command):
        sections += ["## Commands", *(_link(*each) for each in within)]
    return "\n\n".join(sections) + "\n"


def _split(text: str) -> tuple[str, list[str]]:
    """Separate a command's help into prose and the command lines that stand in it."""
    lines = re.sub(r" \\\n\s*", " ", text).splitlines()  # a line that goes on
    examples = [line.strip() for line in lines if line.strip().startswith(f"{NAME} ")]
    prose = "\n".join(line for line in lines if line.strip() not in examples)
    return re.sub(r"\n{3,}", "\n\n", prose).strip(), examples


def _block(lines: list[str]) -> str:
    return "\n".join(["```console", *(f"$ {line}" for line in lines), "```"])


def _entry(kind: str, name: str, text: str) -> str:
    """Return an argument or option with its help, as an item of a definition list."""
    text, about = NOTE.fullmatch(text).groups()
    if kind == "argument":
        name, about = name.partition(" ")[0].upper(), None  # all are required
    return f"`{name}`\n: {text}" + (f" *({about})*" if about else "")


def _link(words: str, command: Command) -> str:
    """Return a command with the first paragraph of its help, as an item of a definition list."""
    text, _ = _split(command.help or "")
    about = text.partition("\n\n")[0].replace("\n", " ")
    return f"[`{NAME} {words}`]({_stem(words)}.md)\n: {about}"


def index(found: dict[str, Command]) -> str:
    """Return the page that lists all commands."""
    about = (
        "Whatever takes more than a few seconds shows its progress. A mistake is one sentence and "
        "exit code 2; a job of which a part failed ends with exit code 1."
    )
    entries = [_link(words, command) for words, command in found.items()]
    names = [f"{words} <{_stem(words)}>" for words in found]
    tree = "\n".join(["```{toctree}", ":hidden:", "", *names, "```"])
    return "\n\n".join(["# Commands", about, *entries, tree]) + "\n"


def _stem(words: str) -> str:
    return words.replace(" ", "-")


def write(folder: Path) -> None:
    """Write all pages, and remove those of commands that are no more."""
    found = commands()
    pages = {f"{_stem(words)}.md": page(words, command) for words, command in found.items()}
    pages["index.md"] = index(found)
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.is_file() or path.read_text("utf-8") != text:  # else it is built again
            path.write_text(text, "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for its sources."""
    app.connect("builder-inited", lambda app: write(Path(app.srcdir) / FOLDER))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
