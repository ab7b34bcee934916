"""The published units, in Google's network."""

from collections.abc import Iterator

from visioncircuits.comparison import odds, partners, reflection
from visioncircuits.thread import Row, Study, inception, part
from visioncircuits.thread.articles.equivariance.families import cut
from visioncircuits.thread.tiles import FILE, matched, read_tiles
from visioncircuits.thread.units import number
from visioncircuits.weights import expanded_weights, strongest_inputs

FIGURES = {
    figure: inception(
        f"the kernels of the figure {figure} are those of the network", f"{count} kernels"
    )
    for figure, count in {
        "curve-circuit matrix": 16,
        "circle/evolute": 32,
        "contrast->center": 8,
        "BW-color": 8,
        "line->circle/divergence": 6,
        "human-animal": 12,
    }.items()
}
LINES = inception(
    "color contrast of conv2d2 is among the inputs of lines of mixed3a (154, 101)", "shown"
)
HUES = inception(
    "hue detectors of mixed3b (271, 109, 420, 87, 89, 436) are the inputs of detectors of mixed4a "
    "(128, 35, 123, 174, 122, 180), each of its own hue",
    "shown",
)
GRID = inception(
    "32 color contrast units of conv2d2 are one another with hue and orientation turned",
    "8 × 4 units",
)
FLIPPED = inception(
    "units are one another mirrored", "mixed4a:222, 308; mixed3b:347, 327; mixed4d:429, 427"
)
MODEL = inception(
    "a network half of whose neurons come in 16 rotations can be trained", "no number"
)


@part(*FIGURES.values(), LINES, HUES, GRID, FLIPPED, MODEL)
def in_google_s_network(study: Study) -> Iterator[Row]:
    """The published units, in Google's network."""
    yield MODEL.untestable("it takes training; the article gives no accuracy either")
    network = study.inceptionv1()
    for figure, claim in FIGURES.items():
        tiles = read_tiles(study.published(FILE), f"Equivariance {figure}")
        yield matched(claim, network, (tile for tile in tiles if tile.source in network.layers))
    contrast = {*study.taxonomy().layers["conv2d2"]["Color Contrast"]}
    shares = []
    for unit in (154, 101):
        inputs = strongest_inputs(expanded_weights(network, "maxpool1", f"mixed3a:{unit}"), top=20)
        shares.append(sum(number(each.source) in contrast for each in inputs))
    chances = [odds(share, 20, len(contrast), 192) for share in shares]
    yield LINES.found(
        f"{shares[0]} and {shares[1]} of the 20 strongest inputs",
        holds=max(chances) <= 0.05,
        interval=f"chance {20 * len(contrast) / 192:.1f}, P = {max(chances):.1g}",
        why="Holds where both are more than chance gives, at P of .05 or less.",
    )
    sources = [f"mixed3b:{unit}" for unit in (271, 109, 420, 87, 89, 436)]
    targets = [f"mixed4a:{unit}" for unit in (128, 35, 123, 174, 122, 180)]
    sums = expanded_weights(network, sources, targets).weight.sum((2, 3)).numpy()
    own = int((sums.argmax(1) == range(len(sums))).sum())
    yield HUES.found(
        f"{own} of {len(sums)} are excited most by their own",
        holds=own >= 5,
        why="Sums of kernels, units in the article's order; holds at five of six.",
    )
    yield GRID.untestable("the places of units in the figure are not in the published data")
    agree = []
    for source, layer, pair in (
        ("mixed3b", "mixed4a", (222, 308)),
        ("mixed3a", "mixed3b", (347, 327)),
        ("mixed4c", "mixed4d", (429, 427)),
    ):
        patches = cut(study, max(network.layer(layer).receptive_field))
        found = partners(network, source, layer, patches, [reflection()], shuffles=1)
        agree.append(all(
            int(found["partner"].sel(unit=f"{layer}:{one}")[0]) == other
            for one, other in (pair, pair[::-1])
        ))  # fmt: skip
    yield FLIPPED.found(
        f"{sum(agree)} of {len(agree)} pairs",
        holds=all(agree),
        why="Each is the other's best partner by photographs and weights.",
    )
