"""Pictures of many features of several layers, to stand for each wherever it is mentioned."""

from collections.abc import Iterable

from PIL import Image

from visioncircuits.featurevis.defaults import suited
from visioncircuits.featurevis.render import rendered
from visioncircuits.networks import Feature, Network
from visioncircuits.progress import bar


def thumbnails(
    network: Network, features: Iterable[Feature], *, steps: int, progress: bool = True
) -> dict[str, Image.Image]:
    """Find the picture that drives each feature most, by the feature's name.

    Parameters
    ----------
    steps
        Of the optimizer; with 0 there are no pictures. Features of the network's input get none.
    progress
        Whether to show progress, on standard error.
    """
    layers: dict[str, list[Feature]] = {}
    for feature in dict.fromkeys(features):
        if steps and feature.layer in network.layers:
            layers.setdefault(feature.layer, []).append(feature)
    pictures = {}
    total = steps * sum(map(len, layers.values()))
    with bar("pictures", total, visible=progress and total > 0) as advance:
        for layer, wanted in layers.items():
            settings = suited(network, layer, steps=steps)
            drawn = rendered(network, wanted, settings=settings, advance=advance)
            for feature, visualization in zip(wanted, drawn, strict=True):
                pictures[str(feature)] = visualization.image()
    return pictures
