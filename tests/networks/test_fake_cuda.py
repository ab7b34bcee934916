"""Every function that computes on a network does so on the network's device, here a fake GPU.

Torch's fake tensors have shapes and devices and no values; they raise where devices are mixed. A
function may end early, where it reads values back; `tests.test_devices` has values to the end.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
)

from visioncircuits import attribution, featurevis, interventions
from visioncircuits.attribution.behavior import response
from visioncircuits.interventions.donors import sources
from visioncircuits.networks import Direction, LayerGraph, Network, Preprocessing, wrap
from visioncircuits.networks.edits import Edit
from visioncircuits.networks.inceptionv1 import VARIANTS, inceptionv1
from visioncircuits.weights import contextual_weights, expanded_weights

READS_VALUES = (DataDependentOutputException, DynamicOutputShapeException)
UNITS = torch.tensor([3, 1])


@pytest.fixture
def mode() -> Iterator[FakeTensorMode]:
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        try:
            torch.empty(1, device="cuda").uniform_()
        except RuntimeError as error:
            pytest.skip(
                f"this torch has no fake GPU without a driver: {str(error).splitlines()[0]}"
            )
        yield mode


@pytest.fixture(params=["bvlc_googlenet", "resnet18"])
def network(mode: FakeTensorMode, request: pytest.FixtureRequest) -> Network:
    with torch.device("cuda"):
        if request.param == "resnet18":
            module = torchvision.models.resnet18()
        else:
            module = inceptionv1(VARIANTS["bvlc_googlenet"])
    return wrap(module, Preprocessing(), size=64)


def layers(network: Network) -> tuple[str, str]:
    """An earlier layer and a later one, both with 64 units or more."""
    return (
        ("conv2d2", "mixed3b") if isinstance(network.module, LayerGraph) else ("layer1", "layer2")
    )


def silenced(network: Network, pictures: Tensor) -> Tensor:
    early, late = layers(network)
    with interventions.edited(network, [f"{early}:3", f"{early}:5"], interventions.zero()):
        return network.activations(pictures, [late])[late]


def turned(network: Network, pictures: Tensor) -> Tensor:
    early, late = layers(network)
    width = network.layer(early).units
    with interventions.edited(network, Direction(early, (1.0,) * width), interventions.scale(-1)):
        return network.activations(pictures, [late])[late]


def rewired(network: Network, pictures: Tensor) -> Tensor:
    early, late = layers(network)
    with interventions.path_patched(
        network, f"{early}:3", f"{late}:1", interventions.constant(2.0)
    ):
        return network.activations(pictures, [late])[late]


def replaced(network: Network, pictures: Tensor) -> Tensor:
    early, _ = layers(network)
    values = network.activations(pictures, [early])[early]
    return interventions.output_with(network, early, values.cpu(), pictures=pictures)


def weights_of(network: Network, _pictures: Tensor) -> Tensor:
    early, late = layers(network)
    return expanded_weights(network, early, f"{late}:3").weight


def weights_in_context(network: Network, pictures: Tensor) -> Tensor:
    early, late = layers(network)
    (flow,) = contextual_weights(network, early, f"{late}:3", pictures[:1], position=(2, 2))
    return flow.contributions


def along_paths(network: Network, pictures: Tensor) -> Tensor:
    early, late = layers(network)
    (paths,) = attribution.path_contributions(
        network, "input", f"{late}:3", pictures[:1], through=[early], position=(2, 2)
    )
    return torch.from_numpy(paths.contributions.values)


def discovered(network: Network, pictures: Tensor) -> Tensor:
    early, late = layers(network)
    speak = response(network, network.feature(f"{late}:3"), early)
    return speak(network.activations(pictures, [early])[early], pictures)


def donated(network: Network, pictures: Tensor) -> Tensor:
    _, late = layers(network)
    donors = {"donor": interventions.Donor(network, [f"{late}:3", f"{late}:4"])}
    _, found = sources(donors, network, [late], pictures)
    return found["donor"]


ENTRIES: dict[str, Callable[[Network, Tensor], Any]] = {
    "activations": lambda n, p: n.activations(p, [layers(n)[1]])[layers(n)[1]],
    "unit_activations": lambda n, p: n.unit_activations(p, {layers(n)[1]: UNITS})[layers(n)[1]],
    "the network's own output": lambda n, p: n(p),
    "silenced": silenced,
    "turned": turned,
    "rewired": rewired,
    "replaced": replaced,
    "gradients": lambda n, p: (
        attribution.gradient_times_activation(n, f"{layers(n)[1]}:3", p, to=layers(n)[0]).values
    ),
    "integrated": lambda n, p: (
        attribution.integrated_gradients(n, f"{layers(n)[1]}:3", p, position=(2, 3), steps=2).values
    ),
    "weights": weights_of,
    "weights in context": weights_in_context,
    "paths": along_paths,
    "discovered": discovered,
    "donated": donated,
    "rendered": lambda n, p: (
        featurevis.render(
            n, f"{layers(n)[1]}:3", settings=featurevis.Settings(size=48, steps=2)
        ).picture
    ),
}


RESULTS = ("gradients", "integrated", "weights", "weights in context", "rendered")
"""What is no step of a longer computation is returned on the CPU."""


@pytest.mark.filterwarnings("ignore")  # of fake tensors themselves
@pytest.mark.parametrize("entry", ENTRIES)
def test_stays_on_the_networks_device(network: Network, entry: str) -> None:
    assert network.device.type == "cuda"
    pictures = torch.rand(2, 3, 64, 64, device="cpu")
    try:
        value = ENTRIES[entry](network, pictures)
    except READS_VALUES:
        return
    except RuntimeError as error:  # a backward pass needs the driver, which is missing
        assert re.search(r"hasPrimaryContext|^\.numpy\(\) is not supported for tensor", str(error))  # noqa: PT017
        return
    assert isinstance(value, Tensor)
    assert value.device.type == ("cpu" if entry in RESULTS else "cuda")


def test_mixed_devices_are_detected(network: Network) -> None:
    early, late = layers(network)
    with (
        network.changing(Edit(early, lambda v: v + torch.ones(v.shape, device="cpu"))),
        pytest.raises(RuntimeError, match="device"),
    ):
        network.activations(torch.rand(1, 3, 64, 64), [late])
