"""Units that color inhibits are separated from units that respond to brightness."""

import torch

from visioncircuits.networks import Preprocessing, wrap
from visioncircuits.tuning import black_and_white


def test_only_a_unit_that_color_inhibits_is_a_detector() -> None:
    gray = torch.tensor([[1.0, -1.0]]).expand(3, 1, 2) / 3
    opponents = torch.tensor([[1.0, -1, 0], [0, 1, -1], [-1, 0, 1]])
    filters = [gray, *(sign * row[:, None, None].expand(3, 1, 2) / 2
                       for row in opponents for sign in (1, -1))]  # fmt: skip
    first = torch.nn.Conv2d(3, 7, (1, 2), bias=False)
    first.weight.data = torch.stack(filters)
    second = torch.nn.Conv2d(7, 4, 1, bias=False)
    rows = torch.tensor([[1.0] + [0.0] * 6, [2.0] + [-9.0] * 6, [0.0] + [1.0] * 6, [0.0] * 7])
    second.weight.data = rows[..., None, None]
    model = torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.ReLU())
    table = black_and_white(wrap(model, Preprocessing(), size=32), "3")
    brightness, inhibited, color, undriven = table.itertuples()
    assert brightness.white > 0
    assert brightness.tinted > brightness.white / 4
    assert inhibited.tinted < inhibited.white / 10
    assert color.white < 1e-6 < color.tinted
    assert undriven.white == undriven.tinted == 0
    assert table.loc[table["detector"], "unit"].tolist() == ["3:1"]
