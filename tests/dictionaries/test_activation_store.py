"""Samples are what the network computes, on the fly and on disk, however work was interrupted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from visioncircuits.datasets import photographs
from visioncircuits.dictionaries import ActivationStore, Views, activation_store, samples, store
from visioncircuits.dictionaries import sampling as drawing
from visioncircuits.dictionaries.shuffling import WINDOW, Shuffled
from visioncircuits.engine import local
from visioncircuits.errors import InputError
from visioncircuits.networks import Network, Preprocessing, wrap

COUNT, SIZE, UNITS = 7, 16, 6


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, UNITS, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return wrap(nn.Sequential(*layers), Preprocessing(), size=SIZE)


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return torch.rand(COUNT, 3, 20, 20, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def maps(network: Network, pictures: torch.Tensor) -> np.ndarray:
    shown = photographs(pictures).pictures(SIZE)
    return network.activations(shown, ["1"])["1"].flatten(2).transpose(1, 2).numpy()


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "PHOTOGRAPHS", 2)


def ordered(rows: Any) -> np.ndarray:
    rows = np.asarray(rows)
    return rows[np.lexsort(rows.T)]


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.usefixtures("small_shards")
def test_an_epoch_has_every_position_of_every_photograph_once(network, pictures, maps):
    drawn = samples(network, "1", pictures, dtype="float32", batch=3)
    assert drawn.counts == (288, 288, 288, 144)
    epoch = torch.cat([drawn.batch(step, size=63, seed=5) for step in range(16)])
    assert np.allclose(ordered(epoch), ordered(maps.reshape(-1, UNITS)), atol=1e-6)
    following = torch.cat([drawn.batch(step, size=63, seed=5) for step in range(16, 32)])
    assert not torch.equal(following, epoch)
    assert np.array_equal(ordered(following), ordered(epoch))


@pytest.mark.usefixtures("small_shards")
def test_a_store_gives_the_batches_that_are_computed_on_the_fly(network, pictures, tmp_path):
    drawn = samples(network, "1", pictures, positions=9, views=Views(count=3))
    kept = store(drawn, tmp_path)
    assert (len(kept), kept.units, kept.layer) == (COUNT * 9 * 3, UNITS, "1")
    for step in (3, 0, 14, 7):  # in any order, and where an epoch ends
        assert torch.equal(kept.batch(step, size=13, seed=1), drawn.batch(step, size=13, seed=1))
    again = ActivationStore.load(tmp_path)
    assert torch.equal(again.batch(2, size=13, seed=1), drawn.batch(2, size=13, seed=1))


@pytest.mark.usefixtures("small_shards")
def test_work_that_was_interrupted_goes_on_to_the_same_bytes(
    network, pictures, tmp_path, monkeypatch
):
    drawn = samples(network, "1", pictures, positions=4, views=Views())
    store(drawn, tmp_path / "once")
    compute, computed = activation_store._computed, []

    def killed(*given: Any) -> Any:
        if len(computed) == 2:
            raise KeyboardInterrupt
        computed.append(given)
        return compute(*given)

    monkeypatch.setattr(activation_store, "_computed", killed)
    folder = tmp_path / "twice"
    with pytest.raises(KeyboardInterrupt):
        store(drawn, folder)
    with pytest.raises(InputError, match="they are unfinished"):
        ActivationStore.load(folder)
    monkeypatch.setattr(activation_store, "_computed", compute)
    store(drawn, folder)
    assert files(folder) == files(tmp_path / "once")
    monkeypatch.setattr(activation_store, "_computed", killed)  # nothing is computed again
    store(drawn, folder)


@pytest.mark.slow
@pytest.mark.usefixtures("small_shards")
def test_workers_write_the_same_bytes(network, pictures, tmp_path):
    drawn = samples(network, "1", pictures, positions=4)
    store(drawn, tmp_path / "one")
    store(drawn, tmp_path / "two", engine=local(workers=2))
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_positions_by_norm_are_rarely_of_empty_ground() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, UNITS, 1, bias=False), nn.ReLU())
    network = wrap(module, Preprocessing(), size=SIZE)
    pictures = torch.rand(4, 3, SIZE, SIZE)
    pictures[:, :, :, SIZE // 4 :] *= 0.01  # three quarters are nearly black
    pictures[:, :, -1] = 0
    by = {
        weighting: samples(
            network, "1", pictures, positions=20, weighting=weighting, dtype="float32"
        ).shard(0)
        for weighting in ("uniform", "norm")
    }
    bright = {name: (np.linalg.norm(rows, axis=1) > 0.02).mean() for name, rows in by.items()}
    assert bright["norm"] > 0.9 > 0.4 > bright["uniform"]
    assert np.linalg.norm(by["norm"], axis=1).min() > 0
    assert len(np.unique(by["norm"], axis=0)) == 80  # none is drawn twice


def test_a_share_of_draws_by_norm_is_that_of_the_norms() -> None:
    network = wrap(nn.Sequential(nn.Conv2d(3, 1, 1, bias=False)), Preprocessing(), size=2)
    nn.init.constant_(network.module[0].weight, 1 / 3)
    picture = torch.tensor([0.1, 0.2, 0.3, 0.4]).reshape(1, 1, 2, 2).expand(1200, 3, 2, 2)
    drawn = samples(network, "0", picture, positions=1, weighting="norm", dtype="float32")
    rows = np.concatenate([drawn.shard(number) for number in range(len(drawn.counts))])
    shares = [np.isclose(rows, value, atol=1e-4).mean() for value in (0.1, 0.2, 0.3, 0.4)]
    assert np.allclose(shares, [0.1, 0.2, 0.3, 0.4], atol=0.05)


def test_views_are_crops_and_flips_and_depend_on_the_seed(network):
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 64, 64).clone()
    given = photographs(ramp)
    central = given.pictures(SIZE)[0]

    def views(**options: Any) -> torch.Tensor:
        chosen = Views(**options)
        found = drawing.viewed(given, [0], SIZE, chosen, seed=3)
        return torch.stack([pixels for _, pixels, _ in found])

    (plain,) = views(smallest=1, flips=False)
    assert torch.equal(plain, central)
    flipped = views(count=8, smallest=1)
    assert {bool(view[0, 0, 0] > view[0, 0, -1]) for view in flipped} == {True, False}
    cropped = views(count=8, smallest=0.5, flips=False)
    spans = cropped[:, 0, 0, -1] - cropped[:, 0, 0, 0]
    whole = float(central[0, 0, -1] - central[0, 0, 0])
    assert ((spans > 0.45 * whole) & (spans <= whole + 1e-5)).all()
    assert len(spans.unique()) == 8
    assert torch.equal(views(count=8, smallest=0.5, flips=False), cropped)


@pytest.mark.usefixtures("small_shards")
def test_in_place_of_a_damaged_photograph_another_is_viewed(network, squares, tmp_path):
    kept = store(samples(network, "1", squares, positions=4), tmp_path)
    assert len(kept) == 19 * 4
    (problem,) = kept.skipped
    assert "18.jpg" in problem
    damaged = photographs(squares).part([18])
    with pytest.raises(InputError, match=r"none of 1 photographs can be read: .*18\.jpg"):
        samples(network, "1", damaged).batch(0, size=2, seed=0)


def test_a_window_of_shards_is_in_memory_and_each_is_read_once_an_epoch() -> None:
    read: list[int] = []

    def shard(number: int) -> np.ndarray:
        read.append(number)
        return np.full((4, 2), number, np.float32)

    count = 2 * WINDOW + 3
    rows = Shuffled(shard, (4,) * count)
    for step in range(count):
        batch = rows.batch(step, size=4, seed=0)
        assert set(batch[:, 0].int().tolist()) <= set(read[-WINDOW:])
        assert len(read) <= (step * 4 // (4 * WINDOW) + 1) * WINDOW
    assert sorted(read) == list(range(count))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "7"}, "unknown layer"),
        ({"positions": 145}, "positions must be a whole number from 1 to 144"),
        ({"weighting": "size"}, "unknown weighting of positions 'size'"),
        ({"dtype": "float64"}, "unknown dtype"),
    ],
)
def test_bad_options_are_refused(network, pictures, options, message):
    with pytest.raises(InputError, match=message):
        samples(network, options.pop("layer", "1"), pictures, **options)


def test_views_that_would_be_the_same_are_refused() -> None:
    with pytest.raises(InputError, match="all views would be the same"):
        Views(count=2, smallest=1, flips=False)


def test_other_samples_in_the_folder_and_large_numbers_are_refused(network, pictures, tmp_path):
    store(samples(network, "1", pictures, positions=4), tmp_path)
    with pytest.raises(InputError, match="holds other samples"):
        store(samples(network, "1", pictures, positions=5), tmp_path)
    with pytest.raises(InputError, match="there are no samples in"):
        ActivationStore.load(tmp_path / "none")
    loud = wrap(nn.Sequential(nn.Conv2d(3, 2, 1)), Preprocessing(), size=SIZE)
    nn.init.constant_(loud.module[0].weight, 1e6)
    with pytest.raises(InputError, match="float16 ends at 65504; pass dtype='float32'"):
        samples(loud, "0", pictures).batch(0, size=2, seed=0)
