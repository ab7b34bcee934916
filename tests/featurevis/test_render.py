import copy
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import visioncircuits
from visioncircuits.errors import InputError
from visioncircuits.featurevis import (
    STILL,
    Fourier,
    Laplacian,
    Maco,
    Objective,
    Pixels,
    Robustness,
    Settings,
    Transparent,
    accentuate,
    caricature,
    objectives,
    render,
    render_all,
    suited,
)
from visioncircuits.featurevis.parameterizations import Parameterization
from visioncircuits.featurevis.render import Adam, _generators
from visioncircuits.networks import Direction, Network, Preprocessing, Unit, wrap

QUICK = Settings(size=32, steps=6, robustness=Robustness(jitter=2))
SHARP = Settings(size=32, steps=12, robustness=STILL, redirected=0)


def test_the_optimizer_is_torchs_adam() -> None:
    ours, theirs = torch.randn(4, 5), torch.randn(4, 5)
    theirs.copy_(ours)
    adam = Adam([ours], 0.05, warmup=0)
    reference = torch.optim.Adam([theirs.requires_grad_()], lr=0.05)
    for step in range(20):
        gradient = torch.randn(4, 5) * 10.0 ** -(step % 4)
        adam.step([gradient])
        theirs.grad = gradient.clone()
        reference.step()
    torch.testing.assert_close(ours, theirs.detach())


def test_steps_lengthen_while_the_optimizer_warms_up() -> None:
    value = torch.zeros(1)
    adam = Adam([value], 0.5, warmup=4)
    walked = []
    for _ in range(6):
        before = value.clone()
        adam.step([torch.ones(1)])  # Adam's step along a steady gradient is its rate
        walked.append((before - value).item())
    assert walked == pytest.approx([0.125, 0.25, 0.375, 0.5, 0.5, 0.5], rel=1e-4)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(network: Network) -> None:
    found = [
        render(network, "shapes:1", settings=settings)
        for settings in (QUICK, QUICK, Settings(size=32, steps=6, seed=1))
    ]
    assert torch.equal(found[0].picture, found[1].picture)
    assert found[0].history == found[1].history
    assert not torch.equal(found[0].picture, found[2].picture)


def test_global_randomness_is_neither_used_nor_moved(network: Network) -> None:
    state = torch.random.get_rng_state()
    first = render(network, "shapes:1", settings=QUICK)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(99)
    assert torch.equal(render(network, "shapes:1", settings=QUICK).picture, first.picture)


MATES = [
    "shapes:3",
    "edges:2",
    objectives.layer("edges"),
    objectives.unit("shapes:3") + objectives.diversity("shapes", 2),
    -objectives.unit("shapes:5"),
]


def test_generators_depend_on_the_objective_and_the_seed_alone() -> None:
    wanted = objectives.neuron("shapes:3")
    alone = _generators([wanted], 5)
    among = _generators([objectives.layer("edges"), wanted], 5)
    assert torch.equal(alone[0].get_state(), among[1].get_state())
    assert not torch.equal(alone[0].get_state(), among[0].get_state())
    assert not torch.equal(alone[0].get_state(), _generators([wanted], 6)[0].get_state())


@pytest.mark.parametrize("parameterization", [Fourier(), Transparent()], ids=["rgb", "rgba"])
def test_a_picture_does_not_depend_on_its_batch_mates(
    network: Network, parameterization: Parameterization
) -> None:
    settings = Settings(
        size=32, steps=16, parameterization=parameterization, penalty=objectives.l2(1.0)
    )
    alone = [v for mate in MATES for v in render_all(network, [mate], settings=settings)]
    together = list(render_all(network, MATES, settings=settings))
    backwards = list(render_all(network, MATES[:1] + MATES[-1:], settings=settings))
    assert len(alone) == len(together) == 6
    for one, other in zip([*alone, alone[0], alone[-1]], [*together, *backwards], strict=True):
        # Rounding grows with the steps; half a gray level is .002.
        torch.testing.assert_close(one.picture, other.picture, atol=2e-3, rtol=0)
        assert one.score == pytest.approx(other.score, rel=1e-2, abs=1e-3)
        assert one.objective == other.objective


def test_batches_keep_the_order_and_the_pictures_of_an_objective_together(
    network: Network,
) -> None:
    moved = []
    found = list(render_all(network, MATES, settings=QUICK, batch=2, progress=moved.append))
    assert [v.objective for v in found] == [
        "neuron shapes:3",
        "neuron edges:2",
        "layer edges",
        "unit shapes:3 + diversity shapes",
        "unit shapes:3 + diversity shapes",
        "-1·unit shapes:5",
    ]
    assert moved == [2] * 6 + [1] * 6 + [2] * 6 + [1] * 6
    assert not torch.equal(found[3].picture, found[4].picture)
    assert list(render_all(network, [], settings=QUICK)) == []


RISING: dict[str, Callable[[], Objective]] = {
    "neuron": lambda: objectives.neuron("shapes:3"),
    "neuron at a place": lambda: objectives.neuron("shapes:3", (0, 0)),
    "unit": lambda: objectives.unit("shapes:3"),
    "negative": lambda: -objectives.unit("shapes_pre_relu:3"),
    "direction": lambda: objectives.direction(Direction("shapes", (1.0,) * 6 + (-1.0,) * 6)),
    "direction with cosine": lambda: objectives.direction(
        Direction("shapes", (1.0,) * 6 + (0.0,) * 6), cosine_power=2.0, middle=True
    ),
    "neuron of a direction": lambda: objectives.neuron(Direction("shapes", (1.0,) * 12)),
    "layer": lambda: objectives.layer("shapes"),
    "logit": lambda: objectives.logit(4),
    "callable": lambda: objectives.of(lambda a: a.layers["edges"][:, 2].std(), layers=["edges"]),
    "diversity": lambda: objectives.diversity("shapes", 3),
    "interpolation": lambda: objectives.interpolation(
        objectives.unit("shapes:3"), objectives.neuron("shapes:5"), 3
    ),
    "likeness": lambda: objectives.likeness("edges", torch.rand(8, 16, 16)),
    "sum": lambda: objectives.unit("shapes:3") + objectives.layer("edges"),
    "difference": lambda: objectives.unit("shapes:3") - 0.5 * objectives.unit("shapes:5"),
    "penalized": lambda: objectives.unit("shapes:3") + objectives.total_variation(0.1),
}


@pytest.mark.parametrize("case", RISING)
def test_objectives_rise_from_the_first_step_to_the_last(network: Network, case: str) -> None:
    objective = RISING[case]()
    found = list(render_all(network, [objective], settings=SHARP))
    assert len(found) == objective.pictures
    assert sum(v.history[-1] for v in found) > sum(v.history[0] for v in found)
    for visualization in found:
        assert len(visualization.history) == SHARP.steps
        assert visualization.dead is False
        assert visualization.picture.shape == (3, 32, 32)
        assert visualization.picture.min() >= 0
        assert visualization.picture.max() <= 1


def test_alignment_brings_together_what_begins_apart(network: Network) -> None:
    settings = Settings(
        size=32, steps=12, robustness=STILL, parameterization=Pixels(sd=2.0), redirected=0
    )
    found = list(render_all(network, [objectives.alignment("shapes", 4)], settings=settings))
    assert sum(v.history[-1] for v in found) > 0.8 * sum(v.history[0] for v in found)


def test_the_score_and_the_activation_are_those_of_the_picture_itself(network: Network) -> None:
    found = render(network, objectives.unit("shapes:3"), settings=QUICK)
    shapes = network.activations(found.picture[None], ["shapes"])["shapes"][0, 3]
    assert found.score == pytest.approx(shapes.mean().item(), rel=1e-4)
    assert found.activation == pytest.approx(shapes.max().item(), rel=1e-4)
    assert found.feature == "shapes:3"


def test_the_score_is_that_of_what_the_network_sees_at_its_input_size(network: Network) -> None:
    settings = Settings(size=16, input_size=32, steps=4, robustness=STILL)
    found = render(network, objectives.unit("shapes:3"), settings=settings)
    enlarged = nn.functional.interpolate(found.picture[None], (32, 32), mode="bilinear")
    shapes = network.activations(enlarged, ["shapes"])["shapes"][0, 3]
    assert found.picture.shape == (3, 16, 16)
    # The picture's rim blends into gray, which interpolation continues.
    assert found.score == pytest.approx(shapes.mean().item(), rel=0.1)


@pytest.mark.parametrize("parameterization", [Pixels(), Fourier(), Laplacian(), Maco()], ids=repr)
def test_all_parameterizations_drive_a_unit(
    network: Network, parameterization: Parameterization
) -> None:
    settings = Settings(
        size=32, steps=12, robustness=STILL, redirected=0, parameterization=parameterization
    )
    found = render(network, objectives.unit("shapes:3"), settings=settings)
    assert found.history[-1] > found.history[0]


@pytest.mark.parametrize("channels", ["one_channel", "four_channels"])
def test_pictures_have_the_networks_channels(channels: str, request: pytest.FixtureRequest) -> None:
    network = request.getfixturevalue(channels)
    found = render(network, objectives.unit("shapes:3"), settings=SHARP)
    assert found.picture.shape == (network.preprocessing.channels, 32, 32)
    assert found.history[-1] > found.history[0]


def test_transparent_pictures_become_as_opaque_as_is_worth_it(network: Network) -> None:
    def opacity(weight: float) -> float:
        settings = Settings(size=32, steps=12, rate=0.2, parameterization=Transparent())
        wanted = objectives.neuron("shapes:3") + objectives.opacity(weight)
        picture = render(network, wanted, settings=settings).picture
        assert picture.shape == (4, 32, 32)
        return picture[3].mean().item()

    assert opacity(100.0) < 0.45
    assert opacity(-100.0) > 0.55


def test_a_transparent_picture_is_scored_over_gray(network: Network) -> None:
    settings = Settings(size=32, steps=4, parameterization=Transparent())
    found = render(network, objectives.unit("shapes:3"), settings=settings)
    paint, alpha = found.picture[:3], found.picture[3]
    shown = (paint * alpha + 0.5 * (1 - alpha))[None]
    shapes = network.activations(shown, ["shapes"])["shapes"][0, 3]
    assert found.score == pytest.approx(shapes.mean().item(), rel=1e-4)


def test_a_starting_picture_is_where_it_begins(network: Network) -> None:
    start = torch.rand(1, 3, 32, 32) * 0.9 + 0.05
    for parameterization in (Pixels(), Fourier(), Laplacian()):
        settings = Settings(
            size=32, steps=1, rate=1e-6, start=start, parameterization=parameterization
        )
        found = render(network, "shapes:3", settings=settings)
        torch.testing.assert_close(found.picture, start[0], atol=1e-3, rtol=0)


def silent(*, weight: float) -> Network:
    """A network of which no unit is ever active on gray noise."""
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
    nn.init.constant_(module[0].weight, weight)
    nn.init.constant_(module[0].bias, -1.0)
    return wrap(module, Preprocessing(mean=(0.5,)), size=16)


def test_a_unit_that_no_gradient_reaches_is_dead() -> None:
    settings = Settings(size=16, steps=4, redirected=4)
    found = list(render_all(silent(weight=0.0), ["1:0", "1:1"], settings=settings))
    assert [v.dead for v in found] == [True, True]
    assert all(v.activation == 0 for v in found)
    assert render(silent(weight=1.0), "1:0", settings=settings).dead is False


def test_a_dead_unit_is_told_from_a_live_one_beside_it_and_despite_penalties() -> None:
    network = silent(weight=1.0)
    network.module[0].weight.data[0] = 0
    settings = Settings(size=16, steps=4, penalty=objectives.l2(1.0))
    wanted = [objectives.unit(f"1:{unit}") + objectives.l2(1.0) for unit in (0, 1)]
    assert [v.dead for v in render_all(network, wanted, settings=settings)] == [True, False]


def test_redirected_rectifiers_wake_a_unit_that_gray_leaves_silent() -> None:
    network = silent(weight=1.0)
    asleep = Settings(size=16, steps=30, robustness=STILL, redirected=0)
    awake = Settings(size=16, steps=30, robustness=STILL, redirected=16)
    assert render(network, "1:0", settings=asleep).dead
    assert render(network, "1:0", settings=asleep).activation == 0
    found = render(network, "1:0", settings=awake)
    assert not found.dead
    assert found.activation > 1


def test_a_unit_that_wakes_late_is_redirected_until_then_and_its_mate_no_longer() -> None:
    network = silent(weight=1.0)
    network.module[0].bias.data[0] = -40.0  # many steps away; white alone gives 27
    network.module[0].weight.data[0] = 4.0
    settings = Settings(size=16, steps=120, robustness=STILL, redirected=2)
    late, soon = render_all(network, ["1:0", "1:1"], settings=settings)
    assert late.history[20] == 0
    assert soon.history[20] > 0
    assert late.activation > 1
    alone = render(network, "1:1", settings=settings)
    torch.testing.assert_close(alone.picture, soon.picture, atol=1e-5, rtol=0)


def test_gradient_treatments_leave_the_network_as_it_was(network: Network) -> None:
    pictures = torch.rand(1, 3, 32, 32)
    before = network.activations(pictures, ["shapes", "logits"])
    settings = Settings(size=32, steps=3, averaged_pools=True)
    treated = render(network, "shapes:3", settings=settings)
    plain = render(network, "shapes:3", settings=Settings(size=32, steps=3))
    assert not torch.equal(treated.picture, plain.picture)
    after = network.activations(pictures, ["shapes", "logits"])
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(parameter.grad is None for parameter in network.module.parameters())
    assert not any(module._forward_hooks for module in network.module.modules())


@pytest.mark.parametrize("parameterization", [Fourier(), Transparent()], ids=["rgb", "rgba"])
def test_a_record_is_enough_to_make_the_picture_again(
    network: Network, parameterization: Parameterization
) -> None:
    settings = Settings(
        size=32,
        steps=4,
        seed=3,
        robustness=Robustness(jitter=1, crop=20),
        parameterization=parameterization,
        averaged_pools=True,
    )
    found = render(network, "shapes:3", settings=settings)
    data = json.loads(json.dumps(found.data()))
    assert data["record"] == found.record
    assert data["record"]["network"]["name"] == network.name
    assert data["record"]["version"] == visioncircuits.__version__
    again = render(
        network, data["feature"], settings=Settings.from_record(data["record"]["settings"])
    )
    assert torch.equal(again.picture, found.picture)
    assert again.data() == found.data()


def test_mistakes_are_met_before_anything_is_optimized(network: Network) -> None:
    moved: list[int] = []

    def start(*wanted: object, **options: object) -> None:
        render_all(network, wanted, progress=moved.append, **options)

    with pytest.raises(InputError, match="'shapes'"):
        start("edges:1", "shape:1")
    with pytest.raises(InputError, match="0 to 11"):
        start("shapes:12")
    with pytest.raises(InputError, match="0 to 11"):
        start(objectives.unit("shapes:12"))
    with pytest.raises(InputError, match="unknown layer"):
        start(objectives.layer("shape"))
    with pytest.raises(InputError, match="12 units"):
        start(objectives.direction(Direction("shapes", (1.0, 2.0))))
    with pytest.raises(InputError, match="asks the network nothing"):
        start(objectives.l2(1.0))
    with pytest.raises(InputError, match="starting picture"):
        start("shapes:1", settings=Settings(size=32, start=torch.rand(1, 3, 16, 16)))
    assert moved == []


def test_without_settings_every_layer_gets_those_that_suit_it(one_channel: Network) -> None:
    found = list(render_all(one_channel, ["edges:1", objectives.unit("edges:2"), "shapes:3"]))
    for visualization, layer in zip(found, ("edges", "edges", "shapes"), strict=True):
        assert visualization.record["settings"] == suited(one_channel, layer).record()


def photograph(path: Path) -> torch.Tensor:
    image = Image.open(path).convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.resize((224, 224), box=(left, top, left + side, top + side))
    return torch.tensor(np.asarray(image)).permute(2, 0, 1).float() / 255


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.images
def test_a_short_render_drives_real_units_harder_than_photographs(
    checkpoints: Path, photographs: Path
) -> None:
    network = visioncircuits.load(
        "bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors"
    )
    units = [Unit("conv2d2", 40), Unit("mixed3a", 90), Unit("mixed3b", 413), Unit("mixed4a", 97)]
    paths = sorted(photographs.glob("*.JPEG"))[::40]
    layers = list(dict.fromkeys(unit.layer for unit in units))
    with torch.no_grad():
        seen = network.activations(torch.stack([photograph(path) for path in paths]), layers)
    best = [seen[unit.layer][:, unit.index].max().item() for unit in units]
    settings = Settings(size=96, steps=64)
    found = render_all(network, units, settings=settings)
    reached = [visualization.activation for visualization in found]
    assert all(r > b for r, b in zip(reached, best, strict=True)), (reached, best)


@pytest.mark.parametrize("switched", [torch.no_grad, torch.inference_mode])
def test_a_picture_is_the_same_where_gradients_are_off(
    network: Network, switched: Callable[[], AbstractContextManager[None]]
) -> None:
    expected = render(network, "shapes:3", settings=QUICK)
    with switched():
        several = render_all(network, ["shapes:3", "shapes:2"], settings=QUICK, batch=1)
        found = [next(several)]
        assert not torch.is_grad_enabled()
        found += several
        wanted = torch.rand(3, 32, 32)
        caricature(network, wanted, "shapes", settings=QUICK)
        accentuate(network, wanted, "shapes", settings=QUICK)
    assert found[0].picture.equal(expected.picture)
    assert len(found) == 2


@pytest.mark.parametrize("parameter", ["weight", "bias"])
def test_a_unit_that_is_nan_is_dead_and_its_picture_is_one(
    network: Network, parameter: str
) -> None:
    module = copy.deepcopy(network.module)
    with torch.no_grad():
        getattr(module.get_submodule("shapes_pre_relu"), parameter)[1] = torch.nan
    found = render(wrap(module, network.preprocessing, size=32), "shapes:1", settings=QUICK)
    assert found.dead
    assert found.picture.isfinite().all()


def test_a_unit_that_is_nan_leaves_its_batch_alone(network: Network) -> None:
    module = copy.deepcopy(network.module)
    with torch.no_grad():
        module.get_submodule("shapes_pre_relu").bias[1] = torch.nan
    broken = wrap(module, network.preprocessing, size=32)
    _, expected = render_all(network, ["shapes:1", "shapes:3"], settings=QUICK)
    _, found = render_all(broken, ["shapes:1", "shapes:3"], settings=QUICK)
    assert not found.dead
    assert found.picture.equal(expected.picture)


def test_a_batch_of_none_is_refused(network: Network) -> None:
    with pytest.raises(InputError, match="batch must be a whole number of 1 or more, not 0"):
        render_all(network, ["shapes:3"], settings=QUICK, batch=0)
