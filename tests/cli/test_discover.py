"""`visioncircuits discover`, on real weights."""

from pathlib import Path

import pytest
from PIL import Image

from visioncircuits.attribution import Discovery
from visioncircuits.cli.main import app
from visioncircuits.errors import InputError


def call(*arguments: str | Path) -> None:
    app([str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture
def _weights(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISIONCIRCUITS_CHECKPOINTS", str(checkpoints))


@pytest.mark.slow
@pytest.mark.usefixtures("_weights")
def test_a_discovery_is_printed_drawn_and_saved(
    tmp_path: Path, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, save = tmp_path / "discovery.png", tmp_path / "discovery.npz"
    call(
        "discover", "bvlc_googlenet", "mixed3b:413", "--from", "mixed3b_5x5_bottleneck",
        "--photographs", photographs, "--count", "8", "--draws", "2", "--top", "3",
        "-o", out, "--save", save,
    )  # fmt: skip
    printed = capsys.readouterr().out
    assert printed.count("mixed3b_5x5_bottleneck:") == 3
    found = Discovery.load(save)
    assert f"{len(found.kept)} of 32 units" in printed
    assert "as many random ones keep" in printed
    assert len(found.record["photographs"]) == 8
    with Image.open(out) as image:
        assert image.size == (1920, 880)


@pytest.mark.usefixtures("_weights")
def test_a_share_that_is_none_is_refused_and_nothing_written(
    tmp_path: Path, photographs: Path
) -> None:
    out = tmp_path / "discovery.png"
    with pytest.raises(InputError, match="between 0 and 1"):
        call(
            "discover", "bvlc_googlenet", "mixed3b:413", "--from", "mixed3a",
            "--photographs", photographs, "--share", "1.5", "-o", out,
        )  # fmt: skip
    assert not out.exists()
