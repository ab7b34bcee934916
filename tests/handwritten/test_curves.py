import numpy as np
import pytest
import torch
from torch import Tensor

from visioncircuits.handwritten import curves, labels
from visioncircuits.networks import Network
from visioncircuits.stimuli import circle, curve, evolute, line

ORIENTATIONS = torch.arange(0, 360, 5, dtype=torch.float64)
RADII = (26.0, 58.0, 130.0, 290.0)


@pytest.fixture(scope="module")
def network(circuit) -> Network:
    return circuit("curves")


def tuning(network: Network, responses, *, every: int = 10, **style) -> Tensor:
    """Return the 24 curves' mean responses over radii: `(orientations, 24)`."""
    turns = ORIENTATIONS[:: every // 5]
    drawn = [curve(orientation=turns, radius=r, size=77, **style).picture for r in RADII]
    return torch.stack([responses(network, "mixed3b", p)[:, :24] for p in drawn]).mean(0)


def angle(one: float, other: float) -> float:
    return abs((one - other + 180) % 360 - 180)


def test_stages_are_as_published(network: Network) -> None:
    sizes = {stage.layer: stage.size for stage in network.module.stages}
    assert sizes == {"conv2d0": 7, "conv2d1": 1, "conv2d2": 3, "mixed3a": 3, "mixed3b": 5}
    found = [label for label in labels(network, "mixed3b") if label.kind == "curve"]
    assert [label.orientation for label in found] == [15.0 * step for step in range(24)]
    assert {label.curvature for label in found} == {1 / 60}


@pytest.mark.parametrize("layer", ["conv2d0", "conv2d1", "conv2d2", "mixed3a", "mixed3b"])
def test_rotated_units_have_exactly_rotated_kernels(network: Network, layer: str) -> None:
    kernels = network.module.operation(f"{layer}_pre_relu").weight
    targets = labels(network, layer)
    if layer == "conv2d0":
        sources = [0, 1, 2]
    else:
        before = labels(network, network.module.sources[f"{layer}_pre_relu"][0])
        sources = [before.index(label.rotated(90)) for label in before]
    for index, label in enumerate(targets):
        rotated = kernels[targets.index(label.rotated(90))][sources]
        assert torch.equal(rotated, kernels[index].rot90(-1, (1, 2)))


def test_rotated_pictures_excite_rotated_units(network: Network) -> None:
    picture = torch.rand(1, 3, 97, 97)
    upright = network.activations(picture, ["mixed3b"])["mixed3b"]
    rotated = network.activations(picture.rot90(-1, (2, 3)), ["mixed3b"])["mixed3b"]
    units = labels(network, "mixed3b")
    order = [units.index(label.rotated(90)) for label in units]
    torch.testing.assert_close(rotated[:, order], upright.rot90(-1, (2, 3)), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "style",
    [{}, {"fill": 1.0, "width": 0.0}, {"ink": "white", "ground": "black"}, {"ink": "red"}],
    ids=["line", "filled", "white on black", "red"],
)
def test_every_curve_prefers_its_orientation(network: Network, responses, style) -> None:
    tuned = tuning(network, responses, **style)
    for unit in range(24):
        vector = (tuned[:, unit] * torch.exp(1j * ORIENTATIONS[::2].deg2rad())).sum()
        assert angle(float(vector.angle().rad2deg()), 15.0 * unit) < 8


def test_curves_are_selective_and_do_not_echo(network: Network, responses) -> None:
    tuned = tuning(network, responses, every=5)
    for unit in range(24):
        response = tuned[:, unit] / tuned[:, unit].max()
        distance = np.array([angle(float(o), 15.0 * unit) for o in ORIENTATIONS])
        assert 30 <= 5 * int((response > 0.5).sum()) <= 75
        assert response[distance >= 150].max() <= 0.05
        assert response[(distance > 75) & (distance < 105)].max() <= 0.05


def test_curves_prefer_curves_to_straight_lines(network: Network, responses) -> None:
    turns = ORIENTATIONS[ORIENTATIONS < 180]
    straight = responses(network, "mixed3b", line(orientation=turns, size=77).picture)[:, :24]
    bent = [
        responses(
            network, "mixed3b", curve(orientation=ORIENTATIONS[::3], radius=r, size=77).picture
        )
        for r in RADII
    ]
    best = torch.stack(bent).amax((0, 1))[:24]
    assert (straight.amax(0) < 0.6 * best).all()
    preferred = [RADII[int(torch.stack(bent)[:, :, u].amax(1).argmax())] for u in range(24)]
    assert set(preferred) <= {58.0, 130.0}


class TestLeavingOut:
    """Each part of the network has a measurable purpose."""

    def test_without_inhibition_curves_echo(self, network: Network, responses) -> None:
        def echo(network: Network) -> float:
            tuned = tuning(network, responses, every=20)
            opposite = tuned.roll(9, 0)  # 180 degrees
            peaks = tuned.argmax(0)
            return float((opposite[peaks, range(24)] / tuned.amax(0)).median())

        without = curves(inhibition=0.0, early_inhibition=0.0)
        assert echo(network) < 0.05
        assert echo(without) > 0.2

    def test_without_phases_curves_depend_on_the_dark_side(
        self, network: Network, responses
    ) -> None:
        def asymmetry(network: Network) -> float:
            dark = tuning(network, responses, every=30, fill=1.0, width=0.0)
            bright = tuning(
                network, responses, every=30, fill=1.0, width=0.0, ink="white", ground="black"
            )
            return float((dark - bright).abs().sum() / (dark + bright).sum())

        assert asymmetry(network) < 0.02
        assert asymmetry(curves(phases=1)) > asymmetry(network)

    def test_without_color_curves_do_not_respond_to_isoluminant_edges(
        self, network: Network, responses
    ) -> None:
        style = {"fill": 1.0, "width": 0.0, "ink": (0.9, 0.3, 0.3), "ground": (0.1, 0.7, 0.7)}
        assert tuning(network, responses, every=30, **style).amax(0).min() > 0.2
        assert tuning(curves(hues=(None,)), responses, every=30, **style).max() < 0.02


class TestCircles:
    RADII = (12.0, 24.0, 32.0, 48.0)

    def test_circles_prefer_circles_of_their_size(self, circuit, responses) -> None:
        drawn = torch.cat([circle(radius=r, size=157).picture for r in self.RADII])
        found = responses(circuit("circles"), "mixed4a", drawn)
        assert (found[0] < 0.15 * found.amax(0)).all()
        small, _, large = found.T
        assert small[1] > large[1]
        assert large[3] > small[3]

    def test_circles_do_not_respond_to_an_arc_or_an_evolute(self, circuit, responses) -> None:
        network = circuit("circles")
        whole = responses(network, "mixed4a", circle(radius=32.0, size=157).picture)
        arcs = curve(radius=32.0, orientation=ORIENTATIONS[::6], size=157).picture
        faced_inwards = evolute(radius=32.0, size=157).picture
        assert (responses(network, "mixed4a", arcs) < 0.5 * whole).all()
        assert not responses(network, "mixed4a", faced_inwards).any()

    def test_evolutes_respond_to_evolutes_and_not_to_circles(self, circuit, responses) -> None:
        network = circuit("evolutes")
        assert (responses(network, "mixed4a", evolute(radius=40.0, size=157).picture) > 0.05).all()
        drawn = torch.cat([circle(radius=r, size=157).picture for r in self.RADII])
        assert not responses(network, "mixed4a", drawn).any()
