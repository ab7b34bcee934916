"""Lucent's objectives and parameterizations, used as they are.

Lucent is not imported: its objects are recognized by their attributes. Source: lucent 0.1.8,
`lucent.optvis.objectives` and `lucent.optvis.param`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from visioncircuits import errors
from visioncircuits.errors import InputError
from visioncircuits.featurevis.objective import Activations, Objective
from visioncircuits.featurevis.parameterizations import Parameterization, ParameterizedPictures
from visioncircuits.networks import Network

Maps = Float[Tensor, "batch channels height width"]
Reader = Callable[[str], Tensor]
"""Lucent's `T`: returns the activations of a layer, `"input"` the pictures, `"labels"` logits."""
ParamF = Callable[[], tuple[Iterable[Tensor], Callable[[], Tensor]]]
"""Lucent's `param_f`: returns parameters, and a function that draws their pictures."""


@runtime_checkable
class LucentObjective(Protocol):
    """An objective of lucent: a loss to be minimized, as a function of activations."""

    name: str
    description: str
    objective_func: Callable[[Reader], Tensor]


def from_lucent(network: Network, objective: LucentObjective, *, pictures: int = 1) -> Objective:
    """Convert an objective of lucent into one of this package.

    The layers that it reads are found by evaluating it on gray pictures once. Their names may be
    lucent's, with underscores for dots, or those of lucent's InceptionV1.

    Parameters
    ----------
    network
        The network that it will be evaluated on.
    objective
        As lucent's functions return them, or sums and multiples of those.
    pictures
        Number of pictures that it optimizes together, which in lucent is set by the
        parameterization.

    Raises
    ------
    InputError
        If the network lacks a layer, or the objective has no finite value on gray pictures, as when
        it needs more pictures.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> loss = lambda T: -T("conv2d0_pre_relu_conv")[:, 3].mean()
    >>> objective = SimpleNamespace(name="channel", description="", objective_func=loss)
    >>> from_lucent(network, objective).layers
    ('conv2d0_pre_relu',)
    """
    size, channels = network.size, network.preprocessing.channels
    gray = torch.full((pictures, channels, size, size), 0.5, device=network.device)
    read: dict[str, Tensor] = {}

    def read_gray(name: str) -> Tensor:
        if name == "input":
            return gray
        layer = _layer(network, name)
        if layer not in read:
            read.update(network.activations(gray, [layer]))
        return read[layer]

    with torch.no_grad(), np.errstate(all="ignore"):
        loss = objective.objective_func(read_gray)
    name = " ".join((objective.description or objective.name).split())
    if not torch.as_tensor(loss).isfinite().all():
        raise InputError(
            f"lucent's objective {name!r} has no value on {pictures} gray picture(s) of {size} px; "
            "if it needs several pictures, set their number: from_lucent(…, pictures=4)"
        )

    def score(activations: Activations) -> Tensor:
        def reader(name: str) -> Tensor:
            if name == "input":
                return activations.pictures
            return activations.layers[_layer(network, name)]

        return -objective.objective_func(reader)

    return Objective(f"lucent's {name}", score, layers=tuple(read), pictures=pictures)


def _layer(network: Network, name: str) -> str:
    """Return the network's name for a layer that lucent calls `name`."""
    if name in network.layers:
        return name
    last = network.output
    known = {layer.replace(".", "_"): layer for layer in network.layers}
    known |= {f"{layer}_conv": layer for layer in network.layers if layer.endswith("_pre_relu")}
    known |= {"labels": last, "softmax2_pre_activation_matmul": last}
    if name not in known:
        raise errors.unknown("layer", name, known, hint=f"the network is {network.name}")
    return known[name]


@dataclass(frozen=True)
class LucentParameterization:
    """A `param_f` of lucent as a parameterization.

    Lucent draws its noise from torch's global generator. Here that is seeded from each picture's
    own generator while `param_f` runs, and restored afterwards.

    Attributes
    ----------
    param_f
        Such as `lambda: param.image(128)`, which initializes one picture, or several.
    """

    param_f: ParamF

    def pictures(self) -> int:
        """Return the number of pictures that `param_f` initializes at once."""
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            return len(self.param_f()[1]())

    def initialize(
        self,
        generators: Sequence[Generator],
        shape: tuple[int, int, int],
        *,
        start: Maps | None = None,
        device: torch.device | str = "cpu",
    ) -> ParameterizedPictures:
        """Return the initial pictures, calling `param_f` until there is one for each generator.

        Raises
        ------
        InputError
            If the shape or number of the pictures of `param_f` does not fit, or `start` is given,
            which it does not support.
        """
        if start is not None:
            raise InputError("lucent's parameterizations start from noise; use Fourier or Pixels")
        parameters: list[Tensor] = []
        draws: list[Callable[[], Tensor]] = []
        count = 0
        while count < len(generators):
            with torch.random.fork_rng(devices=[]):
                seed = torch.randint(2**62, (), generator=generators[count])
                torch.default_generator.manual_seed(int(seed))
                values, draw = self.param_f()
            parameters.extend(values)
            draws.append(draw)
            with torch.no_grad():
                drawn = draw()
            count += len(drawn)
            if drawn.shape[1:] not in (shape, (shape[0] + 1, *shape[1:])):
                raise InputError(
                    f"lucent's parameterization draws pictures of {tuple(drawn.shape[1:])}, but "
                    f"the settings and the network need {shape}; make them agree"
                )
        if count != len(generators):
            raise InputError(
                f"lucent's parameterization draws {len(drawn)} pictures at once, which does not "
                f"divide {len(generators)}; make the objective's number of pictures agree"
            )
        return ParameterizedPictures(
            tuple(parameters), lambda: torch.cat([draw() for draw in draws]).to(device)
        )


def parameterization(given: Parameterization | ParamF) -> Parameterization:
    """Return a parameterization as it is, and wrap anything else as a `param_f` of lucent."""
    return given if isinstance(given, Parameterization) else LucentParameterization(given)
