"""What another layer, family or network holds: matching, symmetry, handwritten against trained."""

from visioncircuits.comparison.branches import (
    absolute_axes,
    axis_correlations,
    branch_table,
    filter_preferences,
    odds,
)
from visioncircuits.comparison.compared_panel import compared_panel
from visioncircuits.comparison.coverage import (
    Coverage,
    coverage_panel,
    covered_by_families,
    covered_by_induction,
    covered_by_stimuli,
)
from visioncircuits.comparison.equivariance import Partners, orbits, partners
from visioncircuits.comparison.families import Family, counterparts, family
from visioncircuits.comparison.handwritten import Comparison, compare
from visioncircuits.comparison.induction import Induction, induct
from visioncircuits.comparison.induction_panel import induction_panel
from visioncircuits.comparison.induction_step import InductionStep
from visioncircuits.comparison.induction_theory import (
    Theory,
    theory_by_design,
    theory_by_families,
    theory_by_stimuli,
    theory_of_table,
)
from visioncircuits.comparison.matching import Matches, match
from visioncircuits.comparison.matching_panels import matches_panel, pairs_panel
from visioncircuits.comparison.nulls import beyond_nulls, match_nulls
from visioncircuits.comparison.pairs import Overlap, overlap, pairs
from visioncircuits.comparison.similarity import (
    Compared,
    compare_kernels,
    compare_maps,
    compare_tuning,
    sign_table,
)
from visioncircuits.comparison.symmetry import (
    centroids,
    mirrored,
    placement,
    rotated_template,
    sums_by_angle,
)
from visioncircuits.comparison.transformations import (
    Transformation,
    hue_rotation,
    reflection,
    rotation,
    scaling,
)

__all__ = [
    "Compared",
    "Comparison",
    "Coverage",
    "Family",
    "Induction",
    "InductionStep",
    "Matches",
    "Overlap",
    "Partners",
    "Theory",
    "Transformation",
    "absolute_axes",
    "axis_correlations",
    "beyond_nulls",
    "branch_table",
    "centroids",
    "compare",
    "compare_kernels",
    "compare_maps",
    "compare_tuning",
    "compared_panel",
    "counterparts",
    "coverage_panel",
    "covered_by_families",
    "covered_by_induction",
    "covered_by_stimuli",
    "family",
    "filter_preferences",
    "hue_rotation",
    "induct",
    "induction_panel",
    "match",
    "match_nulls",
    "matches_panel",
    "mirrored",
    "odds",
    "orbits",
    "overlap",
    "pairs",
    "pairs_panel",
    "partners",
    "placement",
    "reflection",
    "rotated_template",
    "rotation",
    "scaling",
    "sign_table",
    "sums_by_angle",
    "theory_by_design",
    "theory_by_families",
    "theory_by_stimuli",
    "theory_of_table",
]
