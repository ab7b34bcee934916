import numpy as np
import torch
from torch import Generator

from visioncircuits.featurevis import Transparent
from visioncircuits.featurevis.transparency import over


def test_over_blends_in_proportion_to_opacity() -> None:
    picture, background = torch.rand(2, 4, 3, 3), torch.rand(2, 3, 3, 3)
    found = over(picture, background)
    for b, c, y, x in np.ndindex(2, 3, 3, 3):
        a = picture[b, 3, y, x]
        expected = picture[b, c, y, x] * a + background[b, c, y, x] * (1 - a)
        torch.testing.assert_close(found[b, c, y, x], expected)


def test_a_transparent_picture_starts_from_a_picture_at_half_opacity() -> None:
    start = torch.rand(1, 3, 8, 8) * 0.9 + 0.05
    drawn = Transparent().initialize([Generator()], (3, 8, 8), start=start).draw()
    torch.testing.assert_close(drawn[:, :3], start, atol=1e-5, rtol=0)
    torch.testing.assert_close(drawn[:, 3], torch.full((1, 8, 8), 0.5), atol=0.05, rtol=0)
