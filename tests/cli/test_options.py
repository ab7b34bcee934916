"""Options that many commands share are on every command that they concern."""

from typer.main import get_command

from visioncircuits.cli.main import app

COMMANDS = get_command(app).commands  # type: ignore[attr-defined]
COMPUTE_NOTHING = {"networks", "stimuli", "handwritten", "across"}
"""They list, draw, write formulas to a file, and join pages."""


def with_option(option: str) -> set[str]:
    """The commands that have it, and the groups of which all commands do."""
    groups = {
        name: list(getattr(command, "commands", {name: command}).values())
        for name, command in COMMANDS.items()
    }
    return {
        name
        for name, commands in groups.items()
        if all(any(option in p.opts for p in command.params) for command in commands)
    }


def test_every_command_that_computes_does_so_on_any_device() -> None:
    assert with_option("--device") == COMMANDS.keys() - COMPUTE_NOTHING


def test_commands_of_long_work_compute_in_half_precision_too() -> None:
    long = {"render", "gallery", "examples", "activations", "tune", "reproduce"}
    assert with_option("--precision") == long


def test_workers_can_be_counted_where_there_are_several() -> None:
    assert with_option("--workers") == {
        "gallery",
        "examples",
        "activations",
        "atlas",
        "reproduce",
        "compare",
    }


def test_half_precision_comes_with_a_warning() -> None:
    (option,) = (p for p in COMMANDS["reproduce"].params if "--precision" in p.opts)
    assert "verdicts" in str(getattr(option, "help", ""))
