"""Work over many features: on one process or several, resumable, the same to the byte."""

from visioncircuits.engine.local import Local, local
from visioncircuits.engine.progress import progress
from visioncircuits.engine.store import Store, Work, complete, digest
from visioncircuits.engine.work import Engine, WorkFailed

__all__ = [
    "Engine",
    "Local",
    "Store",
    "Work",
    "WorkFailed",
    "complete",
    "digest",
    "local",
    "progress",
]
