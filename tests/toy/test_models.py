"""The toy models compute what their formulas state."""

import numpy as np
import torch

from visioncircuits.toy import AbsoluteValue, Linear, ReLUOutput

RNG = np.random.default_rng(0)
W, B = RNG.normal(size=(2, 3, 5)), RNG.normal(size=(2, 5))
X = RNG.normal(size=(2, 7, 5))


def tensor(values: np.ndarray) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)


def test_the_linear_model_and_the_rectified_one_equal_numpy() -> None:
    linear = np.stack([x @ w.T @ w + b for x, w, b in zip(X, W, B, strict=True)])
    assert np.allclose(Linear(tensor(W), tensor(B))(tensor(X)).detach(), linear, atol=1e-4)
    rectified = ReLUOutput(tensor(W), tensor(B))(tensor(X)).detach()
    assert np.allclose(rectified, np.maximum(linear, 0), atol=1e-4)


def test_absolute_values_equal_numpy() -> None:
    out = RNG.normal(size=(2, 5, 3))
    expected = np.stack(
        [
            np.maximum(np.maximum(x @ w.T, 0) @ v.T + b, 0)
            for x, w, v, b in zip(X, W, out, B, strict=True)
        ]
    )
    model = AbsoluteValue(tensor(W), tensor(out), tensor(B))
    assert np.allclose(model(tensor(X)).detach(), expected, atol=1e-4)


def test_two_neurons_a_feature_make_its_absolute_value() -> None:
    first = torch.cat([torch.eye(5), -torch.eye(5)])[None]
    model = AbsoluteValue(first, first.abs().mT, torch.zeros(1, 5))
    features = tensor(X[:1])
    assert torch.equal(model(features), model.target(features))
