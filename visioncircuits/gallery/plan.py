"""From requests to pieces of work: features in batches, those left out that are finished."""

from collections.abc import Container, Iterable, Iterator
from typing import Any

from visioncircuits.engine import Work, digest

BATCH = 16
"""Pictures optimized at once, or features whose weights are read: more gain nothing on a core."""


def batches(requests: Iterable[Work], finished: Container[str]) -> Iterator[Work]:
    """Cut what is not finished into pieces of work.

    How float arithmetic rounds depends on a batch's size, so a picture's last bits do too. A job
    that is resumed still cuts the same batches: of a request's features in order, whole batches
    are finished, and the cuts between the others stay where they were.
    """
    for work in requests:
        missing = [feature for feature in work["features"] if key(work, feature) not in finished]
        size = max(1, work.get("batch", BATCH) // work.get("pictures", 1))
        for start in range(0, len(missing), size):
            yield {**work, "features": missing[start : start + size]}


def amount(work: Work) -> int:
    """Count the pictures, or the features, of a piece of work; a chapter's is one."""
    return len(work["features"]) * int(work.get("pictures", 1)) if "features" in work else 1


def key(work: Work, feature: Any) -> str:
    """Compute the name of what is made of one feature's record, whichever batch it is made in."""
    return digest({**work, "features": [feature]})


def index(works: Iterable[Work]) -> dict[str, Work]:
    """Map the name of what is made of each feature to the piece of work that it is in."""
    return {key(work, feature): work for work in works for feature in work["features"]}
