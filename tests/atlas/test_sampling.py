"""Samples are the network's activations, at random positions away from the edges."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from visioncircuits.atlas import sample
from visioncircuits.datasets import Photographs
from visioncircuits.errors import InputError
from visioncircuits.networks import Network


def test_samples_are_activations_at_their_positions(
    network: Network, photographs: Photographs
) -> None:
    found = sample(network, "1", photographs, per_photograph=5, batch=5, seed=3)
    with torch.no_grad():
        maps = network.activations(photographs.pictures(network.size), ["1"])["1"].numpy()
    row, column = found.positions.T
    assert np.allclose(found.values, maps[found.photographs, :, row, column], atol=1e-6)
    assert found.photographs.tolist() == np.repeat(np.arange(12), 5).tolist()
    each = set(map(tuple, np.column_stack([found.photographs, found.positions]).tolist()))
    assert len(each) == 60


def test_edges_are_avoided_and_all_of_the_rest_can_be_drawn(
    network: Network, photographs: Photographs
) -> None:
    assert network.layer("1").shape == (14, 14)
    found = sample(network, "1", photographs, per_photograph=100, edge=2)
    assert len(found) == 1200
    assert (found.positions.min(), found.positions.max()) == (2, 11)
    with pytest.raises(InputError, match="per_photograph must be a whole number from 1 to 64"):
        sample(network, "1", photographs, per_photograph=100, edge=3)
    with pytest.raises(InputError, match="none is left"):
        sample(network, "1", photographs, edge=7)


def test_positions_depend_on_the_seed_and_not_on_the_batch(
    network: Network, photographs: Photographs
) -> None:
    first, second, other = (
        sample(network, "1", photographs, per_photograph=9, batch=batch, seed=seed)
        for batch, seed in ((3, 0), (8, 0), (3, 1))
    )
    assert np.array_equal(first.positions, second.positions)
    assert not np.array_equal(first.positions, other.positions)


def test_what_cannot_be_read_is_listed_and_left_out(network: Network, tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), (200, 90, 30)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    Image.new("RGB", (40, 40), (20, 90, 30)).save(tmp_path / "c.png")
    found = sample(network, "1", tmp_path, per_photograph=2)
    assert found.photographs.tolist() == [0, 0, 2, 2]
    assert len(found.skipped) == 1
    assert "b.png" in found.skipped[0]
    (tmp_path / "a.png").unlink()
    (tmp_path / "c.png").unlink()
    with pytest.raises(InputError, match="no photograph can be read"):
        sample(network, "1", tmp_path)


def test_a_layer_needs_positions(network: Network, photographs: Photographs) -> None:
    with pytest.raises(InputError, match="6 has no positions"):
        sample(network, "6", photographs)


def test_records_count_what_they_hold(network: Network, photographs: Photographs) -> None:
    found = sample(network, "1", photographs, per_photograph=2)
    assert repr(found) == "SampledActivations(small 1: 24 of 12 photographs)"
    assert {field.name for field in dataclasses.fields(found)} >= {"values", "positions", "shape"}
