"""The Circuits thread, run again: articles as claims that a network is tested for."""

from visioncircuits.thread.article import Article, Part, Plate, names, part
from visioncircuits.thread.claims import Claim, Row, Unavailable, here, inception, paper
from visioncircuits.thread.filters import filter_picture
from visioncircuits.thread.intervals import interval, middle, null, share_interval
from visioncircuits.thread.photographs import batched, strongest
from visioncircuits.thread.reproduce import pending, reproduce
from visioncircuits.thread.run import Run
from visioncircuits.thread.study import Study
from visioncircuits.thread.units import number, numbers

__all__ = [
    "Article",
    "Claim",
    "Part",
    "Plate",
    "Row",
    "Run",
    "Study",
    "Unavailable",
    "batched",
    "filter_picture",
    "here",
    "inception",
    "interval",
    "middle",
    "names",
    "null",
    "number",
    "numbers",
    "paper",
    "part",
    "pending",
    "reproduce",
    "share_interval",
    "strongest",
]
