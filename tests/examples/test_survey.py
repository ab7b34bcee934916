"""Every photograph is counted once, however the work is shared, interrupted or repeated."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from visioncircuits import engine, fingerprint, networks
from visioncircuits.datasets import Source, photographs
from visioncircuits.engine import Store, Work
from visioncircuits.errors import InputError
from visioncircuits.examples import Examples, Survey, collect, survey

NETWORK, LAYERS = "handwritten:color-contrast", ["conv2d1", "conv2d0"]
HERE = engine.local(workers=1)
MODULE = sys.modules["visioncircuits.examples.survey"]  # the package shows a function of this name


def plan(source: Source, **options: Any) -> Survey:
    return survey(NETWORK, LAYERS, source, **{"labels": "folders", "top": 5, "shard": 4, **options})


def calling(advance: Callable[[int], object]) -> Callable[..., Any]:
    """A bar that calls a function."""
    return lambda *_, **options: nullcontext(advance)


def run(planned: Survey, store: Store, workforce: engine.Engine = HERE) -> Examples:
    planned.carry_out(store, workforce=workforce)
    return planned.joined(store)


@pytest.fixture(scope="module")
def alone(squares: Path, tmp_path_factory: pytest.TempPathFactory) -> Examples:
    """The examples from one undisturbed worker in five parts."""
    return run(plan(squares), Store(tmp_path_factory.mktemp("alone")))


def assert_equal_except_digits(one: Examples, two: Examples) -> None:
    assert list(one.layers) == list(two.layers) == LAYERS
    assert (one.names, one.seen, len(one.skipped)) == (two.names, two.seen, len(two.skipped))
    for name in LAYERS:
        ours, theirs = one.layers[name], two.layers[name]
        for places, others in ((ours.tops, theirs.tops), (ours.bottoms, theirs.bottoms)):
            assert np.array_equal(places.pictures, others.pictures)
            assert np.array_equal(places.positions, others.positions)
            assert np.allclose(places.values, others.values, rtol=1e-5, atol=1e-5)
        assert np.array_equal(ours.sample.numbers, theirs.sample.numbers)
        assert ours.moments.count == theirs.moments.count == ours.counts.sum(1)[0]
        assert np.array_equal(ours.moments.positive, theirs.moments.positive)
        assert np.allclose(ours.moments.mean, theirs.moments.mean, atol=1e-6)
        assert np.allclose(ours.moments.deviation, theirs.moments.deviation, rtol=1e-6)
        assert np.abs(ours.counts - theirs.counts).sum() <= ours.counts.sum() / 1000
        labels, means = ours.class_means()
        assert labels == theirs.class_means()[0] == [0, 1, 2]
        assert np.allclose(means, theirs.class_means()[1], rtol=1e-5)


def test_parts_equal_a_single_pass(squares: Path, alone: Examples) -> None:
    network = networks.load(NETWORK)
    once = collect(network, LAYERS, photographs(squares), top=5)
    assert_equal_except_digits(alone, once)
    assert alone.seen == 18
    assert alone.record == once.record


def test_tar_files_equal_the_folder(
    squares: Path, tars: Path, alone: Examples, tmp_path: Path
) -> None:
    planned = plan(tars)
    assert len(planned.works) == 3
    assert len(planned) == 19
    packed = run(planned, Store(tmp_path))
    network = networks.load(NETWORK)
    once = collect(network, LAYERS, photographs(tars), top=5)
    assert_equal_except_digits(packed, once)
    for name in LAYERS:
        assert np.array_equal(packed.layers[name].tops.pictures, alone.layers[name].tops.pictures)


@pytest.mark.slow
def test_examples_are_byte_identical_after_one_of_two_workers_is_killed(
    squares: Path, alone: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned, store = plan(squares), Store(tmp_path)
    processed: list[int] = []

    def kill_one(more: int) -> None:
        if not processed:  # the others already have their next parts
            os.kill(multiprocessing.active_children()[-1].pid, signal.SIGKILL)
        processed.append(more)

    monkeypatch.setattr(MODULE, "bar", calling(kill_one))
    planned.carry_out(store, workforce=engine.local(workers=2))
    assert sum(processed) == 19
    assert planned.joined(store).packed() == alone.packed()


@pytest.mark.slow
def test_examples_of_a_cluster_are_byte_identical(
    squares: Path, alone: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_worker_niceness", "0")
    found = run(plan(squares), Store(tmp_path), engine.cluster(workers=2))
    assert found.packed() == alone.packed()


DRIVER = """
import os, signal, sys
from pathlib import Path
from visioncircuits import engine
from contextlib import nullcontext
from visioncircuits.examples import survey

images, folder = sys.argv[1:]
processed = []

def advance(more):
    processed.append(more)
    if len(processed) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

sys.modules["visioncircuits.examples.survey"].bar = lambda *_, **options: nullcontext(advance)
survey(
    "handwritten:color-contrast", ["conv2d1", "conv2d0"], images, labels="folders", top=5, shard=4
).carry_out(engine.Store(Path(folder)), workforce=engine.local(workers=1))
"""


@pytest.mark.slow
def test_a_killed_driver_resumes_from_the_finished_parts(
    squares: Path, alone: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = subprocess.run([sys.executable, "-c", DRIVER, squares, tmp_path], timeout=120)
    assert driver.returncode == -signal.SIGKILL
    planned, store = plan(squares), Store(tmp_path)
    assert planned.finished(store) == list(planned.works[:2])
    processed: list[int] = []
    monkeypatch.setattr(MODULE, "bar", calling(processed.append))
    planned.carry_out(store, workforce=HERE)
    assert processed == [8, 4, 4, 3]
    assert planned.joined(store).packed() == alone.packed()


class Failing:
    """A worker that fails on the third part."""

    def map(
        self, function: Callable[[Work], Any], items: Sequence[Work]
    ) -> Iterator[tuple[int, Any]]:
        return HERE.map(partial(fail_on_third, function), items)


def fail_on_third(function: Callable[[Work], Any], work: Work) -> Any:
    if work["part"]["first"] == 8:
        raise MemoryError("too much")
    return function(work)


def test_a_failing_part_is_reported_and_the_others_are_joined(
    squares: Path, alone: Examples, tmp_path: Path
) -> None:
    planned, store = plan(squares), Store(tmp_path)
    with pytest.raises(engine.WorkFailed, match=r"1 of 5 .* MemoryError: too much"):
        planned.carry_out(store, workforce=Failing())
    found = planned.joined(store)
    assert found.seen == 14
    assert found.skipped[0] == "photographs 8 to 11 were not processed: their part failed"
    assert "18.jpg" in found.skipped[1]
    assert run(planned, store).packed() == alone.packed()  # after the fault is fixed


@pytest.mark.parametrize("shard", [1, 2, 3, 6])
def test_a_part_without_a_readable_picture_adds_nothing(tmp_path: Path, shard: int) -> None:
    for place in range(6):
        path = tmp_path / "pictures" / f"{place}.png"
        path.parent.mkdir(exist_ok=True)
        if place in (2, 3):
            path.write_bytes(b"no picture")
        else:
            values = np.random.default_rng(place).integers(0, 256, (6, 6, 3), np.uint8)
            Image.fromarray(values).resize((60, 60)).save(path)
    planned = plan(tmp_path / "pictures", labels="none", shard=shard)
    found = run(planned, Store(tmp_path / "work"))
    assert (found.seen, len(found.skipped)) == (4, 2)
    for name in LAYERS:
        rows, columns = networks.load(NETWORK).layer(name).shape
        layer = found.layers[name]
        assert layer.moments.count == 4 * rows * columns
        assert (layer.counts.sum(1) == layer.moments.count).all()
        for places in (layer.tops, layer.bottoms):
            assert np.array_equal(np.unique(places.pictures), [0, 1, 4, 5])


def test_parts_are_processed_again_with_other_options(squares: Path, tmp_path: Path) -> None:
    store = Store(tmp_path)
    plan(squares).carry_out(store, workforce=HERE)
    assert len(plan(squares).finished(store)) == 5
    half = {"precision": "bfloat16"}
    for options in ({"top": 6}, {"seed": 1}, {"labels": "none"}, {"shard": 5}, half):
        assert not plan(squares, **options).finished(store)


def test_a_worker_with_another_checkpoint_raises(squares: Path, tmp_path: Path) -> None:
    planned = plan(squares)
    other = {**planned.works[0]["record"]["network"], "checkpoint_sha256": "0" * 64}
    works = tuple(
        {**work, "record": {**work["record"], "network": other}} for work in planned.works
    )
    with pytest.raises(InputError, match="another checkpoint"):
        replace(planned, works=works).carry_out(Store(tmp_path), workforce=HERE)


def test_invalid_arguments_raise_before_the_work(squares: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown layer"):
        survey(NETWORK, ["mixed3c"], squares)
    with pytest.raises(InputError, match="1 picture or more"):
        survey(NETWORK, LAYERS, squares, shard=0)
    with pytest.raises(InputError, match="holds no photographs"):
        survey(NETWORK, LAYERS, tmp_path)


def test_a_list_of_files_has_the_examples_of_their_folder(
    squares: Path, alone: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = photographs(squares, labels="folders")
    assert run(plan(whole), Store(tmp_path / "whole")).packed() == alone.packed()
    monkeypatch.chdir(squares.parent)
    listed = [Path(squares.name) / name for name in whole.names]
    assert run(plan(listed), Store(tmp_path / "listed")).packed() == alone.packed()
    few = run(plan(whole.part([1, 4, 6])), Store(tmp_path / "few"))
    assert few.seen + len(few.skipped) == 3
    assert {*few.names.values()} <= {whole.names[place] for place in (1, 4, 6)}


def test_photographs_that_workers_cannot_read_are_for_collect(squares: Path) -> None:
    files = photographs(squares)
    renamed = replace(files, names=tuple(map(str, range(len(files)))))
    for given in (photographs(np.zeros((2, 3, 60, 60))), renamed, files.part([])):
        with pytest.raises(InputError, match="for `collect`"):
            plan(given)


def test_parts_are_processed_again_by_other_code(
    squares: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, planned = Store(tmp_path), plan(squares)
    run(planned, store)
    assert planned.finished(store) == list(planned.works)
    monkeypatch.setattr(fingerprint, "code", lambda: "changed")
    assert plan(squares).finished(store) == []
    with pytest.raises(InputError, match="a worker has another visioncircuits"):
        planned.carry_out(Store(tmp_path / "other"), workforce=HERE)


def test_a_given_network_has_the_examples_of_a_named_one(
    squares: Path, alone: Examples, tmp_path: Path
) -> None:
    network = networks.load(NETWORK)
    planned = survey(network, LAYERS, squares, labels="folders", top=5, shard=4)
    planned.carry_out(Store(tmp_path))  # in this process, without being asked for it
    assert planned.joined(Store(tmp_path)).packed() == alone.packed()
    with pytest.raises(InputError, match=r"is an object of this process"):
        planned.carry_out(Store(tmp_path), workforce=engine.local(workers=2))
