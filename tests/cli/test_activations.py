"""`visioncircuits activations` writes what `load_activations` opens."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from visioncircuits import networks
from visioncircuits.cli.main import app
from visioncircuits.errors import InputError
from visioncircuits.examples import load_activations, photographs

NETWORK = "handwritten:color-contrast"


def call(*arguments: str | Path) -> None:
    app(["activations", *map(str, arguments)], standalone_mode=False)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for seed in range(3):
        noise = np.random.default_rng(seed).integers(0, 256, (60, 60, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{seed}.png")
    (folder / "broken.png").write_bytes(b"no")
    return folder


def test_arrays_are_written_and_described(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call(
        NETWORK, "conv2d0", "conv2d1:3,0", "--photographs", images, "-o", out, "--positions", "2",
        "--dtype", "float32", "--workers", "1",
    )  # fmt: skip
    found = load_activations(out, "conv2d1")
    assert found["unit"].values.tolist() == ["conv2d1:3", "conv2d1:0"]
    network = networks.load(NETWORK)
    shown = photographs(images).part(range(3)).pictures(network.size)
    values = network.activations(shown, ["conv2d1"])["conv2d1"].numpy()
    for place, sample in enumerate(found[:6]):
        at = [3, 0], int(sample["row"]), int(sample["column"])
        assert np.allclose(sample, values[place // 2][at], atol=1e-5)
    printed = capsys.readouterr()
    assert f"{out}: conv2d1, 8 samples, 2 units" in printed.out
    assert "skipped: " in printed.out
    assert "broken.png" in printed.out
    assert printed.err.startswith(f"{out}: ")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["conv9"], "unknown layer 'conv9'"),
        (["conv2d0:x"], "is not a unit"),
        (["conv2d0", "--positions", "some"], "all, mean, max or a number of them, not 'some'"),
        (["conv2d0", "--positions", "0"], "not '0'"),
    ],
)
def test_mistakes_are_reported_before_the_work(
    images: Path, tmp_path: Path, given: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        call(NETWORK, *given, "--photographs", images, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
