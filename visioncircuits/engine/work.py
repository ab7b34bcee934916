"""What an engine is: it maps a function over units of work, and does nothing else."""

import pickle
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

from visioncircuits.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")


ATTEMPTS = 3
"""An item that was in hand when this many workers died is what kills them: it is given up."""


@runtime_checkable
class Engine(Protocol):
    """Whatever carries out work: this process, several of them, or a cluster."""

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """Give `(index, function(items[index]))` for every item, in the order of finishing.

        The function and the items must survive pickling, and a result may depend on its item
        alone: then it is the same on every engine, however many workers share the work. An item
        that fails does not stop the others.

        Raises
        ------
        InputError
            As soon as the function raises one: what the user got wrong concerns all items.
        WorkFailed
            After the last item, where some of them failed.
        """
        ...


@dataclass(frozen=True)
class Failure:
    """Why one item has no result."""

    reason: str


Outcomes = Generator[tuple[int, Result | Failure | InputError], None, None]
"""What became of each item, by its index."""


class WorkFailed(RuntimeError):
    """Some items failed; all others are finished.

    Attributes
    ----------
    reasons
        Index of each failed item to what went wrong.

    Examples
    --------
    >>> print(WorkFailed({3: "its worker was killed (signal 9), 3 times"}, total=8))
    1 of 8 pieces of work failed; piece 3 says: its worker was killed (signal 9), 3 times
    """

    def __init__(self, reasons: Mapping[int, str], *, total: int) -> None:
        self.reasons = dict(sorted(reasons.items()))
        first, reason = next(iter(self.reasons.items()))
        super().__init__(
            f"{len(reasons)} of {total} pieces of work failed; piece {first} says: {reason}"
        )


def attempt(function: Callable[[Item], Result], item: Item) -> Result | Failure | InputError:
    """Call the function; give what went wrong instead of raising it.

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
    except Exception as error:  # whatever it was, it is reported and the rest goes on
        return Failure(f"{type(error).__name__}: {error}")


def carry_out(task: bytes) -> bytes:
    """Call a pickled function on its item; give the result, pickled too."""
    function, item = pickle.loads(task)
    return pickle.dumps(function(item))


def settled(outcomes: Outcomes[Result], *, total: int) -> Iterator[tuple[int, Result]]:
    """Give the results among outcomes, and raise what `Engine.map` raises for the others."""
    reasons = {}
    with closing(outcomes):  # so that workers end with the work, however it ends
        for index, outcome in outcomes:
            if isinstance(outcome, InputError):
                raise outcome
            if isinstance(outcome, Failure):
                reasons[index] = outcome.reason
            else:
                yield index, outcome
    if reasons:
        raise WorkFailed(reasons, total=total)
