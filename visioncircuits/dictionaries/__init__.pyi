from .activation_store import ActivationStore, store
from .dictionary import Dictionary
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
from .sources import Source
from .views import Views

__all__ = [
    "AboveThreshold",
    "ActivationStore",
    "Dictionary",
    "Largest",
    "LargestBlocks",
    "Linear",
    "NonNegative",
    "Rectified",
    "Rule",
    "Samples",
    "ShrunkBlocks",
    "Source",
    "Views",
    "samples",
    "store",
]
