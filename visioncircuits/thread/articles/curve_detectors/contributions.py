"""Contributions of earlier units at the strongest examples."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import spearmanr
from torch import Tensor

from visioncircuits import featurevis
from visioncircuits.examples import crop
from visioncircuits.featurevis import objectives
from visioncircuits.figures import Figure
from visioncircuits.stimuli import named
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.articles.curve_detectors.family import Curves, family
from visioncircuits.thread.claims import NEGATIVE
from visioncircuits.thread.intervals import null
from visioncircuits.tuning import measure, radial_tuning
from visioncircuits.weights import contextual_weights, surroundings

MADE = here(
    "in its photographs a detector is excited by earlier units that respond to curves of its "
    "orientation",
    "shown in pictures",
)


@part(MADE, stand_ins=(*NEGATIVE, "handwritten curves"))
def attribution(study: Study) -> Iterator[Row | Plate]:
    """What excites a detector in a photograph.

    Weights times activations in the layer before, at the strongest example of each detector; the
    pictures visualize their absolute values.
    """
    curves = family(study)
    before = surroundings(study.network, curves.layer).before[0]
    layer = study.examples().layers[curves.layer]
    names = study.examples().names
    size = study.network.size
    about = study.network.layer_at(curves.layer, size)
    around, rise = tuning_above_mean(study, before)
    examples = study.of(5, quick=1)
    alike, pairs = np.zeros((len(curves.units), len(around))), []
    for number, place in enumerate(curves.places):
        for rank in range(examples):
            position = tuple(layer.tops.positions[place, rank].tolist())
            pixels = study.photograph(names[int(layer.tops.pictures[place, rank])])
            (flow,) = contextual_weights(
                study.network, before, curves.units[number], pixels[None], position=position
            )
            made = flow.contributions.numpy()
            alike[number] += [spearmanr(made, column).statistic / examples for column in rise.T]
            if rank == 0:
                pairs.append(
                    (number, crop(about, pixels, position, most=64), flow.weights.weight[0])
                )

    def agreement(orientations: np.ndarray) -> float:
        pairs = zip(orientations, alike, strict=True)
        return float(np.mean([np.interp(angle, around, row, period=360) for angle, row in pairs]))

    own = agreement(curves.orientations)
    by_chance = null(agreement, curves.orientations, study.rng("attribution"), draws=500)
    yield MADE.found(
        f"mean rank correlation {own:.2f}",
        holds=own > by_chance[1],
        interval=f"orientations exchanged: {by_chance[0]:.2f} to {by_chance[1]:.2f}",
        why=f"Of each unit's contribution in {before} with its response above average to curves of "
        f"the detector's orientation; {len(curves.units)} detectors, "
        f"{examples} photographs each.",
    )
    chosen = [
        pairs[place] for place in np.linspace(0, len(pairs) - 1, study.of(8, quick=3)).astype(int)
    ]
    yield Plate(
        "attribution",
        attributed(study, curves, before, chosen),
        "Strongest examples, and pictures of what contributed to the detector there: "
        f"the absolute value of weight times activation in {before}, at every position.",
    )


def tuning_above_mean(
    study: Study, layer: str
) -> tuple[Float[np.ndarray, " angles"], Float[np.ndarray, "units angles"]]:
    """Measure a layer's tuning to curves less its mean, each unit's of norm 1, and the angles."""
    profile = radial_tuning(measure(study.network, layer, named("curves")))
    rise = profile.values - profile.values.mean(1, keepdims=True)
    norm = np.linalg.norm(rise, axis=1, keepdims=True)
    scaled = np.divide(rise, norm, out=np.zeros_like(rise), where=norm > 0)
    return profile["orientation"].values, scaled


def attributed(
    study: Study, curves: Curves, before: str, chosen: Sequence[tuple[int, Tensor, Tensor]]
) -> Figure:
    """Draw crops, and pictures of the contributions to the detector."""
    settings = featurevis.suited(
        study.network, curves.layer, steps=study.of(256, quick=24), seed=study.seed
    )
    rows, columns = study.network.layer_at(before, settings.size).shape
    figure = Figure(figsize=(1.5 * len(chosen), 3.2), layout="constrained")
    grid = figure.subplots(2, len(chosen), squeeze=False)
    for (above, below), (unit, photo, flow) in zip(grid.T, chosen, strict=True):
        target = torch.zeros(len(flow), rows, columns)
        height, width = flow.shape[1:]
        top, left = (rows - height) // 2, (columns - width) // 2
        target[:, top : top + height, left : left + width] = flow.abs()
        made = featurevis.render(
            study.network, objectives.likeness(before, target), settings=settings
        )
        above.imshow(photo.permute(1, 2, 0).clamp(0, 1).numpy())
        inside = (made.image().width - 64) // 2
        below.imshow(
            made.image().convert("L").crop((inside, inside, inside + 64, inside + 64)),
            cmap="gray",
            vmin=0,
            vmax=255,
        )
        above.set_title(
            f"{curves.places[unit]}, {curves.orientations[unit]:.0f}°",
            fontsize=8,
        )
    for axes in grid.flat:
        axes.axis("off")
    return figure
