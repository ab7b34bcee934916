from .capacity import capacity
from .clustering import Clusters, clusters
from .drivers import Drivers, drivers
from .monosemanticity import embeddings, monosemanticity
from .replacing import only, render_parents, replaced
from .split_panel import split_panel
from .splitting import Split, split

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
    "render_parents",
    "replaced",
    "split",
    "split_panel",
]
