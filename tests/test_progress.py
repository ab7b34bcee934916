"""Progress is a bar on a terminal and lines elsewhere."""

import io

from rich.console import Console

from visioncircuits.progress import bar


def test_without_a_terminal_the_end_is_printed_in_one_line() -> None:
    out = io.StringIO()
    with bar("pictures", 3, console=Console(file=out)) as advance:
        advance(1)
        advance(2)
    assert out.getvalue() == "pictures: 3 of 3, 0.0 minutes left\n"


def test_on_a_terminal_a_bar_counts() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    with bar("pictures", 4, console=console) as advance:
        advance(4)
    assert "4/4" in out.getvalue()


def test_invisible_progress_prints_nothing(capsys) -> None:
    with bar("pictures", 1, visible=False) as advance:
        advance(1)
    assert capsys.readouterr() == ("", "")


def test_an_advance_of_zero_is_allowed() -> None:
    with bar("pictures", 3, console=Console(file=io.StringIO())) as advance:
        advance(0)
