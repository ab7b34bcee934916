"""`visioncircuits examples`, on real weights and photographs."""

from pathlib import Path

import pytest
from PIL import Image

from visioncircuits.cli.main import app
from visioncircuits.errors import InputError
from visioncircuits.examples import Examples


def call(*arguments: str | Path) -> None:
    app([str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture
def _weights(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISIONCIRCUITS_CHECKPOINTS", str(checkpoints))


@pytest.mark.usefixtures("_weights")
def test_examples_are_collected_and_drawn(
    tmp_path: Path, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for photograph in sorted(photographs.iterdir())[:12]:
        (few / photograph.name).symlink_to(photograph)
    (few / "broken.jpg").write_bytes(b"no")
    out = tmp_path / "examples"
    call("examples", "bvlc_googlenet", "mixed3a:121", "--images", few, "--out", out)
    found = Examples.load(out / "examples.npz")
    assert found.seen == 12
    assert len(found.skipped) == 1
    with Image.open(out / "mixed3a-121.png") as image:
        assert image.width > 1000
    assert "12 pictures, 1 skipped" in capsys.readouterr().out


@pytest.mark.usefixtures("_weights")
def test_mistakes_are_told_before_the_work(tmp_path: Path, photographs: Path) -> None:
    for layer, told in (("mixed3c", "unknown layer"), ("mixed3a:256", "units 0 to 255")):
        with pytest.raises(InputError, match=told):
            call("examples", "bvlc_googlenet", layer, "--images", photographs, "--out", tmp_path)
    with pytest.raises(InputError, match="there is no folder"):
        call(
            "examples",
            "bvlc_googlenet",
            "mixed3a",
            "--images",
            tmp_path / "none",
            "--out",
            tmp_path,
        )
