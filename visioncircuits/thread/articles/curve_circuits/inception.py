"""The published units, in Google's network."""

from collections.abc import Iterator

from visioncircuits.thread import Plate, Row, Study, inception, part
from visioncircuits.thread.units import numbers
from visioncircuits.weights import expanded_weights, strongest_inputs, strongest_outputs

PAIRS = ((147, 379), (189, 406), (81, 385), (104, 343), (92, 342), (145, 388), (95, 324),
         (71, 340), (71, 330), (147, 349))  # fmt: skip
OPPOSED = ((145, 379), (71, 385), (147, 342), (81, 330))
DIAGONAL = inception(
    "early curves excite the curve of their orientation in ten pairs: mixed3a 147→379, 189→406, …",
    "all excite",
)
NEGATIVE = inception(
    "early curves inhibit the opposed curve in four pairs: 145→379, 71→385, 147→342, 81→330",
    "all inhibit",
)
SIGNS = inception(
    "mixed3b:406 has opposite weights from lines 27 and 187 and from 154 and 57", "opposite signs"
)
STRONGEST = inception(
    "families have the published shares at the strongest position of mixed3b:379",
    "conv2d0 Gabor 65, Color contrast 21; conv2d1 Complex Gabor 54, Gabor-like 23, Low frequency "
    "19; conv2d2 Line 47, Color contrast 19, Shifted line 9; mixed3a Curves 22, Lines 16, Angles "
    "16 %",
)
INPUTS = inception(
    "the ten strongest inputs of mixed3b:379 in mixed3a are those of Captum's notebook",
    "95, 145, 147, 116, 77, 176, 187, 189, 87, 92",
)
OUTPUTS = inception(
    "the ten strongest outputs of mixed3b:379 in mixed4a are those of Captum's notebook",
    "50, 437, 96, 398, 434, 423, 408, 436, 424, 168",
)
SHARED = {
    "conv2d0": {"Gabor Filters": 65, "Color Contrast": 21},
    "conv2d1": {"Complex Gabor": 54, "Gabor Like": 23, "Low Frequency": 19},
    "conv2d2": {"Line": 47, "Color Contrast": 19, "Shifted Line": 9},
    "mixed3a": {"Curves": 22, "Lines": 16, "Angles": 16},
}


@part(DIAGONAL, NEGATIVE, SIGNS, INPUTS, OUTPUTS, STRONGEST)
def by_number(study: Study) -> Iterator[Row | Plate]:
    """Google's own units.

    Kernels between the units that the article names.
    """
    network = study.inceptionv1()
    targets = sorted({target for _, target in (*PAIRS, *OPPOSED)} | {406})
    weights = expanded_weights(network, "mixed3a", [f"mixed3b:{unit}" for unit in targets])
    sums = dict(zip(targets, weights.weight.sum((2, 3)).numpy(), strict=True))
    exciting = sum(sums[target][source] > 0 for source, target in PAIRS)
    yield DIAGONAL.found(f"{exciting} of {len(PAIRS)} excite", holds=exciting == len(PAIRS))
    inhibiting = sum(sums[target][source] < 0 for source, target in OPPOSED)
    yield NEGATIVE.found(f"{inhibiting} of {len(OPPOSED)}", holds=inhibiting == len(OPPOSED))
    one, other = ([f"{sums[406][u]:+.2f}" for u in units] for units in ((27, 187), (154, 57)))
    signs = [{text[0] for text in texts} for texts in (one, other)]
    yield SIGNS.found(
        f"{', '.join(one)} against {', '.join(other)}",
        holds=[len(each) for each in signs] == [1, 1] and signs[0] != signs[1],
    )
    above = strongest_inputs(expanded_weights(network, "mixed3a", "mixed3b:379"), top=10)
    below = strongest_outputs(expanded_weights(network, "mixed3b:379", "mixed4a"), top=10)
    for claim, found in (
        (INPUTS, [connection.source for connection in above]),
        (OUTPUTS, [connection.target for connection in below]),
    ):
        listed = ", ".join(map(str, numbers(found)))
        yield claim.found(listed, holds=listed == claim.published)
    taxonomy = study.taxonomy()
    shares, close = [], []
    for layer, families in SHARED.items():
        strength = expanded_weights(network, layer, "mixed3b:379").weight[0].abs().flatten(1)
        at = strength[:, strength.sum(0).argmax()]
        for family, published in families.items():
            units = [unit.index for unit in taxonomy.units(layer, family)]
            share = 100 * float(at[units].sum() / at.sum())
            shares.append(f"{layer} {family} {share:.0f}")
            close.append(abs(share - published) <= 10)
    yield STRONGEST.found(
        ", ".join(shares) + " %",
        holds=all(close),
        why="Shares of the absolute expanded weights; the article's metric is not stated, so ten "
        "points of a hundred are allowed.",
    )
