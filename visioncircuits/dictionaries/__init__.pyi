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
from .sources import Source

__all__ = [
    "AboveThreshold",
    "Dictionary",
    "Largest",
    "LargestBlocks",
    "Linear",
    "NonNegative",
    "Rectified",
    "Rule",
    "ShrunkBlocks",
    "Source",
]
