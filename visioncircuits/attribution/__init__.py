"""What carries an effect: gradients, exact paths, the discovery of circuits."""

from visioncircuits.attribution.discovery import Discovery, discover, subsets
from visioncircuits.attribution.discovery_panel import discovery_panel
from visioncircuits.attribution.gradients import (
    Attribution,
    FeatureValue,
    gradient_times_activation,
    integrated_gradients,
    overlay,
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
    "subsets",
]
