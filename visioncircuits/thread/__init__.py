"""The Circuits thread, run again: articles as claims that a network is tested for."""

from visioncircuits.thread.article import Article, Plate, names, part
from visioncircuits.thread.claims import Row, here, inception, paper
from visioncircuits.thread.reproduce import reproduce
from visioncircuits.thread.run import Run
from visioncircuits.thread.study import Study

__all__ = [
    "Article",
    "Plate",
    "Row",
    "Run",
    "Study",
    "here",
    "inception",
    "names",
    "paper",
    "part",
    "reproduce",
]
