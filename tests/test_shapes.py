"""Shapes that annotations state are checked while tests run."""

import jaxtyping
import pytest
import torch

from visioncircuits.weights.banding import banding


def test_a_tensor_of_another_shape_is_refused() -> None:
    assert banding(torch.rand(4, 3, 5, 5))
    with pytest.raises(jaxtyping.TypeCheckError):
        banding(torch.rand(5))
