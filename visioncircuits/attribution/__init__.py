"""What carries an effect: gradients, exact paths, the discovery of circuits."""

from visioncircuits.attribution.attributions import Attribution, overlay
from visioncircuits.attribution.discovery import Discovery, discover
from visioncircuits.attribution.discovery_panel import discovery_panel
from visioncircuits.attribution.gradients import (
    FeatureValue,
    gradient_times_activation,
    integrated_gradients,
)
from visioncircuits.attribution.paths import Paths, branch_contributions, path_contributions

__all__ = [
    "Attribution",
    "Discovery",
    "FeatureValue",
    "Paths",
    "branch_contributions",
    "discover",
    "discovery_panel",
    "gradient_times_activation",
    "integrated_gradients",
    "overlay",
    "path_contributions",
]
