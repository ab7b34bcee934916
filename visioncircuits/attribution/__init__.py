"""What carries an effect: gradients, exact paths, neuron groups, the discovery of circuits."""

from visioncircuits.attribution.attributions import Attribution, overlay
from visioncircuits.attribution.discovery import Discovery, discover
from visioncircuits.attribution.discovery_panel import discovery_panel
from visioncircuits.attribution.explaining import (
    ExplainedLayer,
    Explanation,
    Ties,
    explain,
)
from visioncircuits.attribution.explanation_panel import explanation_panel
from visioncircuits.attribution.gradients import (
    FeatureValue,
    gradient_times_activation,
    integrated_gradients,
)
from visioncircuits.attribution.neuron_groups import (
    NeuronGroups,
    activation_groups,
    neuron_groups,
)
from visioncircuits.attribution.paths import Paths, branch_contributions, path_contributions
from visioncircuits.attribution.slopes import (
    ExactPaths,
    Gradient,
    IntegratedGradient,
    Readout,
    RelaxedGradient,
    Slope,
)

__all__ = [
    "Attribution",
    "Discovery",
    "ExactPaths",
    "ExplainedLayer",
    "Explanation",
    "FeatureValue",
    "Gradient",
    "IntegratedGradient",
    "NeuronGroups",
    "Paths",
    "Readout",
    "RelaxedGradient",
    "Slope",
    "Ties",
    "activation_groups",
    "branch_contributions",
    "discover",
    "discovery_panel",
    "explain",
    "explanation_panel",
    "gradient_times_activation",
    "integrated_gradients",
    "neuron_groups",
    "overlay",
    "path_contributions",
]
