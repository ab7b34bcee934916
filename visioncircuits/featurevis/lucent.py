"""Lucent's objectives and parameterizations, taken as they are.

Nothing here imports lucent: what looks like its objects is treated as such. Source: lucent 0.1.8,
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
from visioncircuits.featurevis.objectives import Answers, Objective
from visioncircuits.featurevis.parameterizations import Canvas, Parameterization
from visioncircuits.networks import Network

Maps = Float[Tensor, "batch channels height width"]
Reader = Callable[[str], Tensor]
"""Lucent's `T`: gives a layer's activations by name, `"input"` the pictures, `"labels"` logits."""
ParamF = Callable[[], tuple[Iterable[Tensor], Callable[[], Tensor]]]
"""Lucent's `param_f`: gives parameters, and a function that draws their pictures."""


@runtime_checkable
class LucentObjective(Protocol):
    """What lucent's objectives are: a loss to be lowered, of what layers answer."""

    name: str
    description: str
    objective_func: Callable[[Reader], Tensor]


def from_lucent(objective: LucentObjective, network: Network, *, pictures: int = 1) -> Objective:
    """Make an objective of lucent's into one of ours, to be raised.

    The layers that it reads are found by asking it about gray pictures once. Their names may be
    lucent's, with underscores for dots, or those of lucent's InceptionV1.

    Parameters
    ----------
    objective
        As lucent's functions make them, or sums and multiples of those.
    network
        The network that it will be asked about.
    pictures
        How many pictures it draws together; lucent leaves that to the parameterization.

    Raises
    ------
    InputError
        For a layer that the network does not have, or an objective that has no value on gray
        pictures, as those have that need more pictures.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from visioncircuits.networks import untrained
    >>> network = untrained("bvlc_googlenet")
    >>> loss = lambda T: -T("conv2d0_pre_relu_conv")[:, 3].mean()
    >>> like_lucents = SimpleNamespace(name="channel", description="", objective_func=loss)
    >>> from_lucent(like_lucents, network).layers
    ('conv2d0_pre_relu',)
    """
    size, channels = network.size, network.preprocessing.channels
    gray = torch.full((pictures, channels, size, size), 0.5, device=network.device)
    read: dict[str, Tensor] = {}

    def try_out(name: str) -> Tensor:
        if name == "input":
            return gray
        layer = _layer(network, name)
        if layer not in read:
            read.update(network.activations(gray, [layer]))
        return read[layer]

    with torch.no_grad(), np.errstate(all="ignore"):
        loss = objective.objective_func(try_out)
    name = " ".join((objective.description or objective.name).split())
    if not torch.as_tensor(loss).isfinite().all():
        raise InputError(
            f"lucent's objective {name!r} has no value on {pictures} gray picture(s) of {size} px; "
            "if it is about several pictures, say how many: from_lucent(…, pictures=4)"
        )

    def score(answers: Answers) -> Tensor:
        def reader(name: str) -> Tensor:
            return answers.pictures if name == "input" else answers.layers[_layer(network, name)]

        return -objective.objective_func(reader)

    return Objective(f"lucent's {name}", score, layers=tuple(read), pictures=pictures)


def _layer(network: Network, name: str) -> str:
    """Find the network's name for a layer that lucent calls `name`."""
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
    """A `param_f` of lucent's, as `Settings.parameterization` takes it.

    Lucent draws its noise from torch's global randomness. Here that is seeded from each picture's
    own generator while `param_f` runs, and put back afterwards.

    Attributes
    ----------
    param_f
        Such as `lambda: param.image(128)`, which begins one picture, or several.
    """

    param_f: ParamF

    def pictures(self) -> int:
        """Say how many pictures `param_f` begins at once."""
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            return len(self.param_f()[1]())

    def canvas(
        self,
        generators: Sequence[Generator],
        shape: tuple[int, int, int],
        *,
        start: Maps | None = None,
        device: torch.device | str = "cpu",
    ) -> Canvas:
        """Begin the pictures, calling `param_f` until there is one a generator.

        Raises
        ------
        InputError
            Where `param_f` begins pictures of another shape or in another number, or where a
            starting picture is given, which it cannot take.
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
                some, draw = self.param_f()
            parameters.extend(some)
            draws.append(draw)
            with torch.no_grad():
                begun = draw()
            count += len(begun)
            if begun.shape[1:] not in (shape, (shape[0] + 1, *shape[1:])):
                raise InputError(
                    f"lucent's parameterization draws pictures of {tuple(begun.shape[1:])}, but "
                    f"the settings and the network ask for {shape}; make them agree"
                )
        if count != len(generators):
            raise InputError(
                f"lucent's parameterization begins {len(begun)} pictures at once, which does not "
                f"go into {len(generators)}; make the objective's number of pictures agree"
            )
        return Canvas(tuple(parameters), lambda: torch.cat([draw() for draw in draws]).to(device))


def parameterization(given: Parameterization | ParamF) -> Parameterization:
    """Take a parameterization of ours as it is, and anything else as a `param_f` of lucent's."""
    return given if isinstance(given, Parameterization) else LucentParameterization(given)
