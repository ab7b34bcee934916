"""What happens without a feature, along one edge, or with another value in its place."""

from visioncircuits.interventions.ablation import ablate, control_units
from visioncircuits.interventions.downstream import observe, unit_ablations
from visioncircuits.interventions.edits import (
    constant,
    edited,
    mean,
    patch,
    resample,
    scale,
    zero,
)
from visioncircuits.interventions.effects import (
    Effects,
    Observed,
    Scores,
    advantage,
    changes,
    damage,
    repair,
)
from visioncircuits.interventions.path_patching import path_patched, reweighted
from visioncircuits.interventions.replacement import output_with
from visioncircuits.interventions.transplant_scores import score_transplant
from visioncircuits.interventions.transplants import Donor, Transplant

__all__ = [
    "Donor",
    "Effects",
    "Observed",
    "Scores",
    "Transplant",
    "ablate",
    "advantage",
    "changes",
    "constant",
    "control_units",
    "damage",
    "edited",
    "mean",
    "observe",
    "output_with",
    "patch",
    "path_patched",
    "repair",
    "resample",
    "reweighted",
    "scale",
    "score_transplant",
    "unit_ablations",
    "zero",
]
