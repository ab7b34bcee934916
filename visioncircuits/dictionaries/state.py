"""The state of a training, and its checkpoint on disk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

from visioncircuits import tensor_files
from visioncircuits.dictionaries.method import Parameters
from visioncircuits.errors import InputError

_METADATUM = "training"

_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(eq=False)
class State:
    """All that training changes: with the same activations, the next steps follow from it.

    Attributes
    ----------
    parameters
        Leaves, which `optimizer` moves.
    idle
        For each block, the number of steps since it had a code.
    measured
        Steps, and the loss on held-out activations after so many.
    step
        Number of steps that were made.
    """

    parameters: Parameters
    idle: Tensor
    optimizer: torch.optim.Adam = field(init=False)
    measured: dict[int, float] = field(default_factory=dict)
    step: int = 0

    def __post_init__(self) -> None:
        for parameter in self.parameters.values():
            parameter.requires_grad_(True)
        self.optimizer = torch.optim.Adam(self.parameters.values(), fused=True)

    def write(self, path: Path, key: str) -> None:
        """Write a checkpoint, whole or not at all.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        tensors = {"idle": self.idle}
        for name, parameter in self.parameters.items():
            tensors[name] = parameter.detach()
            for moment in _MOMENTS:
                tensors[f"{name}.{moment}"] = self.optimizer.state[parameter][moment]
        head = {"key": key, "step": self.step, "measured": [*self.measured.items()]}
        tensor_files.write(path, _METADATUM, head, tensors)

    def resume(self, path: Path, key: str) -> None:
        """Take over what `write` wrote.

        Raises
        ------
        InputError
            If the file is no checkpoint, or another training's.
        """
        try:
            head, tensors = tensor_files.read(path, _METADATUM)
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise InputError(f"{path} is no checkpoint of a training; remove it") from error
        if head["key"] != key:
            raise InputError(
                f"{path} is the checkpoint of a training with other activations, settings or "
                "code; name another file, or remove it"
            )
        self.step, self.measured = head["step"], dict(head["measured"])
        self._take(tensors)

    @torch.no_grad()
    def _take(self, tensors: Mapping[str, Tensor]) -> None:
        self.idle.copy_(tensors["idle"])
        for name, parameter in self.parameters.items():
            parameter.copy_(tensors[name])
            moments = {
                moment: tensors[f"{name}.{moment}"].to(parameter.device) for moment in _MOMENTS
            }
            steps = torch.tensor(float(self.step), device=parameter.device)
            self.optimizer.state[parameter] = {"step": steps, **moments}
