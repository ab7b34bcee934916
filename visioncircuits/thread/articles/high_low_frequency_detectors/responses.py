"""The family in a network: synthetic boundaries, and photographs."""

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from visioncircuits.examples.crops import crop
from visioncircuits.hypotheses import find
from visioncircuits.networks import Layer
from visioncircuits.pictures import read
from visioncircuits.stimuli import named
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import NEGATIVE, SHUFFLED, Claim, Unavailable
from visioncircuits.thread.spread import spanned
from visioncircuits.thread.units import numbers
from visioncircuits.tuning import boundary_maps, measure, orientation_tuning
from visioncircuits.weights import main_layers

HERE = here(
    "there is a family of high-low frequency detectors",
    "15, 6 %",
    stand_ins=(SHUFFLED, "handwritten high-low"),
)
DEPTH = here(
    "high-low frequency detectors are most frequent at about a third of a network's depth",
    "29 to 33 %, also of AlexNet, InceptionV4, ResNetV2-50",
    stand_ins=(SHUFFLED,),
)
AROUND = here(
    "high-low frequency detectors together cover all directions", "largest gap of six units 76°"
)
BROAD = here(
    "a high-low frequency detector responds to half of all boundaries", "47 to 51 % are zero"
)
SIDED = here(
    "the fine texture is on the side that a high-low frequency detector prefers, in photographs "
    "that excite it most",
    "examples are shown",
)


@part(HERE, DEPTH, AROUND, BROAD, SIDED, stand_ins=(*NEGATIVE, "handwritten high-low"))
def responses_here(study: Study) -> Iterator[Row | Plate]:
    """The family in this network.

    Units count as detectors if they pass the library's test: they respond to one half of all
    directions, prefer two frequencies to one, do so for other phases and sizes, and no edge, line
    or single texture activates them two thirds as much.
    """
    network, layer = study.network, study.layer("mixed3a")
    found = study.detectors("high-low", "mixed3a")
    names, total = found["unit"].tolist(), network.layer(layer).units
    blank = 0
    if not study.quick:
        blank = len(find(study.untrained(), layer, "high-low"))
    yield HERE.found(
        f"{len(names)}, {len(names) / total:.0%} of {layer}".replace("%", " %"),
        holds=len(names) > blank,
        interval="" if study.quick else f"untrained network: {blank}",
        why="The test holds its error rate over the layer to 5 %. Holds where they are more than "
        "in the untrained network, which a quick run leaves out.",
    )
    yield deepest(study)
    field = float(max(network.layer(layer).receptive_field))
    stimuli = named("high-low").fix(tile=field, size=round(field))
    step = study.of(5, quick=15)
    stimuli = stimuli.isel(
        orientation=slice(0, None, step), ratio=slice(0, None, 2 * step // 5 + 1)
    )
    responses = measure(network, names, stimuli)
    directions = orientation_tuning(responses)["mean"].values
    yield spanned(AROUND, directions, study.rng("directions"))
    yield halved(study, responses)
    order = np.argsort(directions)
    thumbnails = study.thumbnails(names)
    yield Plate(
        "responses",
        boundary_maps(responses.isel(unit=order), stimuli, thumbnails),
        f"Figure 3 from {network.name}: {len(names)} detectors of {layer}, by direction, each over "
        "its own strongest response.",
    )
    yield sided(study, SIDED, names, directions)


def deepest(study: Study) -> Row:
    """Test in which layer the share of detectors is largest, and how deep that is."""
    network = study.network
    main = main_layers(network)
    names = ("mixed3a", "mixed3b") if study.quick else ("mixed3a", "mixed3b", "mixed4a", "mixed4b")
    shares: dict[str, float] = {}
    for name in names:
        try:
            layer = study.layer(name)
        except Unavailable:
            continue
        shares[layer] = len(study.found("high-low", name)) / network.layer(layer).units
    most = max(shares, key=lambda layer: shares[layer])
    depth = (main.index(most) + 1) / len(main)
    return DEPTH.found(
        f"{most}: layer {main.index(most) + 1} of {len(main)}, {100 * depth:.0f} %",
        holds=0.25 <= depth <= 0.4,
        interval=", ".join(f"{layer} {100 * share:.1f} %" for layer, share in shares.items()),
        why="The main layer with the largest share of detectors among its units, of those shown; "
        "earlier ones see too little for the stimuli. Holds within 25 to 40 %.",
    )


def halved(study: Study, responses: xr.DataArray) -> Row:
    """Test how much of a map is zero."""
    rng = study.rng("halves")
    zero = (responses.values <= 0).mean((1, 2))
    drawn = [np.median(rng.choice(zero, len(zero))) for _ in range(2000)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return BROAD.found(
        f"median {100 * np.median(zero):.0f} % are zero, units {100 * zero.min():.0f} to "
        f"{100 * zero.max():.0f} %",
        holds=low <= 0.51 and high >= 0.47,
        interval=f"{100 * low:.0f} to {100 * high:.0f} % for the median",
        why="Same stimuli, in proportion to the receptive field; holds where the median's interval "
        "reaches into the published range.",
    )


def sided(study: Study, claim: Claim, names: Sequence[str], directions: np.ndarray) -> Row:
    """Test on which side of a detector's strongest examples the fine texture is."""
    network, layer = study.network, study.layer("mixed3a")
    examples, about = study.examples(), network.layer(layer)
    tops = examples.layers[layer].tops
    assert study.images is not None
    leanings = {}
    for detector, unit in enumerate(numbers(names)):
        shown = [
            (examples.names[int(picture)], (int(row), int(column)))
            for picture, (row, column) in zip(
                tops.pictures[unit], tops.positions[unit], strict=True
            )
            if picture >= 0 and whole(about, (int(row), int(column)), network.size)
        ][:9]
        places = [
            fine_side(crop(about, read(study.images / name, network.size), position))
            for name, position in shown
        ]
        if places:
            leanings[detector] = np.mean(places)
    if not leanings:
        return claim.untestable("no photograph shows the whole of what a detector sees")
    leaning, toward = np.angle(list(leanings.values())), np.radians(directions[list(leanings)])
    cosines = np.cos(leaning - toward)
    rng = study.rng("sides")
    order = rng.permuted(np.tile(np.arange(len(toward)), (2000, 1)), axis=1)
    low, high = np.quantile(np.cos(leaning - toward[order]).mean(1), (0.025, 0.975))
    return claim.found(
        f"{int((cosines > 0).sum())} of {len(cosines)} detectors, mean cosine {cosines.mean():.2f}",
        holds=bool(cosines.mean() > high),
        interval=f"directions shuffled: {low:.2f} to {high:.2f}",
        why=f"Nine strongest of {examples.seen} photographs each, of those where all that the "
        "detector sees is in the photograph; the middle of the contrast between neighboring "
        "pixels over the contrast of what is coarser, against the preferred direction of "
        "boundaries. Holds above 95 % of shuffles.",
    )


def whole(layer: Layer, position: tuple[int, int], size: int) -> bool:
    """Check whether a neuron sees nothing beyond a picture: its border would be a smooth side."""
    reach = (max(layer.receptive_field) - 1) / 2
    return all(reach <= middle <= size - 1 - reach for middle in layer.center(position))


def fine_side(picture: Float[Tensor, "3 side side"]) -> complex:
    """Compute the offset of fine texture from a picture's middle, right + i down, in sides.

    Examples
    --------
    >>> from visioncircuits.stimuli import high_low
    >>> sides = [fine_side(high_low(orientation=at, size=59).picture[0]) for at in (0.0, 90.0)]
    >>> np.degrees(np.angle(sides)).round().tolist()
    [0.0, 90.0]
    """
    gray = picture.mean(0, keepdim=True)[None]
    coarse = _blurred(gray, 5)
    fine, rough = (
        _blurred(detail.square(), 9).sqrt()[0, 0]
        for detail in (gray - coarse, coarse - _blurred(coarse, 15))
    )
    share = (fine / (fine + rough + 0.02)).double().numpy()
    share -= share.mean()
    places = np.linspace(-0.5, 0.5, len(share))
    return complex((share * places).sum(), (share * places[:, None]).sum()) / share.size


def _blurred(picture: Float[Tensor, "1 1 side side"], width: int) -> Float[Tensor, "1 1 side side"]:
    """Average over squares, of which only what is in the picture counts."""
    return avg_pool2d(picture, width, 1, width // 2, count_include_pad=False)
