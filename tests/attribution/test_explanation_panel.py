import numpy as np
import torch

from visioncircuits.attribution.explanation_panel import lit, pixels


def test_a_photograph_is_lit_where_a_map_is_and_gray_elsewhere():
    photograph = pixels(torch.rand(1, 3, 32, 32))
    strength = torch.zeros(4, 4)
    strength[:, 2:] = 0.3  # its largest
    shown = lit(photograph, strength).astype(float)
    assert np.abs(shown[:, 24:] - photograph[:, 24:]).max() <= 1
    assert np.abs(shown[:, :8] - 127.5).max() <= 0.12 * 127.5 + 1


def test_other_channels_than_colors_are_shown_in_gray():
    photograph = torch.rand(1, 5, 8, 8)
    assert np.abs(pixels(photograph)[..., 1] - 255 * photograph[0].mean(0).numpy()).max() <= 0.51
