"""A photograph that is read, and reading on threads while a network computes."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float32
from torch import Tensor


@dataclass(frozen=True)
class Photograph:
    """A photograph that was read, or the reason why it cannot be.

    Attributes
    ----------
    name
        By which to find it again.
    pixels
        RGB in [0, 1], `(3, size, size)`, or with the channels of the network; None if it cannot be
        read.
    label
        The number of its class, if it has one.
    problem
        Why it cannot be read.

    Examples
    --------
    >>> import torch
    >>> Photograph("cat.jpg", torch.rand(3, 64, 64), label=281)
    Photograph('cat.jpg', (3, 64, 64), label=281)
    """

    name: str
    pixels: Float32[Tensor, "channels height width"] | None
    label: int | None = None
    problem: str = ""

    def __repr__(self) -> str:
        content = self.problem if self.pixels is None else tuple(self.pixels.shape)
        return f"Photograph({self.name!r}, {content}, label={self.label})"


def decoded_ahead(
    function: Callable[[Any], Photograph], items: Iterable[Any], *, threads: int = 2, most: int = 48
) -> Iterator[Photograph]:
    """Call a function on threads, up to `most` items ahead, and yield the results in order."""
    pending: deque[Future[Photograph]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= most:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
