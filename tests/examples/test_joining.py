"""Examples of parts are the same to the byte whichever parts are joined first, and by whom."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from visioncircuits import engine
from visioncircuits.engine import Store, Work
from visioncircuits.examples.joining import join
from visioncircuits.examples.record import Examples
from visioncircuits.examples.survey import EXAMPLES, join_pieces
from visioncircuits.examples.tally import Tally

RECORD = {"layers": {"one": "one", "two": "two"}, "directions": {}, "top": 3}
PARTS = 7
HERE = engine.local(workers=1)


def part(number: int) -> Examples:
    """Values of many magnitudes, with ties between pictures; the fourth has no picture."""
    if number == 3:
        return Examples({}, {}, 0, ("no picture",), RECORD)
    generator = torch.Generator().manual_seed(number)
    layers = {}
    for units, layer in ((5, "two"), (3, "one")):
        tally = Tally(units, top=3, seed=0)
        for batch in range(2):
            values = torch.randn(4, units, 3, 3, generator=generator).exp() - 1
            values[:2] = values[:2].round()
            first = 8 * number + 4 * batch
            tally.add(values, np.arange(first, first + 4), [0, 1, None, number])
        layers[layer] = tally.examples()
    names = {picture: f"{picture}.jpg" for picture in range(8 * number, 8 * number + 8)}
    return Examples(layers, names, 8, (), RECORD)


PIECES = [part(number) for number in range(PARTS)]
WORKS: list[Work] = [{"part": number} for number in range(PARTS)]
WHOLE = join(PIECES, RECORD).packed()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_joining_is_associative(data: st.DataObject) -> None:
    pieces = list(PIECES)
    while len(pieces) > 1:
        start = data.draw(st.integers(0, len(pieces) - 2))
        end = data.draw(st.integers(start + 2, len(pieces)))
        pieces[start:end] = [join(pieces[start:end], RECORD)]
    assert pieces[0].packed() == WHOLE


def stored(folder: Path) -> Store:
    store = Store(folder)
    for work, piece in zip(WORKS, PIECES, strict=True):
        store.add(work, {EXAMPLES: piece.packed()})
    return store


@pytest.mark.parametrize("arity", [2, 3, 6, 7, 100])
def test_trees_of_any_arity_give_the_same_bytes(tmp_path: Path, arity: int) -> None:
    store = stored(tmp_path)
    joining = partial(join_pieces, record=RECORD)
    root = engine.join(store, joining, WORKS, engine=HERE, arity=arity)
    assert (root / EXAMPLES).read_bytes() == WHOLE
    assert len(list(store.finished())) == PARTS + 1  # and nothing in between


def test_what_an_interruption_left_between_is_removed(tmp_path: Path) -> None:
    store = stored(tmp_path)
    joining = partial(join_pieces, record=RECORD)
    left = {"what": "joined", "of": [*map(engine.digest, WORKS[:2])]}
    engine.join(store, joining, WORKS, engine=HERE, arity=2)
    store.add(left, {})
    engine.join(store, joining, WORKS, engine=HERE, arity=2)
    assert len(list(store.finished())) == PARTS + 1


def killing(
    folders: Sequence[Path], *, grave: Path, joining: Callable[..., Mapping[str, bytes]]
) -> Mapping[str, bytes]:
    """Kill the worker in the middle of the first join."""
    (grave / f"{os.getpid()}-{folders[0].name}").touch()
    with suppress(FileExistsError):
        (grave / "killed").touch(exist_ok=False)
        os.kill(os.getpid(), signal.SIGKILL)
    return joining(folders)


@pytest.mark.slow
def test_a_killed_worker_loses_one_join(tmp_path: Path) -> None:
    store, grave = stored(tmp_path / "store"), tmp_path / "grave"
    grave.mkdir()
    joining = partial(killing, grave=grave, joining=partial(join_pieces, record=RECORD))
    root = engine.join(store, joining, WORKS, engine=engine.local(workers=2), arity=3)
    assert (root / EXAMPLES).read_bytes() == WHOLE
    joins = [path for path in grave.iterdir() if path.name != "killed"]
    assert len(joins) == 2 + 1 + 1  # two levels, and one again


DRIVER = """
import os, signal, sys
from functools import partial
from pathlib import Path
from visioncircuits import engine
from visioncircuits.examples.survey import join_pieces

record = {"layers": {"one": "one", "two": "two"}, "directions": {}, "top": 3}
joined = []

def joining(folders):
    joined.append(folders)
    if len(joined) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return join_pieces(folders, record=record)

engine.join(
    engine.Store(Path(sys.argv[1])),
    joining,
    [{"part": number} for number in range(7)],
    engine=engine.local(workers=1),
    arity=2,
)
"""


@pytest.mark.slow
def test_a_killed_driver_resumes_from_the_finished_joins(tmp_path: Path) -> None:
    store = stored(tmp_path)
    driver = subprocess.run([sys.executable, "-c", DRIVER, store.folder], timeout=120)
    assert driver.returncode == -signal.SIGKILL
    joined: list[int] = []

    def joining(folders: Sequence[Path]) -> Mapping[str, bytes]:
        joined.append(len(folders))
        return join_pieces(folders, record=RECORD)

    root = engine.join(store, joining, WORKS, engine=HERE, arity=2)
    assert (root / EXAMPLES).read_bytes() == WHOLE
    assert joined == [2, 2]  # three of the first level and one of the second were finished


def test_the_driver_holds_no_results(tmp_path: Path) -> None:
    store, passed = Store(tmp_path), []

    class Watched:
        def map(
            self, function: Callable[[Work], Any], items: Sequence[Work]
        ) -> Iterator[tuple[int, Any]]:
            for index, result in HERE.map(function, items):
                passed.append(result)
                yield index, result

    works: list[Work] = [{"letter": letter} for letter in "abc"]
    engine.complete(store, lambda work: {"text": b"long" * 1000}, works, engine=Watched())
    engine.join(store, lambda found: {"text": bytes(len(found))}, works, engine=Watched(), arity=2)
    assert passed == [None] * 5
