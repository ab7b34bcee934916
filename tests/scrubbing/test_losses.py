"""The scale of shares, against every pair of pictures."""

import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.scrubbing.hypothesis import Measure
from visioncircuits.scrubbing.losses import Loss

CLASSES = torch.tensor([0, 2, 1, 2])


def lost(measure: Measure, wanted: int, behavior: np.ndarray, changed: np.ndarray) -> float:
    """What one picture loses with changed values, by hand."""

    def logs(values: np.ndarray) -> np.ndarray:
        found: np.ndarray = values - np.log(np.exp(values).sum())
        return found

    if measure == "squared error":
        return float(((behavior[wanted] - changed) ** 2).sum())
    if measure == "divergence":
        own = logs(behavior[wanted])
        return float((np.exp(own) * (own - logs(changed))).sum())
    return float(-logs(changed)[CLASSES[wanted]])


@pytest.mark.parametrize("measure", ["squared error", "divergence", "cross-entropy"])
def test_random_is_the_mean_over_all_pairs_and_original_over_pictures(measure: Measure) -> None:
    behavior = np.random.default_rng(0).normal(size=(4, 3)) * 2
    loss = Loss(measure, torch.from_numpy(behavior), CLASSES)
    pairs = [lost(measure, i, behavior, behavior[j]) for i in range(4) for j in range(4)]
    own = [lost(measure, i, behavior, behavior[i]) for i in range(4)]
    assert loss.random == pytest.approx(np.mean(pairs))
    assert loss.original == pytest.approx(np.mean(own), abs=1e-12)
    changed = behavior[[1, 0, 2, 3]]
    exchanged = np.mean([lost(measure, i, behavior, changed[i]) for i in range(4)])
    share = (np.mean(pairs) - exchanged) / (np.mean(pairs) - np.mean(own))
    both = torch.from_numpy(np.stack([behavior, changed]))
    assert loss.shares(both).mean(1).numpy() == pytest.approx([1.0, share])


def test_a_behavior_that_does_not_vary_is_refused() -> None:
    with pytest.raises(InputError, match="nothing to explain"):
        Loss("squared error", torch.ones(3, 1))
    with pytest.raises(InputError, match="nothing to explain"):
        Loss("divergence", torch.ones(3, 5))
    with pytest.raises(InputError, match="needs the pictures' classes"):
        Loss("cross-entropy", torch.rand(3, 5))
