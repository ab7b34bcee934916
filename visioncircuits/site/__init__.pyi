from . import report
from .pages import asset, brief, number, render, size
from .report_numbers import Goal, goals, summary

__all__ = [
    "Goal",
    "asset",
    "brief",
    "goals",
    "number",
    "render",
    "report",
    "size",
    "summary",
]
