"""The article's attack as an intervention: patches of one class pasted on other photographs."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

from visioncircuits import datasets
from visioncircuits.atlas.records import Atlas
from visioncircuits.attribution.explaining import class_name, class_number
from visioncircuits.datasets import Source
from visioncircuits.errors import InputError
from visioncircuits.interventions.intervals import ends, resamples
from visioncircuits.networks import Network
from visioncircuits.networks.fixed_parameters import parameters_fixed
from visioncircuits.networks.memory import freed_memory_kept
from visioncircuits.numbers import real, whole
from visioncircuits.progress import bar

SHARE = 0.35
"""The side of a patch, as a share of the picture's."""

Patches = Float32[Tensor, "_ channels side side"]


@dataclass(frozen=True, eq=False)
class Attack:
    """How predictions change where patches are pasted on photographs.

    A notebook shows its `table`.

    Attributes
    ----------
    target
        The class that the patches are to cause.
    share
        The side of a patch, as a share of the picture's.
    photographs
        Names of those that are not of the target to begin with, for the network.
    changed, became : bool, (patches, photographs)
        Where the first prediction is another than without the patch, and where it is the target.
    control_changed, control_became : bool, (controls, photographs)
        The same with patches that nothing suggests.

    Examples
    --------
    >>> yes, no = np.ones((2, 50), bool), np.zeros((3, 50), bool)
    >>> names = tuple(map(str, range(50)))
    >>> Attack("baseball", 0.3, names, yes, yes, no, no)
    Attack(baseball: 100% become it, of random patches 0%)
    """

    target: str
    share: float
    photographs: tuple[str, ...]
    changed: Bool[np.ndarray, "patches photographs"]
    became: Bool[np.ndarray, "patches photographs"]
    control_changed: Bool[np.ndarray, "controls photographs"]
    control_became: Bool[np.ndarray, "controls photographs"]

    def __repr__(self) -> str:
        ours, random = self.became.mean(), self.control_became.mean()
        return f"Attack({self.target}: {ours:.0%} become it, of random patches {random:.0%})"

    def table(self) -> pd.DataFrame:
        """Return the shares of predictions that change and that become the target.

        Returns
        -------
        pandas.DataFrame
            Rows `suggested`, `random` and their `difference`; for `changed` and `became` the share,
            averaged over patches, and its 95 % interval by bootstrap over photographs, as `low` and
            `high`; and `rank`: the share of single random patches that do at least as well as the
            average suggested one.

        Examples
        --------
        >>> yes, no = np.ones((2, 50), bool), np.zeros((3, 50), bool)
        >>> found = Attack("baseball", 0.3, tuple(map(str, range(50))), yes, yes, no, no).table()
        >>> float(found.loc["difference", "became"]), float(found.loc["suggested", "became rank"])
        (1.0, 0.0)
        """
        columns = {}
        for name in ("changed", "became"):
            ours, random = getattr(self, name), getattr(self, f"control_{name}")
            by_photograph = {
                "suggested": ours.mean(0), "random": random.mean(0),
                "difference": ours.mean(0) - random.mean(0),
            }  # fmt: skip
            columns[name] = {row: float(values.mean()) for row, values in by_photograph.items()}
            weights = resamples(len(self.photographs), seed=0)
            reach = {row: ends(values @ weights) for row, values in by_photograph.items()}
            columns[f"{name} low"] = {row: float(low) for row, (low, _) in reach.items()}
            columns[f"{name} high"] = {row: float(high) for row, (_, high) in reach.items()}
            rank = float((random.mean(1) >= ours.mean()).mean())
            columns[f"{name} rank"] = {"suggested": rank}
        return pd.DataFrame(columns)

    def _repr_html_(self) -> str:
        return str(self.table().to_html(float_format="{:.3f}".format, na_rep=""))


def suggested(
    atlas: Atlas, target: str, *, side: int | None = None, top: int = 5
) -> Int64[np.ndarray, " cells"]:
    """Return the cells of a grid that support a class most.

    Raises
    ------
    InputError
        For an unknown grid, or a class that the atlas is not attributed to.

    Examples
    --------
    >>> from visioncircuits.atlas import Grid, SampledActivations
    >>> led = np.array([[0.5], [2.0]], np.float32)
    >>> grid = Grid(2, np.array([[0, 0], [1, 1]]), np.ones(2, int), np.zeros((2, 8), np.float32),
    ...             led, np.array([0, 1]))
    >>> drawn = SampledActivations("toy", "conv", np.zeros((2, 8), np.float32), np.zeros(2, int),
    ...                            np.zeros((2, 2), int), (3, 3), ("cat.jpg",))
    >>> made = Atlas(drawn, np.zeros((2, 2), np.float32), (grid,), ("baseball",), {})
    >>> suggested(made, "baseball", top=1).tolist()
    [1]
    """
    whole("top", top, least=1)
    if target not in atlas.classes:
        raise InputError(
            f"the atlas' cells are not attributed to {target!r}; make it with classes='all', or "
            "with this one among them"
        )
    led = atlas.grid(side).attribution[:, atlas.classes.index(target)]
    return np.argsort(-led, kind="stable")[:top]


def paste(
    pictures: Float32[Tensor, "batch channels height width"],
    patch: Float32[Tensor, "channels side side"],
    *,
    share: float = SHARE,
) -> Float32[Tensor, "batch channels height width"]:
    """Paste a patch into the lower left corner of pictures, scaled to a share of their side.

    Examples
    --------
    >>> pasted = paste(torch.zeros(1, 3, 8, 8), torch.ones(3, 5, 5), share=0.5)
    >>> pasted[0, 0].sum(), pasted[0, 0, 4:, :4].sum()
    (tensor(16.), tensor(16.))
    """
    side = max(round(share * min(pictures.shape[2:])), 1)
    small = F.interpolate(patch[None], (side, side), mode="bilinear", antialias=True)
    pasted = pictures.clone()
    pasted[:, :, pictures.shape[2] - side :, :side] = small.to(pictures)
    return pasted


def attack(
    network: Network,
    photographs: Source,
    patches: Patches,
    controls: Patches,
    *,
    target: str | int,
    share: float = SHARE,
    batch: int = 16,
    progress: bool = False,
) -> Attack:
    """Paste patches on photographs, and count the predictions that change.

    Source: Carter et al., "Activation Atlas" (2019), whose atlases suggested a baseball: pasted on
    a gray whale, it makes the network predict a great white shark.

    Parameters
    ----------
    network
        A classifier.
    photographs
        To be attacked. Those whose prediction is the target without a patch are left out.
    patches
        That are to cause the target, in [0, 1], such as `cell_patches` of the `suggested` cells, or
        rendered icons.
    controls
        Patches that nothing suggests, such as those of cells drawn at random.
    target
        A class, by name or number.
    share
        The side of a pasted patch, as a share of the picture's.
    batch
        Pictures in one forward pass.
    progress
        Whether to show a bar.

    Raises
    ------
    InputError
        For an unknown class, no patch or control, or where no photograph is left.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> network, pictures = untrained("bvlc_googlenet"), torch.rand(3, 3, 224, 224)
    >>> found = attack(network, pictures, torch.rand(1, 3, 60, 60), torch.rand(2, 3, 60, 60),
    ...                target="baseball")
    >>> found.changed.shape, found.control_changed.shape
    ((1, 3), (2, 3))
    """
    number = class_number(network, target)
    real("share", share, least=0, most=1)
    whole("batch", batch, least=1)
    if not len(patches) or not len(controls):
        raise InputError("an attack needs a patch and a control, at least")
    given = datasets.photographs(photographs)
    pasted = torch.cat([patches, controls])
    names, found = list[str](), list[np.ndarray]()
    with (
        torch.inference_mode(),
        freed_memory_kept(),
        parameters_fixed(),
        bar("photographs", len(given), visible=progress) as advance,
    ):
        first = 0
        for pictures in given.batches(network.size, batch):
            before = _predicted(network, pictures)
            after = np.stack([
                _predicted(network, paste(pictures, patch, share=share)) for patch in pasted
            ])  # fmt: skip
            kept = before != number
            found.append(np.stack([after != before, after == number])[:, :, kept])
            names += [given.names[first + place] for place in np.flatnonzero(kept)]
            first += len(pictures)
            advance(len(pictures))
    changed, became = np.concatenate(found, 2)
    if not names:
        raise InputError(f"every photograph is {target} without a patch; give others")
    own = len(patches)
    return Attack(
        class_name(network, number), share, tuple(names), changed[:own], became[:own],
        changed[own:], became[own:],
    )  # fmt: skip


def _predicted(network: Network, pictures: Tensor) -> Int64[np.ndarray, " batch"]:
    logits = network.activations(pictures, [network.output])[network.output]
    return np.asarray(logits.argmax(1).cpu())
