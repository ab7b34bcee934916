"""What joins features: interventions, ablation, attribution, transplants, comparisons."""

from visioncircuits.circuits.ablation import ablate
from visioncircuits.circuits.alignment import Family, counterparts, curve_family
from visioncircuits.circuits.attribution import (
    Attribution,
    gradient_times_activation,
    integrated_gradients,
    overlay,
)
from visioncircuits.circuits.comparison import (
    compare_kernels,
    compare_maps,
    compare_tuning,
    sign_table,
)
from visioncircuits.circuits.curves import Comparison, compare
from visioncircuits.circuits.effects import advantage, damage, repair
from visioncircuits.circuits.interventions import held, intervened, scaled, silenced, swapped
from visioncircuits.circuits.photographs import Photographs, photographs
from visioncircuits.circuits.replacement import replaced
from visioncircuits.circuits.transplants import Donor, Operation, Scale, control_units, perform

__all__ = [
    "Attribution",
    "Comparison",
    "Donor",
    "Family",
    "Operation",
    "Photographs",
    "Scale",
    "ablate",
    "advantage",
    "compare",
    "compare_kernels",
    "compare_maps",
    "compare_tuning",
    "control_units",
    "counterparts",
    "curve_family",
    "damage",
    "gradient_times_activation",
    "held",
    "integrated_gradients",
    "intervened",
    "overlay",
    "perform",
    "photographs",
    "repair",
    "replaced",
    "scaled",
    "sign_table",
    "silenced",
    "swapped",
]
