"""Work over many features: on processes or a cluster, resumable, reproducible to the byte."""

from visioncircuits.engine.choice import choose
from visioncircuits.engine.cluster import Cluster, cluster
from visioncircuits.engine.local import Local, local
from visioncircuits.engine.store import Store, Work, complete, digest
from visioncircuits.engine.work import Engine, WorkFailed

__all__ = [
    "Cluster",
    "Engine",
    "Local",
    "Store",
    "Work",
    "WorkFailed",
    "choose",
    "cluster",
    "complete",
    "digest",
    "local",
]
