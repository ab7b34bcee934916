"""The trained phase diagram agrees with the losses of ideal solutions."""

from pathlib import Path

import numpy as np
import pytest

from visioncircuits.errors import InputError
from visioncircuits.toy import Linear, PhaseDiagram, expected_phase, phase_diagram

FEW = {"importances": (0.2, 0.6, 1.6, 5.0), "sparsities": (0.0, 0.3, 0.8, 0.95)}


def expected(diagram: PhaseDiagram) -> np.ndarray:
    return np.array(
        [
            [expected_phase(importance, sparsity) for sparsity in diagram.sparsity.values]
            for importance in diagram.importance.values
        ]
    )


def test_the_formulas_are_the_mean_losses_of_the_ideal_solutions() -> None:
    """By drawing: both features alone, and at opposite ends."""
    rng = np.random.default_rng(0)
    for importance, sparsity in ((0.3, 0.2), (0.8, 0.5), (1.1, 0.2), (4.0, 0.8), (4.0, 0.4)):
        x = rng.random((400_000, 2)) * (rng.random((400_000, 2)) >= sparsity)
        ends = np.maximum(np.stack([x[:, 0] - x[:, 1], x[:, 1] - x[:, 0]], 1), 0)
        losses = (
            importance * x[:, 1].var(),
            x[:, 0].var(),
            (((x - ends) ** 2).mean(0) * [1, importance]).sum(),
        )
        assert expected_phase(importance, sparsity) == int(np.argmin(losses))


@pytest.mark.slow
def test_trained_models_agree_with_the_formulas_away_from_the_limits(tmp_path: Path) -> None:
    diagram = phase_diagram(**FEW, steps=500, batch=512)
    assert diagram.phase.values.tolist() == expected(diagram).tolist()
    assert PhaseDiagram.load(diagram.save(tmp_path / "phases.nc")).identical(diagram)


@pytest.mark.slow
def test_a_linear_model_has_no_superposition_at_any_sparsity() -> None:
    diagram = phase_diagram(**FEW, model=Linear, steps=500, batch=512)
    assert diagram.phase.values.tolist() == [[0] * 4, [0] * 4, [1] * 4, [1] * 4]


def test_a_diagram_needs_cells() -> None:
    with pytest.raises(InputError, match="at least one importance"):
        phase_diagram(importances=())
    with pytest.raises(InputError, match="sparsity must be below 1"):
        phase_diagram(sparsities=(1.0,))
