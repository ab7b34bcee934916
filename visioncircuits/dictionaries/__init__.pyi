from .capacity import capacity
from .clustering import Clusters, clusters
from .drivers import Drivers, drivers
from .monosemanticity import embeddings, monosemanticity
from .splitting import Split, only, replaced, split

__all__ = [
    "Clusters",
    "Drivers",
    "Split",
    "capacity",
    "clusters",
    "drivers",
    "embeddings",
    "monosemanticity",
    "only",
    "replaced",
    "split",
]
