"""Responses of the layer to the stimuli of the curve hypothesis, and of directions in it."""

import io
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from visioncircuits.hypotheses import (
    Hypothesis,
    VariantResponses,
    measure_responses,
    predefined,
)
from visioncircuits.thread import Study


def curve_hypothesis(study: Study) -> Hypothesis:
    """Return the hypothesis that found the units, scaled to the layer."""
    return predefined(study.network, study.layer("mixed3b"), "curve")


def hypothesis_responses(study: Study) -> VariantResponses:
    """Measure all units of the layer on the hypothesis' stimuli."""
    layer, hypothesis = study.layer("mixed3b"), curve_hypothesis(study)

    def make() -> bytes:
        measured = measure_responses(
            study.network, layer, hypothesis.stimuli, variants=hypothesis.variants,
            controls=hypothesis.controls,
        )  # fmt: skip
        buffer = io.BytesIO()
        controls = {f"control {name}": values for name, values in measured.controls.items()}
        np.savez_compressed(buffer, allow_pickle=False, values=measured.values, **controls)
        return buffer.getvalue()

    stored = np.load(io.BytesIO(study.kept(f"responses of {layer} to curves", "npz", make)))
    return VariantResponses(
        tuple(f"{layer}:{unit}" for unit in range(len(stored["values"]))),
        stored["values"],
        {name: np.array(values) for name, values in hypothesis.stimuli.axes.items()},
        {name: stored[f"control {name}"] for name in hypothesis.controls},
    )


def mapped(
    responses: VariantResponses, change: Float[np.ndarray, "units units"]
) -> VariantResponses:
    """Return the responses of a layer that is computed linearly from this one."""
    return replace(
        responses,
        values=np.tensordot(change, responses.values, 1),
        controls={name: change @ values for name, values in responses.controls.items()},
    )
