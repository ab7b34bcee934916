"""Handwritten circuits read photographs: what their own shapes hold, and not what others do."""

import numpy as np
import pytest
import torch

from visioncircuits.datasets import photographs
from visioncircuits.errors import InputError
from visioncircuits.hypotheses.reader import SHARE, Reader
from visioncircuits.networks import untrained
from visioncircuits.stimuli import line, noise

SIZE = 224
CENTER = (13, 13)
"""Of the picture, in mixed3a, whose stride is 8."""


@pytest.fixture(scope="module")
def reader() -> Reader:
    """Four lines 45 degrees apart through the center, then noise."""
    lines = line(orientation=torch.arange(0.0, 180.0, 45.0), width=3.0, size=SIZE).picture
    other = noise(seed=torch.arange(12), size=SIZE).picture
    network = untrained("bvlc_googlenet")
    return Reader("lines", network, "mixed3a", photographs(torch.cat([lines, other])))


def test_a_detector_is_most_active_where_its_own_shape_is(reader):
    found = reader.activations([(str(place), CENTER) for place in range(4)])
    for place, orientation in enumerate((0, 45, 90, 135)):
        assert found[place].argmax() == reader.nearest(orientation)
    far = reader.activations([("0", (2, 13))])
    assert far.max() < found[0].max() / 10


def test_activations_do_not_depend_on_the_order_of_places(reader):
    places = [("3", CENTER), ("7", (2, 20)), ("3", (5, 5)), ("0", CENTER)]
    forward, backward = reader.activations(places), reader.activations(places[::-1])
    np.testing.assert_allclose(forward, backward[::-1], rtol=1e-4, atol=1e-5)


def test_random_places_exceed_the_thresholds_about_as_rarely_as_stated(reader):
    thresholds = reader.thresholds(np.random.default_rng(0))
    drawn = np.random.default_rng(1).integers((4, 0, 0), (16, 28, 28), size=(200, 3))
    found = reader.activations([(str(n), (int(y), int(x))) for n, y, x in drawn])
    assert abs((found > thresholds).mean() - SHARE) < 0.04


def test_orientations_go_around(reader):
    assert reader.nearest(179.0) == reader.nearest(0.0) == 0


def test_photographs_that_cannot_be_read_are_no_places(reader, tmp_path):
    from PIL import Image

    Image.new("L", (300, 260), 128).save(tmp_path / "gray.png")
    (tmp_path / "damaged.jpg").write_bytes(b"none")
    other = Reader("lines", reader.network, "mixed3a", photographs(tmp_path))
    assert (other.thresholds(np.random.default_rng(0)) < 0.1).all()


def test_an_unknown_reader_is_rejected(reader):
    with pytest.raises(InputError, match=r"unknown reader 'circles'.*'curves'"):
        Reader("circles", reader.network, "mixed3a", reader.photographs)
