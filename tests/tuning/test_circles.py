"""A circle detector is separated from curve detectors."""

import torch

from visioncircuits.networks import Preprocessing, wrap
from visioncircuits.stimuli import circle, curve
from visioncircuits.tuning import circle_detectors

SIZE, ARCS = 33, 12


def test_only_a_unit_that_matches_the_whole_circle_is_a_detector() -> None:
    ring = circle(radius=0.22 * SIZE, width=3.0, size=SIZE).mask
    turns = torch.arange(ARCS).double() * 30
    arcs = curve(orientation=turns, radius=0.22 * SIZE, width=3.0, size=SIZE).mask
    templates = torch.cat([ring, arcs])
    layer = torch.nn.Conv2d(3, len(templates), SIZE)
    # black on white: less light where the template is
    shares = templates / templates.sum((2, 3), keepdim=True)
    layer.weight.data = -shares.expand(-1, 3, -1, -1) / 3
    layer.bias.data = torch.full((len(templates),), 0.6)  # more than two fifths must be covered
    model = torch.nn.Sequential(layer, torch.nn.ReLU())
    network = wrap(model, Preprocessing(), size=64)
    table = circle_detectors(network, "1")
    assert table.loc[table["detector"], "unit"].tolist() == ["1:0"]
    assert (table["curve"][1:] > table["circle"][1:]).all()
