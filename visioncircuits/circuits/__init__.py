"""What joins features: interventions, ablation, attribution, transplants, comparisons."""

from visioncircuits.circuits.ablation import ablate
from visioncircuits.circuits.alignment import Family, counterparts, curve_family
from visioncircuits.circuits.attribution import (
    Attribution,
    FeatureValue,
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
from visioncircuits.circuits.connections import reweighted, rewired
from visioncircuits.circuits.coverage import (
    Coverage,
    applicable,
    coverage_panel,
    covered_by_families,
    covered_by_stimuli,
)
from visioncircuits.circuits.curves import Comparison, compare
from visioncircuits.circuits.discovery import Discovery, discover, subsets
from visioncircuits.circuits.discovery_panel import discovery_panel
from visioncircuits.circuits.downstream import observe, unit_ablations
from visioncircuits.circuits.effects import advantage, change, damage, repair
from visioncircuits.circuits.equivariance import (
    Transformation,
    hue_rotation,
    orbits,
    partners,
    reflection,
    rotation,
    scaling,
)
from visioncircuits.circuits.interventions import (
    averaged,
    held,
    intervened,
    resampled,
    scaled,
    silenced,
    swapped,
)
from visioncircuits.circuits.paths import Paths, branch_contributions, path_contributions
from visioncircuits.circuits.photographs import Photographs, photographs
from visioncircuits.circuits.replacement import replaced
from visioncircuits.circuits.symmetry import (
    centroids,
    mirrored,
    placement,
    rotated_template,
    sums_by_angle,
)
from visioncircuits.circuits.transplants import Donor, Operation, Scale, control_units, perform
from visioncircuits.circuits.universality import (
    Agreement,
    agreement,
    match,
    matches_panel,
    pairs,
    pairs_panel,
    probes,
)

__all__ = [
    "Agreement",
    "Attribution",
    "Comparison",
    "Coverage",
    "Discovery",
    "Donor",
    "Family",
    "FeatureValue",
    "Operation",
    "Paths",
    "Photographs",
    "Scale",
    "Transformation",
    "ablate",
    "absolute_axes",
    "advantage",
    "agreement",
    "applicable",
    "averaged",
    "axis_correlations",
    "branch_contributions",
    "branch_table",
    "centroids",
    "change",
    "compare",
    "compare_kernels",
    "compare_maps",
    "compare_tuning",
    "control_units",
    "counterparts",
    "coverage_panel",
    "covered_by_families",
    "covered_by_stimuli",
    "curve_family",
    "damage",
    "discover",
    "discovery_panel",
    "filter_preferences",
    "gradient_times_activation",
    "held",
    "hue_rotation",
    "integrated_gradients",
    "intervened",
    "match",
    "matches_panel",
    "mirrored",
    "observe",
    "odds",
    "orbits",
    "overlay",
    "pairs",
    "pairs_panel",
    "partners",
    "path_contributions",
    "perform",
    "photographs",
    "placement",
    "probes",
    "reflection",
    "repair",
    "replaced",
    "resampled",
    "reweighted",
    "rewired",
    "rotated_template",
    "rotation",
    "scaled",
    "scaling",
    "sign_table",
    "silenced",
    "subsets",
    "sums_by_angle",
    "swapped",
    "unit_ablations",
]
