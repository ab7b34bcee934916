import pytest
import torch
from torch import nn

from visioncircuits.errors import InputError
from visioncircuits.networks.edits import Rewiring
from visioncircuits.networks.hooked import Hooked

PICTURES = torch.linspace(-1, 1, 2 * 3 * 32 * 32).view(2, 3, 32, 32).sin()


def test_an_untraceable_network_is_read_by_hooks_and_raises_for_edges() -> None:
    module = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(inplace=True))
    hooked = Hooked.follow(module, PICTURES[:1], "the network reads values (item)")
    assert hooked.places == ("input", "0", "1", "output")
    found, some = hooked.run(PICTURES, ["0", "output"], units={"1": [1]})
    assert torch.equal(found["0"], module[0](PICTURES))
    assert torch.equal(found["output"][:, [1]], some["1"])
    with pytest.raises(InputError, match=r"single edges .* because the network reads values"):
        hooked.run(PICTURES, ["1"], changes=[Rewiring("0", torch.abs, "1", torch.add)])
    with pytest.raises(InputError, match=r"unknown layer 'relu'; .* because the network reads"):
        hooked.run(PICTURES, ["relu"])
    assert not any(child._forward_hooks for child in module.modules())
