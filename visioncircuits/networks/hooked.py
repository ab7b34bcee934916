"""Reading and editing a network that cannot be traced: by hooks, which exist only during a run.

Its places are module calls and nothing between them. A run computes all that the module computes,
up to the deepest place that is read.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from visioncircuits import errors
from visioncircuits.errors import InputError
from visioncircuits.networks.cropped_nodes import Window
from visioncircuits.networks.cropping import check_window
from visioncircuits.networks.edits import Change, Edit, Rewiring
from visioncircuits.networks.evaluation import evaluating
from visioncircuits.networks.graph import INPUT, OUTPUT
from visioncircuits.networks.nested import leaves
from visioncircuits.networks.unit_selection import rows


class _Reached(Exception):
    """All places that are read have been computed."""


@dataclass(eq=False)
class Hooked:
    """A module whose calls are its places.

    Attributes
    ----------
    module
        Any module that has hooks.
    places
        The names of calls that return a tensor, in order: dotted paths, `path_1` for a second call.
    reason
        Why it could not be traced.
    """

    module: nn.Module
    places: tuple[str, ...]
    reason: str

    @classmethod
    def follow(cls, module: nn.Module, pictures: Tensor, reason: str) -> "Hooked":
        """Run a module once and list its calls."""
        found: list[str] = []
        with torch.no_grad(), evaluating(module):
            _run(module, pictures, lambda name, value: found.append(name))
        return cls(module, (INPUT, *found), reason)

    def depends(self, place: str, earlier: str) -> bool:
        """Check whether a place comes after an earlier one; nothing more is known."""
        return self.places.index(earlier) < self.places.index(place)

    def run(
        self,
        inputs: Tensor,
        read: Sequence[str] = (),
        *,
        units: Mapping[str, Sequence[int]] | None = None,
        changes: Sequence[Change] = (),
        window: Window | None = None,
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Compute places, as `Graph.run` does.

        Raises
        ------
        InputError
            For an unknown place, a change of one edge, and a window that a place does not have.
        """
        needed = {*read, *(units or {})}
        for place in (*needed, *(name for c in changes for name in c.places)):
            if place not in self.places:
                hint = f"operations between modules cannot be read, because {self.reason}"
                raise errors.unknown("layer", place, self.places, hint=hint)
        edits: dict[str, list[Any]] = defaultdict(list)
        for change in changes:
            if isinstance(change, Rewiring) or (isinstance(change, Edit) and change.reads):
                raise InputError(
                    f"single edges of this network cannot be changed, because {self.reason}; "
                    "change whole features instead"
                )
            edits[change.place].append(change)
        found: dict[str, Tensor] = {}

        def pass_on(name: str, value: Tensor) -> Tensor:
            for change in edits.get(name, ()):
                value = change.change(value) if isinstance(change, Edit) else change.values
            if name in needed:
                found[name] = value.clone()  # what follows may work in place
                if len(found) == len(needed):
                    raise _Reached
            return value

        with evaluating(self.module), suppress(_Reached):
            _run(self.module, pass_on(INPUT, inputs.contiguous()), pass_on)
        if window is not None:
            for name, value in found.items():
                check_window(window, name, value.shape)
                found[name] = value[:, :, *(slice(part.start, part.stop) for part in window)]
        some = {
            name: rows(found[name], torch.tensor(indices))
            for name, indices in (units or {}).items()
        }
        return {name: found[name] for name in read}, some


def _run(module: nn.Module, inputs: Tensor, pass_on: Any) -> None:
    """Run a module, and pass the tensor of each call to a function, with its name."""
    calls: dict[str, int] = defaultdict(int)
    handles = []

    def note(path: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> Any:
            count = calls[path]
            calls[path] += 1
            if isinstance(output, Tensor):
                return pass_on(f"{path}_{count}" if count else path, output)
            return None

        return hook

    try:
        for path, child in module.named_modules():
            if path and not isinstance(child, torch.jit.ScriptModule):
                handles.append(child.register_forward_hook(note(path)))
        output = module(inputs)
    finally:
        for handle in handles:
            handle.remove()
    for path, leaf in leaves(output):
        if isinstance(leaf, Tensor):
            pass_on(".".join([OUTPUT, *map(str, path)]), leaf)
