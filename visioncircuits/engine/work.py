"""The interface of an engine: it maps a function over items."""

import pickle
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

from visioncircuits.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")


ATTEMPTS = 3
"""An item during which this many workers died has failed: it is taken to kill them."""


@runtime_checkable
class Engine(Protocol):
    """What work runs on: this process, several of them, or a cluster.

    Examples
    --------
    >>> from visioncircuits.engine import local
    >>> engine = local(workers=1)
    >>> isinstance(engine, Engine), sorted(engine.map(abs, [-3, 4]))
    (True, [(0, 3), (1, 4)])
    """

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """Yield `(index, function(items[index]))` for every item, in the order of finishing.

        The function and the items must be picklable, and a result may depend on its item alone:
        then it is the same on every engine, whatever the number of workers. An item that fails
        does not stop the others.

        Raises
        ------
        InputError
            As soon as the function raises one: a mistake of the user affects all items.
        WorkFailed
            After the last item, where items failed.
        """
        ...


@dataclass(frozen=True)
class Failure:
    """The reason why an item has no result."""

    reason: str


Outcomes = Generator[tuple[int, Result | Failure | InputError], None, None]
"""The index of each item, and its result or error."""


class WorkFailed(RuntimeError):
    """Some items failed; all others are finished.

    Attributes
    ----------
    reasons
        Index of each failed item to the error.

    Examples
    --------
    >>> print(WorkFailed({3: "its worker was killed (signal 9), 3 times"}, total=8))
    1 of 8 pieces of work failed; piece 3: its worker was killed (signal 9), 3 times
    """

    def __init__(self, reasons: Mapping[int, str], *, total: int) -> None:
        self.reasons = dict(sorted(reasons.items()))
        first, reason = next(iter(self.reasons.items()))
        super().__init__(
            f"{len(reasons)} of {total} pieces of work failed; piece {first}: {reason}"
        )


def attempt(function: Callable[[Item], Result], item: Item) -> Result | Failure | InputError:
    """Call the function; return its error instead of raising it.

    Examples
    --------
    >>> attempt(abs, -2)
    2
    >>> attempt(int, "two").reason
    "ValueError: invalid literal for int() with base 10: 'two'"
    """
    try:
        return function(item)
    except InputError as error:
        return error
    except Exception as error:  # of any kind: it is reported and the other items are computed
        return Failure(f"{type(error).__name__}: {error}")


def call_pickled(task: bytes) -> bytes:
    """Call a pickled function on its item; return the result, pickled too."""
    function, item = pickle.loads(task)
    return pickle.dumps(function(item))


def settled(outcomes: Outcomes[Result], *, total: int) -> Iterator[tuple[int, Result]]:
    """Yield the results among outcomes, and raise for the others as `Engine.map` does."""
    reasons = {}
    with closing(outcomes):  # so that workers end with this function, however it ends
        for index, outcome in outcomes:
            if isinstance(outcome, InputError):
                raise outcome
            if isinstance(outcome, Failure):
                reasons[index] = outcome.reason
            else:
                yield index, outcome
    if reasons:
        raise WorkFailed(reasons, total=total)
