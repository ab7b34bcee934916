"""The monosemanticity score: are the pictures that activate a feature alike?

Source: Pach et al., "Sparse Autoencoders Learn Monosemantic Features in Vision-Language Models"
(2025), where pictures are compared by another network. Here none is downloaded: a layer of any
network can be the measure of likeness.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from visioncircuits.datasets import Source, photographs
from visioncircuits.errors import InputError
from visioncircuits.networks import Network
from visioncircuits.progress import bar


def embeddings(
    network: Network, layer: str, pictures: Source, *, batch: int = 16, progress: bool = False
) -> Float[Tensor, "pictures units"]:
    """Describe each picture by a layer's mean activations over positions.

    Parameters
    ----------
    network
        Any; it need not be the one whose features are scored, and is more independent where it is
        not.
    layer
        A late one for likeness in kind, an early one for likeness in texture and color.
    pictures
        Photographs, of any kind.
    batch
        Pictures that go through the network at once.
    progress
        Whether to show a bar.

    Raises
    ------
    InputError
        For an unknown layer, or a picture that cannot be read.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> embeddings(untrained("bvlc_googlenet"), "conv2d2", torch.rand(3, 3, 224, 224)).shape
    torch.Size([3, 192])
    """
    network.layer(layer)
    given = photographs(pictures, labels="none")
    rows = []
    with bar("photographs", len(given), visible=progress) as advance, torch.inference_mode():
        for some in given.batches(network.size, batch):
            maps = network.activations(some, [layer])[layer]
            rows.append(maps.flatten(2).mean(2).cpu() if maps.ndim > 2 else maps.cpu())
            advance(len(some))
    return torch.cat(rows).clone()


def monosemanticity(
    activations: Float[Tensor, "pictures features"], embedded: Float[Tensor, "pictures2 dimensions"]
) -> Float[Tensor, " features"]:
    """Compute the mean likeness of pairs of pictures, weighted by how both activate a feature.

    `Σ aₙ aₘ cos(eₙ, eₘ) / Σ aₙ aₘ` over all pairs n ≠ m, where `a` are the feature's activations
    scaled to [0, 1] and `e` the pictures' embeddings. It costs as much as there are pictures, not
    pairs: the sum of products is the square of a sum, less its diagonal.

    Parameters
    ----------
    activations
        Of each feature in each picture, such as its highest over positions.
    embedded
        What pictures are compared by, such as `embeddings`.

    Returns
    -------
    Tensor
        In [-1, 1], 1 where all that activates a feature is alike; NaN for a feature that fewer than
        two pictures activate. It is compared with the mean over random pairs, which activations of
        all ones give: after a rectifier all pictures are somewhat alike.

    Raises
    ------
    InputError
        Where the two are not of the same pictures.

    Examples
    --------
    Of four pictures, two of a kind, one feature prefers a kind and one has both.

    >>> kinds = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    >>> active = torch.tensor([[1.0, 1], [1, 0], [0, 1], [0, 0]])
    >>> monosemanticity(active, kinds).tolist()
    [1.0, 0.0]
    """
    if len(activations) != len(embedded):
        raise InputError(
            f"activations are of {len(activations)} pictures and embeddings of {len(embedded)}; "
            "pass both of the same pictures"
        )
    values = activations.double()
    low, high = values.amin(0), values.amax(0)
    spread = high - low
    scaled = torch.where(spread > 0, (values - low) / spread, (high > 0).double())
    unit = torch.nn.functional.normalize(embedded.double(), dim=1)
    squares = scaled.square()
    alike = (scaled.T @ unit).square().sum(1) - squares.T @ unit.square().sum(1)
    pairs = scaled.sum(0).square() - squares.sum(0)
    # the sum's rounding is no pair
    return torch.where(pairs > 1e-9 * squares.sum(0), alike / pairs, torch.nan).float()
