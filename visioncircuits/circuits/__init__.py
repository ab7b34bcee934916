"""What joins features: transplants of one network's units into another, and comparisons."""

from visioncircuits.circuits.alignment import Family, counterparts, curve_family
from visioncircuits.circuits.comparison import (
    compare_kernels,
    compare_maps,
    compare_tuning,
    sign_table,
)
from visioncircuits.circuits.curves import Comparison, compare
from visioncircuits.circuits.effects import advantage, damage, repair
from visioncircuits.circuits.photographs import Photographs, photographs
from visioncircuits.circuits.replacement import replaced
from visioncircuits.circuits.transplants import Donor, Operation, Scale, control_units, perform

__all__ = [
    "Comparison",
    "Donor",
    "Family",
    "Operation",
    "Photographs",
    "Scale",
    "advantage",
    "compare",
    "compare_kernels",
    "compare_maps",
    "compare_tuning",
    "control_units",
    "counterparts",
    "curve_family",
    "damage",
    "perform",
    "photographs",
    "repair",
    "replaced",
    "sign_table",
]
