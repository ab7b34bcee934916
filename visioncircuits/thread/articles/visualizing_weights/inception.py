"""The published units, in Google's network."""

from collections.abc import Iterator

from visioncircuits.networks import Unit
from visioncircuits.thread import Row, Study, inception, part
from visioncircuits.thread.tiles import FILE, matched, read_tiles
from visioncircuits.weights import expanded_weights, strongest_inputs

SHOWN = {
    figure: inception(
        f"the kernels of figure {figure.rpartition('Fig')[2]} are those of the network", published
    )
    for figure, published in {
        "VisualizingWeights Fig4": "147, 81, 145 to mixed3b:342",
        "VisualizingWeights Fig5": "8 × 8 curves, six kernels in doubt left out",
        "VisualizingWeights Fig9": "208, 210, 197, 214, 223 to mixed3b:208",
        "VisualizingWeights Fig11": "110, 112, 117, 70, 86 to mixed3b:345",
        "VisualizingWeights Fig12": "conv2d2:89 to 110, 112 and 345",
    }.items()
}
INPUTS = (58, 86, 59, 23, 92, 4, 178, 43, 36, 29, 38, 90, 70, 189, 67, 159, 54, 137)
TOP = inception(
    "the 18 strongest inputs of mixed3b:208 in conv2d2, and their middles, are those of figure 10",
    f"{', '.join(map(str, INPUTS))}; nine -1 to -.49, nine +.29 to +.68",
)
UNNAMED = inception("figure 13: nine units of conv2d1 orbit in mixed3b:268", "units not labeled")


@part(*SHOWN.values(), TOP, UNNAMED)
def in_google_s_network(study: Study) -> Iterator[Row]:
    """The published units, in Google's network."""
    network = study.inceptionv1()
    for figure, claim in SHOWN.items():
        yield matched(claim, network, read_tiles(study.published(FILE), figure))
    inputs = strongest_inputs(expanded_weights(network, "maxpool1", "mixed3b:208"), top=18)
    found = {each.source.index: each.kernel for each in inputs if isinstance(each.source, Unit)}
    shared = found.keys() & {*INPUTS}
    middles = {
        unit: float(kernel[kernel.shape[0] // 2, kernel.shape[1] // 2])
        for unit, kernel in found.items()
    }
    signs = [(middles[unit] < 0) == (unit in INPUTS[:9]) for unit in shared]
    yield TOP.found(
        f"{len(shared)} of 18, {sum(signs)} with the published sign",
        holds=len(shared) >= 16 and all(signs),
        why="By L2 norm; holds at 16 or more, all with their sign.",
    )
    yield UNNAMED.untestable("the figure does not name its units")
