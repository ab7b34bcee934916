"""`visioncircuits examples`, on real weights and photographs."""

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from visioncircuits import engine
from visioncircuits.cli.examples import WORK
from visioncircuits.cli.main import app
from visioncircuits.engine import Store
from visioncircuits.errors import InputError
from visioncircuits.examples import Examples, survey


def call(*arguments: str | Path) -> None:
    app([str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture
def _weights(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISIONCIRCUITS_CHECKPOINTS", str(checkpoints))


@pytest.mark.slow
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
    call(
        "examples",
        "bvlc_googlenet",
        "mixed3a:121",
        "--photographs",
        few,
        "--out",
        out,
        "--workers",
        1,
    )
    found = Examples.load(out / "examples.npz")
    assert found.seen == 12
    assert len(found.skipped) == 1
    with Image.open(out / "mixed3a-121.png") as image:
        assert image.width > 1000
    assert "12 pictures, 1 skipped" in capsys.readouterr().out


def test_photographs_without_classes_are_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, arguments = tmp_path / "photos", ("examples", "handwritten:color-contrast", "conv2d1")
    images.mkdir()
    Image.effect_noise((70, 60), 80).save(images / "1.png")
    for place, options in enumerate([(), ("--labels", "none")]):
        out = tmp_path / f"out{place}"
        call(*arguments, "--photographs", images, "--out", out, "--workers", 1, *options)
        assert ("no classes" in capsys.readouterr().out) == (place == 0)


@pytest.mark.usefixtures("_weights")
def test_mistakes_are_reported_before_the_work(tmp_path: Path, photographs: Path) -> None:
    for layer, message in (("mixed3c", "unknown layer"), ("mixed3a:256", "units 0 to 255")):
        with pytest.raises(InputError, match=message):
            call(
                "examples", "bvlc_googlenet", layer, "--photographs", photographs, "--out", tmp_path
            )


@pytest.mark.slow
def test_an_interrupted_run_goes_on_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, out = tmp_path / "photos", tmp_path / "out"
    images.mkdir()
    for name in ("1", "2", "3"):
        with tarfile.open(images / f"{name}.tar", "w") as archive:
            _add(archive, f"{name}.png")
    asked = survey("handwritten:color-contrast", ["conv2d1"], images)
    first = replace(asked, works=asked.works[:2])
    first.carry_out(Store(out / WORK), workforce=engine.local(workers=1))
    arguments = ("examples", "handwritten:color-contrast", "conv2d1:3", "--workers", 1)
    call(*arguments, "--photographs", images, "--out", out)
    assert "resuming: 2 of 3 shards are done" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["conv2d1-3.png", "examples.npz"]
    whole = tmp_path / "whole"
    call(*arguments, "--photographs", images, "--out", whole)
    assert "resuming" not in capsys.readouterr().out
    assert (whole / "examples.npz").read_bytes() == (out / "examples.npz").read_bytes()


def _add(archive: tarfile.TarFile, name: str) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((70, 60), 80).save(buffer, "PNG")
    member = tarfile.TarInfo(name)
    member.size = buffer.tell()
    buffer.seek(0)
    archive.addfile(member, buffer)
