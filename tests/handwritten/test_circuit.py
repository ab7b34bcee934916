from dataclasses import replace

import numpy as np
import pytest
import torch
from jaxtyping import Float64

from visioncircuits.errors import InputError
from visioncircuits.handwritten import Label, Stage, around, build, curves, labels
from visioncircuits.handwritten.circuit import PIXELS
from visioncircuits.handwritten.early_vision import longer_lines, merged
from visioncircuits.handwritten.plane import Positions
from visioncircuits.handwritten.rules import pooled, straight, wave
from visioncircuits.networks import Preprocessing, untrained, wrap

WAVES = Stage(
    layer="waves",
    units=[Label("gabor", turn, 180.0, phase=90.0, wavelength=6.0) for turn in (0.0, 60.0, 120.0)],
    rules={("pixel", "gabor"): wave(length=2.0, width=1.6)},
    size=7,
    stride=2,
    normalization=0.3,
)
LINES = Stage(
    layer="lines",
    units=around("line", 6, period=180.0),
    rules={("gabor", "line"): straight(spread=2.0, tolerance=30.0, inhibition=0.5)},
    size=3,
    threshold=0.05,
    pool=True,
)


def convolved(
    picture: Float64[np.ndarray, "sources height width"],
    kernels: Float64[np.ndarray, "targets sources size size"],
    stride: int,
) -> Float64[np.ndarray, "targets rows columns"]:
    """Multiply and add, position by position."""
    size = kernels.shape[-1]
    padded = np.pad(picture, [(0, 0), *[(size // 2, size // 2)] * 2])
    rows, columns = (-(-side // stride) for side in picture.shape[1:])
    out = np.zeros((len(kernels), rows, columns))
    for y in range(rows):
        for x in range(columns):
            window = padded[:, stride * y : stride * y + size, stride * x : stride * x + size]
            out[:, y, x] = (kernels * window).sum((1, 2, 3))
    return out


def by_hand(
    stage: Stage, sources: tuple[Label, ...], spacing: float
) -> Float64[np.ndarray, "targets sources size size"]:
    """Apply the stage's only rule to each pair of units, and scale the excitation."""
    (rule,) = stage.rules.values()
    positions = Positions.grid(stage.size, spacing)
    kernels = np.array([[rule(s, t, positions) for s in sources] for t in stage.units])
    best = np.maximum(kernels, 0).max(1).sum((1, 2))
    return kernels / best[:, None, None, None]


def test_a_network_computes_its_stages() -> None:
    picture = torch.rand(1, 3, 20, 20)
    expected = convolved(picture[0].double().numpy() - 0.5, by_hand(WAVES, PIXELS, 1.0), 2)
    expected = np.maximum(expected, 0)
    expected /= np.sqrt(0.3**2 + (expected**2).sum(0))
    expected = convolved(expected, by_hand(LINES, tuple(WAVES.units), 2.0), 1) - 0.05
    expected = np.maximum(expected, 0)
    found = build("test", [WAVES, LINES]).activations(picture, ["lines", "maxpool0"])
    np.testing.assert_allclose(found["lines"][0].numpy(), expected, atol=1e-5)
    pooled_ = torch.nn.functional.max_pool2d(found["lines"], 3, 2, ceil_mode=True)
    assert torch.equal(found["maxpool0"], pooled_)


def test_grids_equal_those_of_bvlc_googlenet() -> None:
    ours, theirs = curves(), untrained("bvlc_googlenet")
    for layer in ("conv2d0", "conv2d1", "conv2d2", "mixed3a", "mixed3b"):
        one, other = ours.layer(layer), theirs.layer(layer)
        assert (one.stride, one.shape) == (other.stride, other.shape)
        assert one.center((3, 5)) == other.center((3, 5))


def test_maximal_excitation_is_one() -> None:
    network = build("test", [replace(WAVES, normalization=None), replace(LINES, threshold=0.0)])
    kernel = network.module.operation("lines_pre_relu").weight.double()
    np.testing.assert_allclose(kernel.amax(1).clamp(min=0).sum((1, 2)), 1.0, rtol=1e-6)


def test_every_layer_has_the_labels_of_its_stage() -> None:
    network = build("test", [WAVES, LINES])
    assert labels(network, "waves_pre_relu") == tuple(WAVES.units)
    assert labels(network, "localresponsenorm0") == tuple(WAVES.units)
    assert labels(network, "maxpool0") == tuple(LINES.units)


def test_labels_of_another_network_raise() -> None:
    trained = wrap(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)), Preprocessing(), size=16)
    with pytest.raises(InputError, match="is not handwritten"):
        labels(trained, "0")


def test_labels_of_an_unknown_layer_raise() -> None:
    with pytest.raises(InputError, match="unknown layer 'line'; the nearest are 'lines'"):
        labels(build("test", [WAVES, LINES]), "line")


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([], "needs at least one stage"),
        ([WAVES, replace(LINES, layer="waves")], "two stages are named 'waves'"),
        ([WAVES, replace(LINES, units=[])], "'lines' has no units"),
        ([WAVES, replace(LINES, size=4)], "'lines' are 4 positions wide"),
        (
            [WAVES, replace(LINES, rules={("wave", "line"): pooled(width=1.0)})],
            "a rule from 'wave' to 'line', but connects gabor to line",
        ),
        ([WAVES, replace(LINES, rules={})], "nothing excites the unit line 0° of 'lines'"),
    ],
)
def test_invalid_stages_raise(stages: list[Stage], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build("test", stages)


class TestMerged:
    def test_weights_are_the_same_as_alone(self) -> None:
        other = replace(
            LINES,
            units=[Label("texture")],
            rules={("gabor", "texture"): pooled(width=2.0)},
        )
        both = build("both", [WAVES, merged(LINES, other)])
        kernels = both.module.operation("lines_pre_relu").weight
        for part, units in ((LINES, slice(0, 6)), (other, slice(6, 7))):
            alone = build("alone", [WAVES, part]).module.operation("lines_pre_relu").weight
            assert torch.equal(kernels[units], alone)

    def test_stages_of_different_shapes_raise(self) -> None:
        with pytest.raises(InputError, match="differ in more than units and rules"):
            merged(LINES, replace(LINES, size=5, rules={}))

    def test_two_rules_for_one_pair_of_kinds_raise(self) -> None:
        with pytest.raises(InputError, match="two stages of 'mixed3a' have a rule from 'line'"):
            merged(longer_lines("mixed3a", size=3), longer_lines("mixed3a", size=3))
