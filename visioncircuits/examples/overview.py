"""The strongest examples of several features, as a notebook shows them."""

from visioncircuits.examples import crops
from visioncircuits.examples.record import Examples, Shown
from visioncircuits.figures import Figure
from visioncircuits.networks import Unit

ROWS, ACROSS = 6, 10
"""Features, and examples of each."""


def overview(examples: Examples, shown: Shown) -> Figure:
    """Draw the strongest examples of the features that were asked for, a row a feature.

    Above each is the activation. Crops are receptive fields, gray beyond the photograph.
    """
    network = shown.network
    features = shown.features[:ROWS]
    figure = Figure(figsize=(ACROSS * 0.95 + 1.1, len(features) * 1.15), facecolor="white")
    grid = figure.subplots(len(features), ACROSS, squeeze=False)
    figure.subplots_adjust(0.1, 0.01, 0.995, 1 - 0.16 / len(features), 0.04, 0.22)
    for feature, row in zip(features, grid, strict=True):
        layer, unit = examples.row(feature)
        tops = layer.tops
        located = network.layer_at(feature.layer, network.size)
        name = str(feature) if isinstance(feature, Unit) else f"{feature.layer}:\n{feature.name}"
        row[0].text(-0.12, 0.5, name, transform=row[0].transAxes, ha="right", va="center",
                    fontsize=8, weight="bold")  # fmt: skip
        for place, axes in enumerate(row):
            axes.set_axis_off()
            if place >= tops.values.shape[1] or (number := tops.pictures[unit, place]) < 0:
                continue
            picture = crops.seen(
                network, shown.photographs.read(examples.names[int(number)], network.size)
            )
            y, x = map(int, tops.positions[unit, place])
            axes.imshow(crops.tile(crops.crop(located, picture, (y, x)), 96))
            axes.set_title(f"{tops.values[unit, place]:.3g}", fontsize=7, pad=2)
    return figure
