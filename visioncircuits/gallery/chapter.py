"""A chapter of a site: pages on the network as a whole, which are no feature's evidence.

What a recipe asks for in a table of its own, as `[[explain]]`; the index links its pages. A further
chapter is a further `Chapter` in `building.CHAPTERS`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from visioncircuits.engine import Work
from visioncircuits.gallery.contents import Link
from visioncircuits.gallery.evidence.kind import Build, Task


@dataclass(frozen=True)
class Chapter:
    """What makes the pages of one kind of table.

    Attributes
    ----------
    name
        The folder of its finished work, where pages may be too.
    title
        The heading of its links on the index.
    plan
        Returns the work: none where the recipe does not ask for it. Called before anything is
        computed, so that mistakes are met at the door.
    links
        Takes the work that is finished; writes what is left to write, and returns the links.
    """

    name: str
    title: str
    plan: Callable[[Build], Task]
    links: Callable[[Build, Sequence[Work]], Sequence[Link]]
