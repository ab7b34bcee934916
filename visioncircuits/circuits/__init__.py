"""What joins features: interventions, ablation, attribution, transplants, comparisons."""

from visioncircuits.circuits.ablation import ablate
from visioncircuits.circuits.alignment import Family, counterparts, curve_family
from visioncircuits.circuits.attribution import (
    Attribution,
    gradient_times_activation,
    integrated_gradients,
    overlay,
)
from visioncircuits.circuits.branches import (
    absolute_axes,
    axis_correlations,
    branch_table,
    filter_preferences,
    odds,
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
    "absolute_axes",
    "advantage",
    "axis_correlations",
    "branch_table",
    "compare",
    "compare_kernels",
    "compare_maps",
    "compare_tuning",
    "control_units",
    "counterparts",
    "curve_family",
    "damage",
    "filter_preferences",
    "gradient_times_activation",
    "held",
    "integrated_gradients",
    "intervened",
    "odds",
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
