from pathlib import Path

import numpy as np
import pytest
import torch

from visioncircuits import comparison, datasets, handwritten, load
from visioncircuits.comparison.alternatives import ALTERNATIVES
from visioncircuits.comparison.controls import CONTROLS, HANDWRITTEN
from visioncircuits.engine import Store
from visioncircuits.errors import InputError
from visioncircuits.hypotheses import Hypothesis, Prediction, effects
from visioncircuits.interventions.repairs import BASELINES
from visioncircuits.stimuli import named


@pytest.mark.weights
@pytest.mark.slow
def test_a_family_without_orientation_is_compared_with_its_own_incomplete_circuits(
    checkpoints: Path, tmp_path: Path
) -> None:
    claim = Prediction("prefers one hue", effects.echo, most=0.5, options={"axis": "hue"})
    spots = Hypothesis("spot", named("color-center-surround"), (claim,))
    trained = load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")
    written = handwritten.color_center_surround()
    pictures = torch.rand(4, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    found = comparison.compare(
        written,
        trained,
        ["mixed3a:24", "mixed3a:25"],
        spots,
        datasets.photographs(pictures, labels=[285, 967, 657, 300]),
        incomplete={"nothing again": written},
        store=Store(tmp_path),
    )
    assert list(found.tuning) == ["color-center-surround"]
    assert found.kernels is None
    assert {HANDWRITTEN, *CONTROLS[1:]} <= set(found.scores["condition"].values)
    assert CONTROLS[0] not in found.scores["condition"].values
    assert {*BASELINES, *ALTERNATIVES[1:]} <= set(found.scores["condition"].values)
    assert found.selectivity is not None
    assert {HANDWRITTEN, *ALTERNATIVES[1:]} < set(found.selectivity["family"].values)
    assert found.without is not None
    np.testing.assert_allclose(*found.without["surface"].values, rtol=1e-5)
    assert found._repr_html_().startswith("Comparison(spot: 2 of mixed3a")


def test_the_handwritten_family_may_be_of_any_layer_and_mistakes_are_met_first(
    tmp_path: Path,
) -> None:
    pictures = datasets.photographs(np.zeros((4, 3, 64, 64), np.float32), labels=[0, 1, 2, 3])
    circuit = handwritten.curves()
    for layer, message in (("mixed3c", "unknown layer 'mixed3c'"), ("conv2d0", "too early")):
        with pytest.raises(InputError, match=message):
            comparison.compare(
                circuit,
                circuit,
                "mixed3b",
                "curve",
                pictures,
                handwritten_layer=layer,
                store=Store(tmp_path),
            )
