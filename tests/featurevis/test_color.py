import numpy as np
import torch

from visioncircuits.featurevis import color

# lucid's numbers, and its normalization: the largest column's length becomes 1.
LUCID = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
LUCID /= np.linalg.norm(LUCID, axis=0).max()


def test_colors_are_mixed_by_lucids_matrix() -> None:
    maps = torch.randn(2, 3, 4, 5)
    mixed = np.einsum("rc,bchw->brhw", LUCID, maps.numpy())
    np.testing.assert_allclose(color.correlate(maps), mixed, rtol=1e-5, atol=1e-6)


def test_decorrelate_undoes_correlate_and_pictures_come_back() -> None:
    picture = torch.rand(2, 3, 4, 5) * 0.9 + 0.05
    torch.testing.assert_close(color.decorrelate(color.correlate(picture)), picture)
    torch.testing.assert_close(color.to_picture(color.from_picture(picture)), picture)


def test_the_first_channel_is_brightness_and_moves_all_colors_one_way() -> None:
    brighter = torch.zeros(1, 3, 1, 1)
    brighter[:, 0] = 1
    red, green, blue = color.correlate(brighter).flatten().tolist()
    assert min(red, green, blue) > 0
    assert max(red, green, blue) - min(red, green, blue) < 0.1


def test_channels_that_are_no_colors_keep_to_themselves() -> None:
    for channels in (1, 4):
        maps = torch.randn(1, channels, 2, 2)
        assert color.correlate(maps) is maps
        torch.testing.assert_close(color.to_picture(maps), torch.sigmoid(maps))


def test_black_and_white_come_back_as_nearly_black_and_white() -> None:
    picture = torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2).expand(1, 3, 1, 2)
    back = color.to_picture(color.from_picture(picture))
    assert (back - picture).abs().max() < 0.011
