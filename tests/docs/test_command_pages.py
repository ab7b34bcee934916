"""Every command has a page, which is made of its help."""

import doctest
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

PATH = Path(__file__).resolve().parents[2] / "docs" / "command_pages.py"


@pytest.fixture(scope="module")
def command_pages() -> ModuleType:
    """The extension, which is no part of the package."""
    specification = importlib.util.spec_from_file_location("command_pages", PATH)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_every_command_has_a_page_with_its_arguments_and_options(
    command_pages: ModuleType, tmp_path: Path
) -> None:
    command_pages.write(tmp_path / "commands")
    found = command_pages.commands()
    assert {"render", "networks", "networks show", "reproduce"} < set(found)
    for words, command in found.items():
        text = (tmp_path / "commands" / f"{words.replace(' ', '-')}.md").read_text("utf-8")
        assert text.startswith(f"# visioncircuits {words}\n")
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert parameter.opts[-1] in text
            else:
                assert f"`{(parameter.metavar or parameter.name).upper()}`\n: " in text


def test_the_index_lists_every_command(command_pages: ModuleType) -> None:
    found = command_pages.commands()
    text = command_pages.index(found)
    for words in found:
        assert f"[`visioncircuits {words}`]" in text


def test_a_command_line_in_help_is_an_example_and_not_prose(command_pages: ModuleType) -> None:
    text = command_pages.page("match", command_pages.commands()["match"])
    before, _, after = text.partition("## Example\n")
    assert "visioncircuits match bvlc_googlenet" not in before
    line = next(line for line in after.splitlines() if line.startswith("$ "))
    assert line.startswith("$ visioncircuits match bvlc_googlenet mixed3b")
    assert "\\" not in line


def test_pages_of_commands_that_are_no_more_are_removed(
    command_pages: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "gone.md").write_text("# visioncircuits gone")
    command_pages.write(tmp_path)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    command_pages.write(tmp_path)
    assert tmp_path / "gone.md" not in written
    assert written == {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}


def test_its_examples_run(command_pages: ModuleType) -> None:
    failed, tried = doctest.testmod(command_pages)
    assert tried
    assert failed == 0
