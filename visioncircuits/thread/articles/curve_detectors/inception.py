"""The published units, in Google's network."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from visioncircuits.stimuli import named
from visioncircuits.thread import Plate, Row, Study, inception, part
from visioncircuits.thread.articles.curve_detectors.activations import density
from visioncircuits.thread.articles.curve_detectors.family import published_set
from visioncircuits.thread.articles.curve_detectors.maps import published_responses
from visioncircuits.thread.articles.curve_detectors.tuning import MAPS, PEAKS
from visioncircuits.tuning import circular, measure, orientation_tuning

GOOGLE_PEAKS = inception(
    "units of conv2d2, 3a and 3b prefer the orientations published", "32 of 32"
)
GOOGLE_MAPS = inception("heat maps of the ten units are those published", "10 of 10")
GOOGLE_SIGMA = inception("synthetic curves activate the ten up to 24 standard deviations", "24")
GOOGLE_ACTIVE = inception("mixed3b:379 is active in 11 % of cases", "11 %")
GOOGLE_MEAN = inception("mixed3b:379's mean pre-activation is about −200", "−200")
GOOGLE_FLANKS = inception(
    "mixed3b:379's density falls to 1/e in 57 units above zero, and in 49 below", "57, 49"
)


@part(GOOGLE_PEAKS, GOOGLE_MAPS, GOOGLE_SIGMA, GOOGLE_ACTIVE, GOOGLE_MEAN, GOOGLE_FLANKS)
def inception5h(study: Study) -> Iterator[Row | Plate]:
    """Google's own network, unit by unit."""
    google = replace(study, network=study.inceptionv1())
    off: list[float] = []
    for layer, peaks in PEAKS.items():
        responses = measure(google.network, [f"{layer}:{unit}" for unit in peaks], named("curves"))
        found = orientation_tuning(responses)["orientation"].values
        off += circular.angular_distance(found, np.array(list(peaks.values()))).tolist()
    near = sum(angle <= 15 for angle in off)
    yield GOOGLE_PEAKS.found(
        f"{near} of {len(off)} within 15°",
        holds=near == len(off),
        interval=f"by chance {len(off) / 12:.1f}",
        why="Peaks on 36 orientations and four radii.",
    )
    with np.load(study.published(MAPS)) as stored:
        units = stored["neurons"].astype(int).tolist()
        theirs = published_responses(
            stored["curves"].astype(np.float64), units, published_set(study)
        )
    ten = [f"mixed3b:{unit}" for unit in units]
    responses = measure(google.network, ten, published_set(study))
    theirs = theirs.transpose(*responses.dims)
    alike = np.array(
        [
            np.corrcoef(a.ravel(), b.ravel())[0, 1] if a.any() else 0.0
            for a, b in zip(responses.values.clip(0), theirs.values.clip(0), strict=True)
        ]
    )
    yield GOOGLE_MAPS.found(
        f"r = {alike.min():.2f} to {alike.max():.2f}",
        holds=bool(alike.min() > 0.9),
        why="Correlation over orientation and radius; above .9, as the size of the published "
        "stimuli is not known.",
    )
    spread = google.deviations("mixed3b").sel(unit=ten).values
    tops = responses.max(("orientation", "radius")).values / spread.clip(1e-9)
    yield GOOGLE_SIGMA.found(f"{tops.max():.1f}", holds=bool(20 <= tops.max() <= 28))
    layer_found = google.examples().layers["mixed3b"]
    moments = layer_found.moments
    yield GOOGLE_ACTIVE.found(
        f"{moments.firing[379]:.1%}", holds=bool(0.09 <= moments.firing[379] <= 0.13)
    )
    yield GOOGLE_MEAN.found(
        f"{moments.mean[379]:.0f}", holds=bool(-240 <= moments.mean[379] <= -150)
    )
    edges = np.arange(-1000.0, 1000.1, 20.0)
    with np.errstate(divide="ignore"):
        fallen = np.log(density(layer_found.counts[379], 1.0, edges))
    middles = (edges[1:] + edges[:-1]) / 2
    folds = []
    for side in ((middles > 0) & (middles < 500), (middles < -250) & (middles > -700)):
        kept = side & np.isfinite(fallen)
        slope = np.polyfit(middles[kept], fallen[kept], 1)[0] if kept.sum() > 2 else float("nan")
        folds.append(abs(1 / slope) if slope else float("inf"))
    yield GOOGLE_FLANKS.found(
        f"{folds[0]:.0f}, {folds[1]:.0f}",
        holds=all(abs(f / p - 1) < 0.25 for f, p in zip(folds, (57, 49), strict=True)),
        why="Lines through the logarithmic density from 0 to 500 and from −250 to −700.",
    )
