from .activation_store import ActivationStore, store
from .agreement import agreement, best_cosines, best_subspaces, block_r2, unit_cosines
from .batch_topk import BatchTopK
from .block_topk import BlockTopK
from .capacity import capacity
from .clustering import Clusters, clusters
from .dictionary import Dictionary
from .drivers import Drivers, drivers
from .evaluated import Evaluation
from .evaluation import evaluate
from .gated import NewFeatures
from .gates import new_features
from .grassmannian import Grassmannian
from .group_lasso import GroupLasso
from .ica import ica
from .l1 import L1
from .method import Method
from .monosemanticity import embeddings, monosemanticity
from .nmf import nmf
from .normalization import Normalization
from .pca import pca
from .replacing import only, render_parents, replaced
from .rules import (
    AboveThreshold,
    Largest,
    LargestBlocks,
    Linear,
    NonNegative,
    Rectified,
    Rule,
    ShrunkBlocks,
)
from .sampling import Samples, samples
from .settings import Settings
from .sides import Sides, sides
from .sources import Held, Source
from .split_panel import split_panel
from .splitting import Split, split
from .topk import TopK
from .training import train
from .untrained import untrained_like
from .views import Views

__all__ = [
    "L1",
    "AboveThreshold",
    "ActivationStore",
    "BatchTopK",
    "BlockTopK",
    "Clusters",
    "Dictionary",
    "Drivers",
    "Evaluation",
    "Grassmannian",
    "GroupLasso",
    "Held",
    "Largest",
    "LargestBlocks",
    "Linear",
    "Method",
    "NewFeatures",
    "NonNegative",
    "Normalization",
    "Rectified",
    "Rule",
    "Samples",
    "Settings",
    "ShrunkBlocks",
    "Sides",
    "Source",
    "Split",
    "TopK",
    "Views",
    "agreement",
    "best_cosines",
    "best_subspaces",
    "block_r2",
    "capacity",
    "clusters",
    "drivers",
    "embeddings",
    "evaluate",
    "ica",
    "monosemanticity",
    "new_features",
    "nmf",
    "only",
    "pca",
    "render_parents",
    "replaced",
    "samples",
    "sides",
    "split",
    "split_panel",
    "store",
    "train",
    "unit_cosines",
    "untrained_like",
]
