import functools

import torch
from torch import nn

from visioncircuits.networks import identity


def test_parameters_and_buffers_are_digested_with_their_names() -> None:
    torch.manual_seed(0)
    one, other = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
    assert identity.parameters(one) == identity.parameters(other)
    other.running_mean[1] = 0.5
    assert identity.parameters(one) != identity.parameters(other)
    assert identity.parameters(nn.Conv2d(1, 2, 1)) != identity.parameters(nn.Conv2d(2, 1, 1))


def test_a_change_of_data_changes_the_digest() -> None:
    module = nn.Linear(2, 2)
    before = identity.parameters(module)
    module.weight.data[0, 0] += 1  # which torch does not count
    assert identity.parameters(module) != before


def test_a_swap_of_data_changes_the_digest() -> None:
    module = nn.Linear(4, 1)
    before = identity.parameters(module)
    module.weight.data.copy_(module.weight.data.flip(1))  # the sum stays
    assert identity.parameters(module) != before


def test_digests_of_functions_depend_on_enclosed_values() -> None:
    def ramp(factor: torch.Tensor) -> object:
        return lambda values: values * factor

    one, same, other = (ramp(torch.tensor(number)) for number in (1.0, 1.0, 2.0))
    assert identity.function(one) == identity.function(same)
    assert identity.function(one) != identity.function(other)
    assert identity.function(functools.partial(torch.clamp, min=0)) != identity.function(
        functools.partial(torch.clamp, min=1)
    )


def test_digests_of_opaque_objects_are_valid_in_this_process_alone() -> None:
    class Opaque:
        def __call__(self, values: torch.Tensor) -> torch.Tensor:
            return values

    one, other = Opaque(), Opaque()
    assert identity.function(one) == identity.function(one)
    assert identity.function(one) != identity.function(other)
