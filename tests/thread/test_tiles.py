"""Published kernels are read as they are known to be, and compared whatever their size."""

import json
from pathlib import Path

import numpy as np
import pytest

from visioncircuits.networks import untrained
from visioncircuits.thread.tiles import FILE, Tile, likeness, read_tiles
from visioncircuits.weights import expanded_weights


def test_a_figure_has_all_its_kernels(published: Path):
    assert len(read_tiles(published / FILE, "HighLow Fig5")) == 24


def test_swapped_sources_are_put_right(tmp_path: Path):
    path = tmp_path / FILE
    told = {"src_layer": "mixed3a", "dst_layer": "mixed3b", "dst_unit": 345, "note": ""}
    path.write_text(json.dumps([
        {**told, "figure": "EarlyVision Boundary", "src_unit": 70, "values": [[1.0]]},
        {**told, "figure": "EarlyVision Boundary", "src_unit": 112, "values": [[2.0]]},
        {**told, "figure": "EarlyVision Boundary", "src_unit": 3, "values": [[2.0]], "note": "?"},
    ]))  # fmt: skip
    assert [tile.unit for tile in read_tiles(path, "EarlyVision")] == [86, 112]


def test_a_network_s_own_kernel_is_like_itself_whatever_is_around_it():
    network = untrained("bvlc_googlenet")
    own = expanded_weights(network, "maxpool1:7", "mixed3a:100").weight[0, 0].numpy()
    for around in (0, 1):
        tile = Tile("a", "conv2d2", "mixed3a", 7, 100, np.pad(own.astype(float), around))
        assert likeness(network, tile) == pytest.approx(1.0)
    turned = Tile("a", "conv2d2", "mixed3a", 7, 100, -own.astype(float))
    assert likeness(network, turned) == pytest.approx(-1.0)
