"""A dictionary: directions of a layer, and how activations are a sum of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from torch import Tensor

from visioncircuits import __version__, tensor_files
from visioncircuits.dictionaries import rules
from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Network

SUFFIX = ".safetensors"

_METADATUM = "dictionary"
"""The key of the safetensors file's metadata."""

_TENSORS = ("atoms", "encoder", "bias", "gain", "center")


@dataclass(frozen=True, eq=False, repr=False)
class Dictionary:
    """Directions of a layer, called atoms, of which activations are a sum.

    Activations go in and come out in the layer's own units: a method's normalization is part of
    `encoder`, `bias`, `gain` and `center`. Atoms of a block follow each other.

    Attributes
    ----------
    layer
        The layer's name.
    atoms
        What a code of 1 adds to the activations: directions of length 1.
    encoder, bias
        Activations times the encoder, plus the bias, are the projections: `(units, atoms)` and
        `(atoms,)`.
    rule
        How projections become codes: the k largest, those above 0, …
    gain
        What codes are multiplied by, for atoms of length 1.
    center
        What is decoded from codes that are all 0.
    method
        By which it was found, such as "TopK".
    record
        How: settings, seed, network, and what became of the fit.

    Raises
    ------
    InputError
        If the number of atoms is not a multiple of the rule's block size.

    Examples
    --------
    >>> from visioncircuits.dictionaries import Largest
    >>> eye = torch.eye(3)
    >>> one = Dictionary("conv2d0", eye, eye, torch.zeros(3), Largest(1), torch.ones(3),
    ...                  torch.zeros(3), method="raw units")
    >>> one
    Dictionary('conv2d0', raw units, 3 atoms of 3 units)
    >>> one.decode(one.encode(torch.tensor([[1.0, 3.0, 2.0]])))
    tensor([[0., 3., 0.]])
    """

    layer: str
    atoms: Float[Tensor, "atoms units"]
    encoder: Float[Tensor, "units atoms"]
    bias: Float[Tensor, " atoms"]
    rule: rules.Rule
    gain: Float[Tensor, " atoms"]
    center: Float[Tensor, " units"]
    method: str
    record: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.atoms) % self.block_size:
            raise InputError(f"{len(self.atoms)} atoms are no blocks of {self.block_size}")

    def __repr__(self) -> str:
        blocks = "" if self.block_size == 1 else f" in blocks of {self.block_size}"
        converged = self.record.get("convergence", {}).get("converged", True)
        return (
            f"Dictionary({self.layer!r}, {self.method}, {len(self.atoms)} atoms{blocks} of "
            f"{self.atoms.shape[1]} units{'' if converged else ', not converged'})"
        )

    @property
    def block_size(self) -> int:
        """How many atoms are in use together or not at all; 1 where each is by itself."""
        return self.rule.block_size

    @property
    def features(self) -> tuple[Direction, ...]:
        """The atoms as features, which every tool takes, named by their number.

        The activation of such a feature is the dot product with the atom; its code is what is
        left of the activations for it beside the other atoms.
        """
        return tuple(
            Direction(self.layer, row, name=f"atom {place}")
            for place, row in enumerate(self.atoms.cpu())
        )

    def encode(self, activations: Float[Tensor, "samples units"]) -> Float[Tensor, "samples atoms"]:
        """Return the codes of activations, each sample's by itself.

        Takes memory for three times the codes: encode a layer in parts.

        Raises
        ------
        InputError
            For activations of another number of units.
        """
        if activations.shape[1] != self.atoms.shape[1]:
            raise InputError(
                f"a dictionary of {self.atoms.shape[1]} units of {self.layer} has no codes for "
                f"activations of {activations.shape[1]}"
            )
        projections = torch.addmm(self.bias, activations.to(self.encoder), self.encoder)
        return self.rule(projections) * self.gain

    def decode(self, codes: Float[Tensor, "samples atoms"]) -> Float[Tensor, "samples units"]:
        """Return the activations that codes stand for: their sum over the atoms, and the center."""
        return torch.addmm(self.center, codes, self.atoms)

    def to(self, device: torch.device | str) -> "Dictionary":
        """Return a copy whose tensors are on `device`."""
        moved = {name: getattr(self, name).to(device) for name in _TENSORS}
        own = {name: tensor.to(device) for name, tensor in _tensors(self.rule).items()}
        return replace(self, rule=replace(self.rule, **own), **moved)  # type: ignore[type-var]

    def save(self, path: str | Path) -> Path:
        """Save as a safetensors file, whole or not at all; the same dictionary, the same bytes.

        Raises
        ------
        InputError
            For a name that does not end in `.safetensors`, or a file that cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> from visioncircuits.dictionaries import pca
        >>> found = pca(torch.rand(50, 4), "mixed3a", atoms=2)
        >>> Dictionary.load(found.save(f"{tempfile.mkdtemp()}/pca.safetensors"))
        Dictionary('mixed3a', PCA, 2 atoms of 4 units)
        """
        path = Path(path)
        if path.suffix != SUFFIX:
            raise InputError(f"{path} cannot be written: name it {SUFFIX}")
        own = _tensors(self.rule)
        numbers = {
            each.name: getattr(self.rule, each.name)
            for each in fields(self.rule)  # type: ignore[arg-type]
            if each.name not in own
        }
        head = {
            "layer": self.layer,
            "rule": type(self.rule).__name__,
            "numbers": numbers,
            "method": self.method,
            "record": dict(self.record),
        }
        tensors = {name: getattr(self, name) for name in _TENSORS}
        tensors |= {f"rule.{name}": tensor for name, tensor in own.items()}
        tensor_files.write(path, _METADATUM, head, tensors)
        return path

    @classmethod
    def load(cls, path: str | Path) -> "Dictionary":
        """Read a dictionary that `save` wrote.

        Raises
        ------
        InputError
            If there is no such file, or it holds something else.
        """
        path = Path(path)
        if not path.is_file():
            raise InputError(f"there is no file {path}")
        try:
            head, tensors = tensor_files.read(path, _METADATUM)
            own = {
                key.removeprefix("rule."): tensors.pop(key)
                for key in [*tensors]
                if key.startswith("rule.")
            }
            rule = getattr(rules, head["rule"])(**head["numbers"], **own)
            return cls(
                head["layer"], rule=rule, method=head["method"], record=head["record"], **tensors
            )
        except (SafetensorError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path} holds no dictionary; write one with save") from error


def provenance(
    layer: str,
    method: Mapping[str, Any],
    atoms: int,
    settings: Mapping[str, Any],
    network: Network | None,
) -> dict[str, Any]:
    """Return, as JSON data, how a dictionary was found; the activations are not in it."""
    return {
        "layer": layer,
        "method": method,
        "atoms": atoms,
        "settings": dict(settings),
        "network": network.record() if network else None,
        "visioncircuits": __version__,
        "torch": torch.__version__,
    }


def _tensors(rule: rules.Rule) -> dict[str, Tensor]:
    return {name: value for name, value in vars(rule).items() if isinstance(value, Tensor)}
