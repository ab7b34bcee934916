"""The car circuit."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from scipy.stats import spearmanr

from visioncircuits import networks
from visioncircuits.networks import Unit
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.articles.zoom_in.detectors import chosen, detector, spatial
from visioncircuits.thread.claims import SHUFFLED
from visioncircuits.thread.intervals import middle, null
from visioncircuits.thread.photographs import batched
from visioncircuits.weights import Connection, connection_cards, expanded_weights, strongest_inputs

CAR_UNIT = here("a unit of mixed4c detects cars", "mixed4c:447")
UPRIGHT = here(
    "kernels into the car detector distinguish top and bottom: parts excite on one side and "
    "inhibit on the other",
    "2 of 3",
)
PLACED = here(
    "parts excite the car detector where they are in a car: windows at the top, wheels at the "
    "bottom",
    "3 of 3",
)


@part(CAR_UNIT, UPRIGHT, PLACED, stand_ins=(SHUFFLED,))
def car_circuit(study: Study) -> Iterator[Row | Plate]:
    """The car circuit.

    The car detector is the unit that separates photographs of cars best from others, chosen on one
    half of them and tested on the other. Its parts are its 30 strongest inputs.
    """
    network, before, layer = study.network, study.layer("mixed4b"), study.layer("mixed4c")
    units = spatial(network, layer)
    car, score, bounds = detector(study, layer, "cars", ("dogs", "rest"), units)
    name = f"{layer}:{car}"
    yield CAR_UNIT.found(
        f"{name}: {score:.0%} of pairs in order",
        holds=bounds[0] > 0.75,
        interval=f"{bounds[0]:.0%} to {bounds[1]:.0%}; chance 50%",
        why="Pairs of a photograph of a car and another one, neither of which chose the unit: the "
        "share in which the car activates it more. Holds where the interval is above 75%.",
    )
    found = strongest_inputs(expanded_weights(network, before, name), top=30)
    kernels = np.stack([connection.kernel.cpu().numpy() for connection in found])
    high, wide = (split(kernels, axis) for axis in (1, 2))
    rng = study.rng("upright")
    apart = high.astype(float) - wide
    low, most = middle([rng.choice(apart, len(apart)).mean() for _ in range(2000)])
    yield UPRIGHT.found(
        f"{high.sum()} of {len(found)} top and bottom, {wide.sum()} left and right",
        holds=low > 0,
        interval=f"difference {low:+.0%} to {most:+.0%}",
        why="Kernels whose two halves have sums of opposite sign. Holds where more do from top to "
        "bottom than from left to right (bootstrap over inputs).",
    )
    balance = np.array([lean(kernel) for kernel in kernels])
    places = heights(study, before, layer, car, [connection.source for connection in found])
    correlation = float(spearmanr(balance, places)[0])
    low, most = null(lambda drawn: float(spearmanr(balance, drawn)[0]), places, rng)
    yield PLACED.found(
        f"rank correlation {correlation:.2f}",
        holds=correlation > most,
        interval=f"{low:.2f} to {most:.2f} with shuffled parts",
        why="Of how far down a kernel excites rather than inhibits, and how far down the part "
        "activates around the car detector's maximum, in photographs of cars. Holds above the "
        "interval.",
    )
    order = np.argsort(balance)
    picked = [found[int(place)] for place in (*order[:4], *order[-4:])]
    yield Plate(
        "car",
        cards(study, picked),
        f"The car detector {name} and eight of its 30 strongest inputs: the four that excite it "
        "most towards the top, as windows do in the article, and towards the bottom, as wheels.",
    )


def split(kernels: Float[np.ndarray, "kernels height width"], axis: int) -> np.ndarray:
    """Test which kernels have halves along an axis with sums of opposite sign."""
    size = kernels.shape[axis]
    first = kernels.take(range(size // 2), axis).sum((1, 2))
    last = kernels.take(range(size - size // 2, size), axis).sum((1, 2))
    return np.asarray(np.sign(first) * np.sign(last) < 0)


def lean(kernel: Float[np.ndarray, "height width"]) -> float:
    """Compute how far down a kernel excites rather than inhibits: -1 to 1."""
    down = np.linspace(-1, 1, len(kernel))[:, None]
    return float((kernel * down).sum() / np.abs(kernel).sum())


def heights(
    study: Study, before: str, layer: str, unit: int, parts: Sequence[networks.Feature]
) -> Float[np.ndarray, " parts"]:
    """Compute how far below a unit's maximum parts activate on average, in neurons."""
    photographs, network = chosen(study, "cars"), study.network
    places = [part.index for part in parts if isinstance(part, Unit)]
    around = np.zeros((len(places), 5))
    for batch in batched(photographs):
        with torch.inference_mode():
            maps = network.activations(batch.pictures(network.size), [before, layer])
        own = maps[layer][:, unit]
        inputs = torch.nn.functional.pad(maps[before][:, places], (2, 2, 2, 2)).cpu().numpy()
        for picture, activations in enumerate(own):
            row, column = divmod(int(activations.argmax()), activations.shape[1])
            window = inputs[picture, :, row : row + 5, column : column + 5]
            around += window.sum(2) if window.shape[1:] == (5, 5) else 0
    down: np.ndarray = around @ np.arange(-2, 3) / around.sum(1).clip(1e-9)
    return down


def cards(study: Study, connections: Sequence[Connection], *, columns: int = 8) -> Image.Image:
    """Draw connections with the pictures of their units."""
    features = [each for one in connections for each in (one.source, one.target)]
    pictures = study.thumbnails(list(dict.fromkeys(features)))
    return connection_cards(connections, pictures, size=96, columns=columns)
