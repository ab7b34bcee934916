"""What a reproduction is made of: a network, photographs, published data, thoroughness."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """What is studied, and how thoroughly.

    Attributes
    ----------
    network
        Its name.
    checkpoint
        The network's parameters, if not at one of the default places.
    images
        A folder of photographs, if any.
    published
        The folder of the thread's published data, if any.
    quick
        Fewer photographs, steps and draws; every page is marked.
    seed
        Of all randomness.
    layers
        The layers to study, by family ("curves") or by InceptionV1's name ("mixed3b"); others are
        chosen, see `thread.family_layers`.
    device, precision
        Where to compute, and what in; see `networks.load`. Half precision rounds every activation:
        claims near their limits may be decided otherwise.

    Examples
    --------
    >>> Run("bvlc_googlenet", images=Path("photos"), quick=True)
    Run('bvlc_googlenet', photographs: photos, published data: none, quick, seed 0)
    """

    network: str
    checkpoint: Path | None = None
    images: Path | None = None
    published: Path | None = None
    quick: bool = False
    seed: int = 0
    layers: Mapping[str, str] = field(default_factory=dict)
    device: str = "cpu"
    precision: str = "float32"

    def __repr__(self) -> str:
        quick = ", quick" if self.quick else ""
        images, published = self.images or "none", self.published or "none"
        layers = "".join(f", {name}: {layer}" for name, layer in self.layers.items())
        where = "" if self.device == "cpu" else f", on {self.device}"
        where += "" if self.precision == "float32" else f", in {self.precision}"
        return (
            f"Run({self.network!r}, photographs: {images}, published data: {published}{quick}, "
            f"seed {self.seed}{layers}{where})"
        )
