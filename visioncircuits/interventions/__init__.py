"""What happens without a feature, along one edge, or with another value in its place."""

from visioncircuits.interventions.ablation import ablate
from visioncircuits.interventions.class_damage import ClassDamage, damage_by_class
from visioncircuits.interventions.class_panel import class_panel
from visioncircuits.interventions.controls import control_units
from visioncircuits.interventions.donors import Donor, Nearest, Ridge
from visioncircuits.interventions.downstream import observe, score, unit_ablations, with_controls
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
)
from visioncircuits.interventions.path_patching import path_patched, reweighted
from visioncircuits.interventions.repairs import repair, strictest
from visioncircuits.interventions.replacement import output_with
from visioncircuits.interventions.transplant_scores import score_transplant
from visioncircuits.interventions.transplants import Transplant

__all__ = [
    "ClassDamage",
    "Donor",
    "Effects",
    "Nearest",
    "Observed",
    "Ridge",
    "Scores",
    "Transplant",
    "ablate",
    "advantage",
    "changes",
    "class_panel",
    "constant",
    "control_units",
    "damage",
    "damage_by_class",
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
    "score",
    "score_transplant",
    "strictest",
    "unit_ablations",
    "with_controls",
    "zero",
]
