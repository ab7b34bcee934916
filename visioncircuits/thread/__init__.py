"""The Circuits thread, run again: articles as claims that a network is tested for."""

from visioncircuits.thread.across import across
from visioncircuits.thread.article import Article, Plate, names, part
from visioncircuits.thread.claims import Row, here, inception, paper
from visioncircuits.thread.reproduce import reproduce
from visioncircuits.thread.run import Run
from visioncircuits.thread.seven_arguments import SevenArguments, seven_arguments
from visioncircuits.thread.seven_arguments_panel import seven_arguments_panel
from visioncircuits.thread.study import Study

__all__ = [
    "Article",
    "Plate",
    "Row",
    "Run",
    "SevenArguments",
    "Study",
    "across",
    "here",
    "inception",
    "names",
    "paper",
    "part",
    "reproduce",
    "seven_arguments",
    "seven_arguments_panel",
]
