"""`visioncircuits seven-arguments`, on real weights."""

from pathlib import Path

import pytest

from visioncircuits.cli.main import app
from visioncircuits.errors import InputError
from visioncircuits.thread import SevenArguments


def call(*arguments: str | Path) -> None:
    app([str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture
def _weights(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISIONCIRCUITS_CHECKPOINTS", str(checkpoints))


FEW = """
stimuli = "lines"
[axes]
orientation = [0, 45, 90, 135]
width = [2, 4]
"""


@pytest.mark.slow
@pytest.mark.usefixtures("_weights")
def test_a_unit_is_drawn_and_saved_and_what_is_missing_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stimuli, out, save = (tmp_path / name for name in ("few.toml", "unit.svg", "unit.npz"))
    stimuli.write_text(FEW)
    call(
        "seven-arguments", "bvlc_googlenet", "conv2d0:7", "--stimuli", stimuli, "--steps", "1",
        "-o", out, "--save", save,
    )  # fmt: skip
    printed = capsys.readouterr().out
    assert "without dataset examples: no photographs were given" in printed
    found = SevenArguments.load(save)
    assert found.record["network"]["name"] == "bvlc_googlenet"
    assert found.synthetic is not None
    assert found.synthetic.sizes == {"unit": 1, "orientation": 4, "width": 2}
    assert ">conv2d0:7<" in out.read_text()


@pytest.mark.usefixtures("_weights")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "unit.txt"), r"name it \.pdf or \.svg or \.png"),
        (("-o", "unit.pdf", "--save", "unit.json"), r"name it \.npz or \.nc"),
        (("-o", "unit.pdf", "--stimuli", "curvs"), "unknown stimulus set 'curvs'"),
        (("-o", "unit.pdf", "--stimuli", "edges"), "orientation and one more, not orientation"),
    ],
)
def test_a_mistake_is_reported_before_the_work(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call("seven-arguments", "bvlc_googlenet", "conv2d0:7", *arguments)
