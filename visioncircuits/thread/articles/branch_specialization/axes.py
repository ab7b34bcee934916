"""What the absolute weights between the first layers separate, here and in Google's network."""

from collections.abc import Iterator

import pandas as pd
import xarray as xr
from torch import Tensor

from visioncircuits.comparison import absolute_axes, axis_correlations, filter_preferences
from visioncircuits.figures import Figure
from visioncircuits.networks import Network
from visioncircuits.thread import Plate, Row, Study, here, inception, part
from visioncircuits.thread.claims import SHUFFLED, Claim, Unavailable
from visioncircuits.thread.filters import filter_picture
from visioncircuits.weights import expanded_weights

FIRST = here(
    "the first singular vector of the absolute first weights corresponds to color", "color"
)
SECOND = here(
    "the second singular vector of the absolute first weights corresponds to frequency", "frequency"
)


@part(FIRST, SECOND, stand_ins=(SHUFFLED,))
def axes_here(study: Study) -> Iterator[Row | Plate]:
    """What the absolute weights of the first layers separate.

    Singular vectors of the weights' absolute values between the first two convolutions. Each is
    correlated by rank with the filters' color (the share of squares that is not alike in the three
    channels) and frequency (the mean over the spectrum); chance is what 95% of shuffles stay below.
    """
    first, second = study.layer("conv2d0"), study.layer("conv2d1")
    if first == second:
        raise Unavailable(f"{study.network.name} has no two early layers")
    axes, filters, table = singular(study, study.network, first, second)
    for claim, axis, preference in ((FIRST, 0, "color"), (SECOND, 1, "frequency")):
        yield verdict(claim, table, axis, preference)
    yield Plate(
        "axes",
        axes_drawn(filters, axes),
        f"All filters of {first}, in the order of the first (across) and the second (up) singular "
        f"vector of the absolute weights into {second}.",
    )


def singular(
    study: Study, network: Network, first: str, second: str
) -> tuple[xr.DataArray, Tensor, pd.DataFrame]:
    """Compute the axes, the filters, and the correlations between them."""
    axes = absolute_axes(expanded_weights(network, first, second))
    filters = expanded_weights(network, "input", first).weight.cpu()
    shuffles = study.of(10_000, quick=1000)
    table = axis_correlations(axes, filter_preferences(filters), seed=study.seed, shuffles=shuffles)
    return axes, filters, table


def verdict(claim: Claim, table: pd.DataFrame, axis: int, preference: str) -> Row:
    """Test whether an axis correlates with a preference, and with no other more."""
    rows = table[table["axis"] == axis].set_index("preference")
    own = rows.loc[preference]
    other = rows.drop(preference)["correlation"].abs()
    return claim.found(
        f"rank correlation {abs(own['correlation']):.2f}",
        holds=bool(abs(own["correlation"]) > max(own["chance"], other.max())),
        interval=f"chance {own['chance']:.2f}",
        why=f"Holds above chance and above the correlation with {other.idxmax()}, "
        f"{other.max():.2f}.",
    )


def axes_drawn(filters: Tensor, axes: xr.DataArray) -> Figure:
    """Draw every filter at its ranks on the two axes."""
    figure = Figure(figsize=(6.4, 6.4), layout="constrained")
    plot = figure.subplots()
    across, up = (axis.argsort().argsort() for axis in axes.values)
    size = 1.4
    for values, x, y in zip(filters, across, up, strict=True):
        plot.imshow(filter_picture(values), extent=(x - size, x + size, y - size, y + size))
    plot.set_xlim(-2, len(filters) + 1)
    plot.set_ylim(-2, len(filters) + 1)
    plot.set_aspect("equal")
    plot.set_xticks([])
    plot.set_yticks([])
    for label, share in zip(("first", "second"), axes["share"].values, strict=True):
        text = f"{label} singular vector, {share:.0%} of the squares →"
        (plot.set_xlabel if label == "first" else plot.set_ylabel)(text)
    plot.spines[["top", "right"]].set_visible(False)
    return figure


GOOGLE_FIRST = inception(
    "the first singular vector of Google's absolute first weights corresponds to color", "color"
)
GOOGLE_SECOND = inception(
    "the second singular vector of Google's absolute first weights corresponds to frequency",
    "frequency",
)
PLACES = inception(
    "the two singular vectors of a network trained on Places365 correspond to the same",
    "color, frequency",
)


@part(GOOGLE_FIRST, GOOGLE_SECOND, PLACES)
def google(study: Study) -> Iterator[Row | Plate]:
    """Google's network, and the one trained on places."""
    yield PLACES.untestable("no checkpoint of the network trained on Places365 is published")
    network = study.inceptionv1()
    axes, filters, table = singular(study, network, "conv2d0", "conv2d1")
    yield verdict(GOOGLE_FIRST, table, 0, "color")
    yield verdict(GOOGLE_SECOND, table, 1, "frequency")
    yield Plate("google-axes", axes_drawn(filters, axes), "As above, of Google's network.")
