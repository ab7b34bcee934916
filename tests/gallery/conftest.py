"""Sites with real files and synthetic pictures, and a browser that opens them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from safetensors.torch import save_file

from visioncircuits import gallery as galleries
from visioncircuits.gallery import writing
from visioncircuits.gallery.contents import FeatureEntry, Gallery, LayerEntry, Picture
from visioncircuits.networks import Unit, untrained

expect.set_options(timeout=30_000)  # a busy machine is not a broken page


@cache
def patch(seed: int, size: int) -> bytes:
    """Draw a grating in a smooth window, as WebP."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    angle, frequency = rng.uniform(0, np.pi), rng.uniform(2, 9)
    wave = np.cos(frequency * np.pi * (x * np.cos(angle) + y * np.sin(angle)))
    window = np.exp(-2.5 * (x**2 + y**2))[..., None]
    colours = 0.5 + 0.5 * wave[..., None] * window * rng.uniform(-1, 1, 3)
    file = BytesIO()
    Image.fromarray((colours * 255).astype("uint8")).save(file, "WEBP", quality=80)
    return file.getvalue()


def unit(
    out: Path,
    layer: str,
    index: int,
    *,
    kinds: tuple[str, ...] = ("positive",),
    size: int = 64,
    dead: bool = False,
    families: tuple[str, ...] = (),
    branch: str = "",
) -> FeatureEntry:
    """Make a unit with its files."""
    shown = []
    for place, kind in enumerate(kinds):
        path = f"pictures/{layer}-{index}-{place}.webp"
        (out / "pictures").mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(patch(1000 * place + index % 24, size))
        (out / path.replace(".webp", "-small.webp")).write_bytes((out / path).read_bytes())
        (out / path).with_suffix(".json").write_text("{}")
        activation = 0.0 if dead else (-1.0 if kind == "negative" else 1.0) * (index * 37 % 101 + 1)
        shown.append(
            Picture(
                kind=kind,
                path=path,
                width=size,
                height=size,
                activation=activation,
                history=tuple(activation * (1 - 0.97**step) for step in range(65)),
                problem="no gradient" if dead else "",
                record={"feature": f"{layer}:{index}", "note": "<b>plain & simple</b>"},
            )
        )
    return FeatureEntry(Unit(layer, index), tuple(shown), families, branch)


def make(out: Path) -> Gallery:
    """Two layers: one with families, branches and a dead unit, one with tiny pictures."""
    kinds = ("positive", "negative", "diversity", "diversity", "diversity")
    families = [("Curves",), ("Lines & edges", "Curves"), (), ("Fur <soft>",)]
    mixed = [
        unit(
            out,
            "mixed3b",
            index,
            kinds=kinds,
            dead=index == 415,
            families=families[index % 4],
            branch="1x1" if index < 128 else "5x5",
        )
        for index in (*range(20), 128, 379, *range(400, 418))
    ]
    first = [unit(out, "features.0", index, size=7) for index in (5, 3, 8)]
    return Gallery(
        title="A gallery <of> patches",
        description="What it shows & why.\n\nA second paragraph.",
        network={"name": "bvlc_googlenet", "checkpoint_sha256": "0123456789abcdef" * 4},
        layers=(
            LayerEntry("features.0", 64, (7, 7), (2, 2), tuple(first)),
            LayerEntry("mixed3b", 480, (43, 43), (8, 8), tuple(mixed)),
        ),
        recipe='title = "A gallery <of> patches"\n',
    )


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    """A gallery whose pictures are in `tmp_path`."""
    return make(tmp_path)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole site, not to be changed."""
    out = tmp_path_factory.mktemp("site")
    writing.write(make(out), out)
    return out


@pytest.fixture
def thousand(tmp_path: Path) -> Gallery:
    """One layer of a thousand units."""
    units = tuple(
        unit(tmp_path, "wide", index, families=(f"family {index % 12}",)) for index in range(1000)
    )
    layer = LayerEntry("wide", 1000, (43, 43), (8, 8), units)
    return Gallery("Wide", "", {"name": "network", "checkpoint_sha256": None}, (layer,), "")


@pytest.fixture(scope="session")
def random_squeezenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a small network with random parameters."""
    path = tmp_path_factory.mktemp("checkpoint") / "random.safetensors"
    parameters = untrained("torchvision:squeezenet1_1").module.state_dict()
    save_file({name: value.contiguous() for name, value in parameters.items()}, path)
    return path


@pytest.fixture(scope="session")
def site(
    random_squeezenet: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Build a recipe of this checkpoint: one site for all tests, not to be changed."""

    @cache
    def build(recipe: str) -> Path:
        folder = tmp_path_factory.mktemp("built")
        (folder / "random.safetensors").symlink_to(random_squeezenet)
        (folder / "recipe.toml").write_text(recipe)
        return galleries.build(folder / "recipe.toml", folder / "out", workers=1).parent

    return build


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """A running browser."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A page without errors, closed before the folder of its files is removed."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda message: wrong.append(message.text))
    opened.on("requestfailed", lambda request: wrong.append(f"{request.url} {request.failure}"))
    yield opened
    context.close()
    # Requests that are aborted when a page is left are no errors.
    assert [what for what in wrong if not what.endswith("net::ERR_ABORTED")] == []


DEADLY = """
import os, signal, sys
from pathlib import Path
import torchvision
from visioncircuits import examples, featurevis, gallery, tuning, weights
from visioncircuits.gallery import building

write_bytes = Path.write_bytes

def build(recipe, out, left):
    def deadly(path, data):
        nonlocal left
        left -= Path(out) in path.parents
        if left:
            return write_bytes(path, data)
        write_bytes(path, data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    Path.write_bytes = deadly
    gallery.build(recipe, out, workers=1)

for line in sys.stdin:  # one process imports torch; every build is a copy of it
    recipe, out, left = line.rstrip().split("\\t")
    child = os.fork()
    if not child:
        build(recipe, out, int(left))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[Callable[[Path, Path, int], None]]:
    """Build a recipe's site, killed in the middle of the write of that number."""
    script = tmp_path / "deadly.py"
    script.write_text(DEADLY)
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def build(recipe: Path, out: Path, writes: int) -> None:
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{recipe}\t{out}\t{writes}\n")
            process.stdin.flush()
            assert process.stdout.readline() == f"{-signal.SIGKILL}\n"
            assert list(out.rglob(".part-*")), "it should be killed in the middle of writing"

        yield build


@pytest.fixture(scope="session")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve photographs of gratings in two folders, and a file that is none."""
    folder = tmp_path_factory.mktemp("photographs")
    for place in range(12):
        path = folder / ("even", "odd")[place % 2] / f"{place:02}.webp"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(patch(500 + place, 96))
        os.utime(path, (0, 0))
    (folder / "odd" / "torn.jpg").write_bytes(b"\xff\xd8 no")
    return folder
