"""Published kernels are read with known errors corrected, and compared at any size."""

import json
from pathlib import Path

import numpy as np
import pytest

from visioncircuits.networks import untrained
from visioncircuits.thread.tiles import FILE, Tile, likeness, read_tiles
from visioncircuits.weights import expanded_weights


def test_a_figure_has_all_its_kernels(published: Path):
    assert len(read_tiles(published / FILE, "HighLow Fig5")) == 24


def test_swapped_sources_are_corrected(tmp_path: Path):
    path = tmp_path / FILE
    tile = {"src_layer": "mixed3a", "dst_layer": "mixed3b", "dst_unit": 345, "note": ""}
    path.write_text(json.dumps([
        {**tile, "figure": "EarlyVision Boundary", "src_unit": 70, "values": [[1.0]]},
        {**tile, "figure": "EarlyVision Boundary", "src_unit": 112, "values": [[2.0]]},
        {**tile, "figure": "EarlyVision Boundary", "src_unit": 3, "values": [[2.0]], "note": "?"},
    ]))  # fmt: skip
    assert [tile.unit for tile in read_tiles(path, "EarlyVision")] == [86, 112]


def test_a_network_s_own_kernel_correlates_with_itself_at_any_padding():
    network = untrained("bvlc_googlenet")
    own = expanded_weights(network, "maxpool1:7", "mixed3a:100").weight[0, 0].numpy()
    for around in (0, 1):
        tile = Tile("a", "conv2d2", "mixed3a", 7, 100, np.pad(own.astype(float), around))
        assert likeness(network, tile) == pytest.approx(1.0)
    negated = Tile("a", "conv2d2", "mixed3a", 7, 100, -own.astype(float))
    assert likeness(network, negated) == pytest.approx(-1.0)
