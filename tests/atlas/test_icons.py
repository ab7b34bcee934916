"""Icons are rendered in batches that any worker makes alike, and that a kill leaves whole."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from visioncircuits import atlas
from visioncircuits.atlas.icons import RIDGE
from visioncircuits.datasets import Photographs
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, untrained

SCRIPT = """
import sys
import numpy as np
from visioncircuits import atlas
made, steps = atlas.load("atlas"), int(sys.argv[2])
found = atlas.icons(sys.argv[1], made, folder="work", size=24, steps=steps, batch=2)
np.save("icons.npy", found)
"""


@pytest.fixture(scope="module")
def made(network: Network, photographs: Photographs) -> atlas.Atlas:
    return atlas.atlas(
        network, "1", photographs, per_photograph=20, layout="pca", sides=[2, 4], least=3,
        classes=(),
    )  # fmt: skip


def test_whitening_is_the_inverse_of_the_second_moment() -> None:
    values = np.random.default_rng(0).normal(size=(1000, 5)).astype(np.float32)
    values[:, 1] *= 3
    moment = values.T @ values / len(values)
    ridge = RIDGE * np.trace(moment) / 5 * np.eye(5)
    assert np.allclose(atlas.whitening(values) @ (moment + ridge), np.eye(5), atol=1e-4)


def test_units_that_are_never_active_leave_it_finite() -> None:
    values = np.random.default_rng(0).random((50, 4)).astype(np.float32)
    values[:, 2] = 0
    assert np.isfinite(atlas.whitening(values)).all()


def test_every_cell_has_an_icon_of_its_own(network: Network, made: atlas.Atlas) -> None:
    found = atlas.icons(network, made, side=2, size=24, steps=4, batch=3)
    assert found.shape == (len(made.grids[0]), 24, 24, 3)
    assert len({icon.tobytes() for icon in found}) == len(found)


def test_an_icon_drives_the_layer_in_its_direction(network: Network, made: atlas.Atlas) -> None:
    """More than the icons of other cells do, by the cosine with the whitened mean."""
    grid = made.grids[0]
    found = atlas.icons(network, made, side=2, size=24, steps=48)
    pictures = torch.from_numpy(found / np.float32(255))
    values = network.activations(pictures.permute(0, 3, 1, 2), ["1"])["1"].detach().numpy()
    middle = values[:, :, values.shape[2] // 2, values.shape[3] // 2]
    vectors = grid.means @ atlas.whitening(made.samples.values)
    cosines = (middle / np.linalg.norm(middle, axis=1, keepdims=True)) @ (
        vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    ).T
    others = cosines[~np.eye(len(grid), dtype=bool)]
    assert cosines.diagonal().mean() > others.mean() + 0.1


@pytest.mark.slow
def test_after_a_kill_the_same_call_goes_on_and_ends_in_the_same_bytes(
    network: Network, made: atlas.Atlas, module: Path, tmp_path: Path
) -> None:
    atlas.save(made, tmp_path / "atlas")
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "script.py", f"{module}:build", "60"]
    process = subprocess.Popen(command, cwd=tmp_path)
    pieces = tmp_path / "work" / "icons"
    while process.poll() is None and len(list(pieces.glob("*/work.json"))) < 2:
        time.sleep(0.01)
    process.kill()
    assert process.wait() < 0, "it was finished before it was killed"
    done = {path: path.stat().st_mtime_ns for path in pieces.glob("*/work.json")}
    total = -(-len(made.grids[-1]) // 2)
    assert 2 <= len(done) < total
    subprocess.run(command, cwd=tmp_path, check=True)
    assert all(path.stat().st_mtime_ns == written for path, written in done.items())
    whole = atlas.icons(network, made, size=24, steps=60, batch=2)
    assert np.load(tmp_path / "icons.npy").tobytes() == whole.tobytes()


def test_another_network_and_an_unknown_grid_are_refused(
    network: Network, made: atlas.Atlas
) -> None:
    with pytest.raises(InputError, match="the atlas is of small, not of"):
        atlas.icons(untrained("bvlc_googlenet"), made)
    with pytest.raises(InputError, match="no grid of 7 by 7; its sides are 2, 4"):
        atlas.icons(network, made, side=7)


def test_whitening_of_a_layer_that_is_never_active_changes_nothing() -> None:
    assert (atlas.whitening(np.zeros((5, 3), np.float32)) == np.eye(3)).all()
