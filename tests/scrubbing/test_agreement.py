"""Draws agree in every reading, and are uniform over the pictures that do."""

import numpy as np
import torch

from visioncircuits.scrubbing.agreement import Agreement


def test_draws_agree_unit_by_unit_and_position_by_position() -> None:
    rng = np.random.default_rng(0)
    units = rng.integers(3, size=(30, 4, 1, 1))
    places = rng.integers(2, size=(30, 1, 2, 3))
    agreement = Agreement([units, places], 30)
    references = torch.arange(30).repeat(20)
    drawn = agreement.draw(references, torch.Generator().manual_seed(0)).numpy()
    assert drawn.shape == (600, 4, 2, 3)
    joint = units * 2 + places
    own = np.take_along_axis(joint, drawn.reshape(600, 4, 2, 3), axis=0)
    assert (own == joint[references]).all()
    assert len(np.unique(drawn[:, 0, 0, 0])) > 20


def test_each_picture_that_agrees_is_drawn_as_often() -> None:
    codes = np.array([0, 0, 0, 1]).reshape(4, 1, 1, 1)
    agreement = Agreement([codes], 4)
    drawn = agreement.draw(torch.zeros(30000, dtype=torch.long), torch.Generator().manual_seed(0))
    counts = torch.bincount(drawn.flatten(), minlength=4)
    assert counts[3] == 0
    assert (counts[:3] - 10000).abs().max() < 300
    assert agreement.pictures == 2.5


def test_without_a_reading_all_pictures_agree() -> None:
    agreement = Agreement([], 5)
    assert agreement.pictures == 5
    assert agreement.joint.tolist() == [0] * 5


def test_pictures_agree_jointly_where_all_units_do() -> None:
    codes = np.array([[0, 1], [0, 0], [0, 1], [1, 1]]).reshape(4, 2, 1, 1)
    joint = Agreement([codes], 4).joint
    assert joint[0] == joint[2]
    assert len(np.unique(joint)) == 3
