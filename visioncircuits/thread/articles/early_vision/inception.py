"""The published units, in Google's network."""

from collections.abc import Iterator

from visioncircuits.networks import Network
from visioncircuits.thread import Plate, Row, Study, inception, part
from visioncircuits.thread.articles.early_vision.published import (
    BOUNDARY,
    CIRCLE,
    INHIBITING,
    TRIANGLE,
)
from visioncircuits.thread.units import numbers
from visioncircuits.weights import expanded_weights, strongest_inputs

EXCITING = (29, 40, 21, 90)
STRONGEST = {
    "mixed3a:222": ("conv2d2", (*INHIBITING, *EXCITING)),
    "mixed3a:175": ("conv2d2", CIRCLE),
    "mixed3a:188": ("conv2d2", TRIANGLE),
    "mixed3b:345": ("mixed3a", BOUNDARY),
    "mixed3b:404": ("mixed3a", (47, 46, 26, 63)),
    "mixed3b:333": ("mixed3a", (47, 46, 26, 63)),
}
GOOGLE = {
    unit: inception(
        f"the strongest {source} inputs of {unit} are those published", ", ".join(map(str, inputs))
    )
    for unit, (source, inputs) in STRONGEST.items()
}
SIGNS = inception("twelve of the strongest inputs of mixed3a:222 inhibit it, four excite it", "12")
GABOR_INPUTS = {30: {22: 1, 39: 1, 54: 0.6, 15: 0.6},
         55: {10: 1, 0: 1, 17: 1, 62: 1, 41: 0.4, 28: 0.3},
         52: {14: 0.6, 49: 0.6, 20: 0.4, 27: 0.4, 18: -0.6, 41: -0.6}}  # fmt: skip
COMPLEX = {
    unit: inception(
        f"the complex Gabor conv2d1:{unit} has the published inputs of at least 30% of the largest "
        "weight",
        ", ".join(f"{source} {weight:+g}" for source, weight in inputs.items()),
    )
    for unit, inputs in GABOR_INPUTS.items()
}
FAMILIES_FOUND = inception(
    "curve detectors of mixed3b that stimuli find are in the family that the article puts them in",
    "all",
)


@part(*GOOGLE.values(), SIGNS, *COMPLEX.values(), FAMILIES_FOUND)
def google(study: Study) -> Iterator[Row | Plate]:
    """Google's network, by number."""
    network = study.inceptionv1()
    yield from units_of_google(network)
    listed = study.taxonomy().layers["mixed3b"]["Curves"]
    google_study = Study(network, study.folder, data=study.data, quick=study.quick, seed=study.seed)
    units = numbers(google_study.found("curve", "mixed3b")["unit"])
    inside, total = len(set(units).intersection(listed)), len(units)
    yield FAMILIES_FOUND.found(
        f"{inside} of {total}", holds=inside >= 0.9 * total > 0, why="Holds from 90%."
    )


def units_of_google(network: Network) -> Iterator[Row]:
    """Compare the inputs of units with the published ones."""
    for unit, claim in GOOGLE.items():
        source, inputs = STRONGEST[unit]
        found = strongest_inputs(expanded_weights(network, source, unit), top=len(inputs))
        listed = numbers(connection.source for connection in found)
        same = set(listed) & set(inputs)
        yield claim.found(
            ", ".join(map(str, listed)),
            holds=len(same) >= 0.8 * len(inputs),
            why=f"{len(same)} of {len(inputs)} the same; holds from 80%, as the figures choose.",
        )
        if unit == "mixed3a:222":
            inhibiting = {
                at for at, c in zip(listed, found, strict=True) if float(c.kernel.sum()) < 0
            }
            right = inhibiting == set(INHIBITING)
            yield SIGNS.found(f"{len(inhibiting)} inhibit", holds=right)
    for unit_, claim in COMPLEX.items():
        weights = expanded_weights(network, "conv2d0", f"conv2d1:{unit_}").weight[0].sum((1, 2))
        share = (weights / weights.abs().max()).tolist()
        strong = {at: value for at, value in enumerate(share) if abs(value) >= 0.3}
        near = [
            abs(strong.get(at, 0.0) - value) <= 0.25 for at, value in GABOR_INPUTS[unit_].items()
        ]
        yield claim.found(
            ", ".join(f"{at} {value:+.2f}" for at, value in strong.items()),
            holds=all(near) and set(strong) == set(GABOR_INPUTS[unit_]),
            why="Holds where the same inputs are shown and weights agree to 0.25: the figure's "
            "lines are two filters each.",
        )
