"""The predefined hypotheses, by name, scaled to the receptive field of a layer."""

import inspect
from collections.abc import Callable, Mapping

from visioncircuits.errors import InputError, unknown
from visioncircuits.hypotheses import detectors
from visioncircuits.hypotheses.hypothesis import Hypothesis
from visioncircuits.networks import Network

PREDEFINED: Mapping[str, Callable[..., Hypothesis]] = {
    "curve": detectors.curve_detector,
    "line": detectors.line_detector,
    "high-low": detectors.high_low_detector,
    "color-contrast": detectors.color_contrast_detector,
    "color-center-surround": detectors.color_center_surround_detector,
    "brightness-gradient": detectors.brightness_gradient_detector,
}
"""By name; each is a function of the receptive field in pixels."""


def predefined(
    network: Network, layer: str, name: str, *, orientation: float | None = None
) -> Hypothesis:
    """Return a hypothesis by name, scaled to the receptive field of a layer.

    Parameters
    ----------
    network, layer
        Where it is to be tested.
    name
        A key of `PREDEFINED`, in the singular or plural.
    orientation
        In degrees, to be tested too if given.

    Raises
    ------
    InputError
        For an unknown name or layer, a layer whose receptive field is too small for the stimuli,
        or an orientation of a hypothesis without one.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> len(predefined(untrained("bvlc_googlenet"), "mixed3b", "curves"))
    2222
    >>> sorted(PREDEFINED)[:2]
    ['brightness-gradient', 'color-center-surround']
    """
    singular = name.removesuffix("s")
    if singular not in PREDEFINED:
        raise unknown("hypothesis", name, PREDEFINED)
    scale = min(*network.layer(layer).receptive_field, network.size)
    if scale < 5:
        raise InputError(f"a neuron of {layer} sees {scale} px; choose a deeper layer")
    make = PREDEFINED[singular]
    if orientation is None:
        hypothesis = make(float(scale))
    elif "orientation" in inspect.signature(make).parameters:
        hypothesis = make(float(scale), orientation=orientation)
    else:
        raise InputError(f"{singular} detectors have no orientation to test; leave it out")
    check_field(hypothesis, network, layer)
    return hypothesis


def applicable(network: Network, layer: str) -> list[Hypothesis]:
    """Return the hypotheses of `PREDEFINED` for which the layer's neurons see enough.

    Raises
    ------
    InputError
        Where there is none.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> [tested.name for tested in applicable(untrained("bvlc_googlenet"), "conv2d0")]
    ['line', 'color-contrast']
    """
    found = []
    reasons = []
    for name in PREDEFINED:
        try:
            found.append(predefined(network, layer, name))
        except InputError as error:
            reasons.append(error)
    if not found:
        raise reasons[0]
    return found


def check_field(hypothesis: Hypothesis, network: Network, layer: str) -> None:
    """Check that the receptive field of a layer is large enough for a hypothesis' stimuli.

    Raises
    ------
    InputError
        Where it is smaller than the hypothesis needs.
    """
    seen = min(network.layer(layer).receptive_field)
    if seen < hypothesis.least_field:
        enough = [
            other.name
            for other in network.layers.values()
            if min(other.receptive_field) >= hypothesis.least_field and len(other.shape) == 2
        ]
        raise InputError(
            f"{layer} is too early for {hypothesis.name} detectors: its neurons see {seen} px, and "
            f"they need {hypothesis.least_field}; "
            + (f"begin with {enough[0]}" if enough else "this network has no layer that does")
        )
