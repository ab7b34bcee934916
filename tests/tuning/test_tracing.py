"""Traces lie on the contours that made the detectors fire, and nowhere else."""

import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.networks import Network, load
from visioncircuits.stimuli import circle, curve
from visioncircuits.tuning import trace

ORIENTATIONS = range(0, 360, 15)


@pytest.fixture(scope="module")
def network() -> Network:
    return load("handwritten:curves")


def traced(network: Network, picture: torch.Tensor) -> list[np.ndarray]:
    with torch.inference_mode():
        maps = network.activations(picture, ["mixed3b"])["mixed3b"][0, : len(ORIENTATIONS)]
    return trace(network.layer("mixed3b"), maps.numpy(), ORIENTATIONS)


def test_a_circle_is_traced_all_around(network: Network) -> None:
    found = traced(network, circle(radius=60.0, size=224).picture)
    middle = 223 / 2
    off = [np.abs(np.hypot(*(points - middle).T) - 60).max() for points in found]
    assert off[0] < 4
    assert max(off) < 2 * 8  # a detector's neighbor sees the contour too
    away = np.concatenate([p - middle for p, far in zip(found, off, strict=True) if far < 4])
    around = np.degrees(np.arctan2(*away.T)) % 360
    assert np.diff(np.sort(around), append=around.min() + 360).max() < 30


def test_a_trace_is_evenly_spaced_and_smooth(network: Network) -> None:
    found = traced(network, curve(orientation=200.0, radius=70.0, size=224).picture)
    (points,) = found[:1]
    steps = np.diff(points, axis=0)
    lengths = np.hypot(*steps.T)
    assert lengths.max() < 2 * np.median(lengths)
    headings = np.unwrap(np.arctan2(*steps.T))
    assert np.abs(np.diff(headings)).max() < np.radians(20)


def test_nothing_is_traced_without_activation(network: Network) -> None:
    assert traced(network, torch.full((1, 3, 224, 224), 0.5)) == []


def test_every_map_needs_an_orientation(network: Network) -> None:
    with pytest.raises(InputError, match="orientations"):
        trace(network.layer("mixed3b"), np.zeros((3, 28, 28)), [0.0])
