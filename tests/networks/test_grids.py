import torch

from visioncircuits.networks import Layer, load, untrained
from visioncircuits.networks.grids import onto


def test_maps_that_rise_evenly_are_read_off_at_the_middles():
    fine = Layer("a", 1, (8, 8), (59, 59), (-23, -23), (28, 28))
    coarse = Layer("b", 1, (16, 16), (171, 171), (-71, -71), (14, 14))
    middles = torch.tensor([fine.center((0, column))[1] for column in range(28)])
    ramp = middles.expand(28, 28)
    found = onto(ramp[None, None], fine, coarse)[0, 0]
    inside = [coarse.center((0, column))[1] for column in range(13)]
    assert torch.allclose(found[3, :13], torch.tensor(inside), atol=1e-3)
    down = onto(ramp.T[None, None].contiguous(), fine, coarse)[0, 0]
    assert torch.allclose(down, found.T, atol=1e-4)


def test_one_grid_is_left_as_it_is():
    layer = untrained("bvlc_googlenet").layer("mixed3b")
    maps = torch.rand(2, 3, 28, 28)
    assert onto(maps, layer, layer) is maps


def test_the_handwritten_circuit_fits_onto_squeezenet(checkpoints):
    path = checkpoints / "squeezenet1_1.safetensors"
    network = load("torchvision:squeezenet1_1", checkpoint=path)
    ours = load("handwritten:curves").layer("mixed3b")
    theirs = network.layer("features.7")
    found = onto(torch.rand(1, 2, *ours.shape), ours, theirs)
    assert found.shape[2:] == theirs.shape
