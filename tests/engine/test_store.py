"""Finished work is stored whole or not at all, and only missing work is computed."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from visioncircuits import engine
from visioncircuits.errors import InputError


def square(work: engine.Work) -> Mapping[str, bytes]:
    return {"square.txt": str(work["number"] ** 2).encode()}


def numbers(*values: int) -> list[engine.Work]:
    return [{"number": value} for value in values]


def test_work_is_found_again_by_its_description(tmp_path: Path) -> None:
    store = engine.Store(tmp_path)
    engine.complete(store, square, numbers(3, 4), engine=engine.local(workers=1))
    assert (store.path({"number": 4}) / "square.txt").read_text() == "16"
    assert sorted(work["number"] for work in store.finished()) == [3, 4]


def test_only_missing_work_is_computed(tmp_path: Path) -> None:
    store = engine.Store(tmp_path)
    local = engine.local(workers=1)
    engine.complete(store, square, numbers(1, 2), engine=local)
    done: list[int] = []
    engine.complete(
        store, square, numbers(1, 2, 5), engine=local, advance=lambda w: done.append(w["number"])
    )
    assert done == [5]


def test_work_that_lost_a_file_or_part_of_one_is_computed_again(tmp_path: Path) -> None:
    store = engine.Store(tmp_path)
    local = engine.local(workers=1)
    engine.complete(store, square, numbers(10, 11, 12, 13), engine=local)
    (store.path({"number": 10}) / "square.txt").unlink()
    (store.path({"number": 11}) / "square.txt").write_text("1")
    (store.path({"number": 12}) / "work.json").write_text('{"work":')
    assert [work["number"] for work in store.finished()] == [13]
    engine.complete(store, square, numbers(10, 11, 12, 13), engine=local)
    assert len(list(store.finished())) == 4
    assert (store.path({"number": 11}) / "square.txt").read_text() == "121"


def test_the_driver_keeps_what_finished_before_a_failure(tmp_path: Path) -> None:
    store = engine.Store(tmp_path)
    works = [{"number": 2}, {"numeral": "II"}, {"number": 3}]
    with pytest.raises(engine.WorkFailed, match="KeyError"):
        engine.complete(store, square, works, engine=engine.local(workers=1))
    assert sorted(work["number"] for work in store.finished()) == [2, 3]


def test_workers_that_write_elsewhere_are_named(tmp_path: Path) -> None:
    class Elsewhere:
        def map(
            self, function: Callable[[Any], Any], items: Sequence[Any]
        ) -> Iterator[tuple[int, Any]]:
            yield 0, None

    with pytest.raises(InputError, match="choose a folder that all machines share"):
        engine.complete(engine.Store(tmp_path), square, numbers(2), engine=Elsewhere())


def test_other_work_can_be_removed(tmp_path: Path) -> None:
    store = engine.Store(tmp_path)
    engine.complete(store, square, numbers(1, 2, 3), engine=engine.local(workers=1))
    (tmp_path / "notes.txt").write_text("the user's own")
    store.keep(numbers(2))
    assert [work["number"] for work in store.finished()] == [2]
    assert (tmp_path / "notes.txt").exists()


def test_a_digest_depends_on_every_value_and_not_on_order() -> None:
    work = {"network": "a", "units": [1, 2], "steps": 3}
    assert engine.digest(work) == engine.digest(dict(reversed(work.items())))
    others = [{**work, "network": "b"}, {**work, "units": [2, 1]}, {**work, "steps": 4}]
    assert len({engine.digest(other) for other in [work, *others]}) == 4


def test_the_manifest_describes_the_work(tmp_path: Path) -> None:
    store = engine.Store(tmp_path)
    store.add({"number": 7}, {"square.txt": b"49"})
    content = json.loads((store.path({"number": 7}) / "work.json").read_text())
    assert content == {"work": {"number": 7}, "bytes": {"square.txt": 2}}


def test_a_full_disk_raises_an_input_error_and_leaves_finished_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = engine.Store(tmp_path / "store")
    local = engine.local(workers=1)
    engine.complete(store, square, numbers(1, 2), engine=local)
    written = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "work.json":
            written(path, data[:3])
            raise OSError(28, "No space left on device")
        return written(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"the disk is full.*what is finished is kept"):
        engine.complete(store, square, numbers(1, 2, 3), engine=local)
    monkeypatch.undo()
    assert sorted(work["number"] for work in store.finished()) == [1, 2]
    assert not list(tmp_path.rglob(".part-*"))


def test_a_folder_that_cannot_be_created_raises_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot write .*; choose another folder"):
        engine.Store(tmp_path / "file" / "store").add({}, {"a": b"b"})
