import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.examples import collect, dataset, expected_value, sheet
from visioncircuits.networks import Unit, untrained


@pytest.fixture(scope="module")
def network():
    return untrained("bvlc_googlenet", seed=2)


@pytest.fixture(scope="module")
def pictures():
    return torch.rand(6, 3, 96, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def found(network, pictures):
    return collect(network, ["conv2d2"], dataset(pictures, size=96), top=3)


def test_shares_of_the_mean_activation_sum_to_one(network, pictures, found):
    values = network.activations(pictures, ["conv2d2"])["conv2d2"].transpose(0, 1).flatten(1)
    unit = int(values.mean(1).argmax())
    middles, shares = expected_value(found.layers["conv2d2"], unit)
    assert shares.sum() == pytest.approx(1)
    high = float(values[unit].quantile(0.9))
    expected = values[unit][values[unit] > high].sum() / values[unit].sum()
    assert shares[middles > high].sum() == pytest.approx(float(expected), abs=0.03)


def test_a_sheet_reads_each_photograph_once(network, pictures, found):
    names: list[str] = []

    def read(name: str) -> torch.Tensor:
        names.append(name)
        return pictures[int(name)]

    figure = sheet(network, found, Unit("conv2d2", 5), read)
    assert len(figure.axes) > 3 + 2
    assert len(set(names)) == len(names)


def test_a_unit_without_examples_raises(network, found):
    with pytest.raises(InputError, match="no examples of mixed3a, only of conv2d2"):
        sheet(network, found, Unit("mixed3a", 5), lambda name: torch.zeros(3, 96, 96))
    with pytest.raises(InputError, match="units 0 to 191"):
        sheet(network, found, Unit("conv2d2", 500), lambda name: torch.zeros(3, 96, 96))
