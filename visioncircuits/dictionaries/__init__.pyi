from .agreement import agreement, best_cosines, best_subspaces, block_r2, unit_cosines
from .batch_topk import BatchTopK
from .block_topk import BlockTopK
from .dictionary import Dictionary
from .grassmannian import Grassmannian
from .group_lasso import GroupLasso
from .ica import ica
from .l1 import L1
from .method import Method
from .nmf import nmf
from .normalization import Normalization
from .pca import pca
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
from .settings import Settings
from .sources import Held, Source
from .topk import TopK
from .training import train

__all__ = [
    "L1",
    "AboveThreshold",
    "BatchTopK",
    "BlockTopK",
    "Dictionary",
    "Grassmannian",
    "GroupLasso",
    "Held",
    "Largest",
    "LargestBlocks",
    "Linear",
    "Method",
    "NonNegative",
    "Normalization",
    "Rectified",
    "Rule",
    "Settings",
    "ShrunkBlocks",
    "Source",
    "TopK",
    "agreement",
    "best_cosines",
    "best_subspaces",
    "block_r2",
    "ica",
    "nmf",
    "pca",
    "train",
    "unit_cosines",
]
