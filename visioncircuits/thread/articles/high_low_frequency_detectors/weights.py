"""The inputs of the family in a network."""

from collections.abc import Generator, Iterator, Sequence

import numpy as np
from jaxtyping import Float

from visioncircuits.networks import Network
from visioncircuits.stimuli import named
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.articles.high_low_frequency_detectors.factors import (
    SYMMETRY,
    crossing,
    factor_maps,
    factor_responses,
)
from visioncircuits.thread.units import numbers
from visioncircuits.tuning import measure
from visioncircuits.weights import Factors, expanded_weights, factor_grid, one_sided_nmf

OPPOSED = {
    layer: here(
        f"two factors of the weights from {layer} into high-low frequency detectors are each "
        "other's negative, more so than into other units",
        f"median {np.median([float(value) for value in values]):.3f}",
    )
    for layer, values in SYMMETRY.items()
}
EXPLAINED = {
    layer: here(
        f"two factors explain more of the weights from {layer} into high-low frequency detectors "
        "than into other units",
        "no number published",
    )
    for layer in SYMMETRY
}
TUNED = {
    layer: here(
        f"one factor from {layer} prefers a higher frequency than the other",
        "one rises, the other falls; crossing at 5.5 cycles in 40 px"
        if layer == "conv2d2"
        else "shown for conv2d2 alone",
    )
    for layer in SYMMETRY
}


@part(*OPPOSED.values(), *EXPLAINED.values(), *TUNED.values())
def weights_here(study: Study) -> Iterator[Row | Plate]:
    """What the family is made of.

    The weights into all detectors, expanded from two layers, are factorized as in the article, to
    convergence. Two factors of any units' weights come out nearly opposed, as each fits what the
    other does not, so that chance is as many units of the same branches, treated likewise.
    """
    network = study.network
    names = study.detectors("high-low", "mixed3a")["unit"].tolist()
    maps = {}
    for name in OPPOSED:
        maps[name] = yield from factored(study, name, names)
    yield Plate(
        "factor-maps",
        factor_maps(maps, [str(unit) for unit in numbers(names)]),
        f"Figure 9 from {network.name}, every map over its own largest weight; detectors by "
        "direction.",
    )


def factored(
    study: Study, name: str, names: Sequence[str]
) -> Generator[Row | Plate, None, Float[np.ndarray, "units 2 height width"]]:
    """Test the two factors of the weights from a layer into units; return the factors' maps."""
    network = study.network
    layer = study.layer("maxpool1" if name == "conv2d2" else name)
    found = factors(network, layer, names)
    others = [
        factors(network, layer, study.siblings(names, draw))
        for draw in range(study.of(40, quick=20))
    ]
    correlations = found.opposition()
    chance = np.array([np.median(other.opposition()) for other in others])
    early = sum(not each.converged for each in (found, *others))
    fits = f"{early} fits of {1 + len(others)} did not converge" if early else "all fits converged"
    yield OPPOSED[name].found(
        f"{np.median(correlations):.3f}, from {correlations.min():.3f} to {correlations.max():.3f}",
        holds=bool(np.median(correlations) <= -0.9 and np.median(correlations) < chance.min()),
        interval=f"siblings: {chance.min():.3f} to {chance.max():.3f} in {len(chance)} draws",
        why=f"Median over {len(names)} detectors from {layer}; {fits}. Holds at -.9 or below, and "
        "below all draws.",
    )
    shares = [other.explained for other in others]
    yield EXPLAINED[name].found(
        f"{found.explained:.0%} of the squared weight".replace("%", " %"),
        holds=found.explained > max(shares),
        interval=f"siblings: {100 * min(shares):.0f} to {100 * max(shares):.0f} % in "
        f"{len(shares)} draws",
        why=f"{fits.capitalize()}. Holds above all draws.",
    )
    frequencies, responses = frequency_responses(network, found)
    means = responses.mean(1)
    middles = [preferred(frequencies, curve) for curve in means]
    high = int(np.argmax(middles))
    ratio = middles[high] / middles[1 - high]
    ratios = []
    for other in others[: study.of(20, quick=5)]:
        theirs = frequency_responses(network, other)[1].mean(1)
        pair = [preferred(frequencies, curve) for curve in theirs]
        ratios.append(max(pair) / min(pair))
    scaled = responses / responses.max()
    at = crossing(frequencies, *(means[[high, 1 - high]] / means.max()))
    yield TUNED[name].found(
        f"{middles[high]:.1f} and {middles[1 - high]:.1f} cycles in 40 px, ratio {ratio:.2f}; "
        + (f"they cross at {at:.1f}" if at == at else "they do not cross"),
        holds=ratio > max(ratios),
        interval=f"siblings: ratios {min(ratios):.2f} to {max(ratios):.2f}",
        why="Middles of the responses, averaged over orientation, in the logarithm of the "
        "frequency; holds where their ratio is above all draws.",
    )
    yield Plate(
        f"factor-responses-{name}",
        factor_responses(frequencies, {"high": scaled[high].T, "low": scaled[1 - high].T}, 40),
        f"Figures 7 and 8 from {network.name}: the two factors of {layer}, over the strongest "
        "response of either.",
    )
    if name == "conv2d2":
        units = [str(unit) for factor in (0, 1) for unit, _ in found.units(factor, 4)]
        thumbnails = study.thumbnails([*units, *names])
        yield Plate(
            "factors",
            factor_grid(found, thumbnails),
            f"The factors of {layer}: their strongest units, and where they excite (red) and "
            "inhibit (blue) each detector.",
        )
    return np.asarray(found.spatial.weight.numpy()[:, [high, 1 - high]])


def factors(network: Network, layer: str, names: Sequence[str]) -> Factors:
    """Factorize the weights from a layer into units in two."""
    return one_sided_nmf(expanded_weights(network, layer, names), 2, iterations=20_000)


def frequency_responses(
    network: Network, found: Factors
) -> tuple[np.ndarray, Float[np.ndarray, "2 turn frequency"]]:
    """Measure two factors' responses to patterns of one frequency."""
    stimuli = named("frequency-patterns").isel(orientation=slice(0, None, 10))
    field = min(network.layer(found.spatial.source).receptive_field)
    responses = measure(network, found.directions, stimuli.fix(size=min(field, 40)))
    values = responses.clip(min=0).transpose("unit", "orientation", "frequency").values
    return np.array(stimuli.axes["frequency"], float), values


def preferred(frequencies: np.ndarray, curve: np.ndarray) -> float:
    """Compute the mean of log frequency, weighted by the response above its least."""
    above = curve - curve.min()
    return float(np.exp((above * np.log(frequencies)).sum() / max(above.sum(), 1e-9)))
