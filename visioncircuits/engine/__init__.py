"""Work over many features: on processes or a cluster, resumable, reproducible to the byte."""

from visioncircuits.engine.choice import choose
from visioncircuits.engine.cluster import cluster
from visioncircuits.engine.local import local
from visioncircuits.engine.store import Store, Work, complete, digest
from visioncircuits.engine.tree import join
from visioncircuits.engine.work import Engine, WorkFailed

__all__ = [
    "Engine",
    "Store",
    "Work",
    "WorkFailed",
    "choose",
    "cluster",
    "complete",
    "digest",
    "join",
    "local",
]
