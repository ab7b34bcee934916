import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import visioncircuits
from visioncircuits.errors import InputError
from visioncircuits.featurevis import (
    NO_TRANSFORMS,
    Fourier,
    Laplacian,
    Maco,
    Objective,
    Pixels,
    Settings,
    Transforms,
    Transparent,
    accentuate,
    caricature,
    objectives,
    render,
    render_all,
    suited,
)
from visioncircuits.featurevis.parameterizations import Parameterization
from visioncircuits.featurevis.render import rendered
from visioncircuits.networks import Direction, Network, Unit

QUICK = Settings(size=32, steps=6, transforms=Transforms(jitter=2))
SHARP = Settings(size=32, steps=12, transforms=NO_TRANSFORMS, redirected_relu_steps=0)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(network: Network) -> None:
    found = [
        render(network, "shapes:1", settings=settings)
        for settings in (QUICK, QUICK, Settings(size=32, steps=6, seed=1))
    ]
    assert torch.equal(found[0].picture, found[1].picture)
    assert found[0].history == found[1].history
    assert not torch.equal(found[0].picture, found[2].picture)


def test_numbers_replace_those_of_the_settings_or_of_the_layers_own(network: Network) -> None:
    changed = render(network, "shapes:1", settings=QUICK, size=24, steps=5, seed=3)
    expected = render(network, "shapes:1", settings=replace(QUICK, size=24, steps=5, seed=3))
    assert torch.equal(changed.picture, expected.picture)
    assert changed.record == expected.record
    own = suited(network, "edges", steps=3)
    first, second = render_all(network, ["edges:1", "shapes:1"], steps=3)
    assert torch.equal(first.picture, render(network, "edges:1", settings=own).picture)
    assert second.record["settings"] == suited(network, "shapes", steps=3).record()
    with pytest.raises(InputError, match="steps must be a whole number"):
        render(network, "shapes:1", steps=0)
    with pytest.raises(InputError, match="size must be a whole number"):
        render_all(network, "shapes", size=-1)


def test_the_global_generator_is_not_used(network: Network) -> None:
    state = torch.random.get_rng_state()
    first = render(network, "shapes:1", settings=QUICK)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(99)
    assert torch.equal(render(network, "shapes:1", settings=QUICK).picture, first.picture)


BATCH = [
    "shapes:3",
    "edges:2",
    objectives.layer("edges"),
    objectives.unit("shapes:3") + objectives.diversity("shapes", 2),
    -objectives.unit("shapes:5"),
]


@pytest.mark.slow
@pytest.mark.parametrize("parameterization", [Fourier(), Transparent()], ids=["rgb", "rgba"])
def test_a_picture_does_not_depend_on_the_others_of_its_batch(
    network: Network, parameterization: Parameterization
) -> None:
    settings = Settings(
        size=32, steps=16, parameterization=parameterization, penalty=objectives.l2(1.0)
    )
    single = [v for each in BATCH for v in render_all(network, [each], settings=settings)]
    together = list(render_all(network, BATCH, settings=settings))
    backwards = list(render_all(network, BATCH[:1] + BATCH[-1:], settings=settings))
    assert len(single) == len(together) == 6
    for one, other in zip([*single, single[0], single[-1]], [*together, *backwards], strict=True):
        # Rounding grows with the steps; half a gray level is .002.
        torch.testing.assert_close(one.picture, other.picture, atol=2e-3, rtol=0)
        assert one.score == pytest.approx(other.score, rel=1e-2, abs=1e-3)
        assert one.objective == other.objective


def test_batches_keep_the_order_and_the_pictures_of_an_objective_together(
    network: Network,
) -> None:
    progress: list[int] = []
    found = list(rendered(network, BATCH, settings=QUICK, batch=2, advance=progress.append))
    assert [v.objective for v in found] == [
        "neuron shapes:3",
        "neuron edges:2",
        "layer edges",
        "unit shapes:3 + diversity shapes",
        "unit shapes:3 + diversity shapes",
        "-1·unit shapes:5",
    ]
    assert progress == [2] * 6 + [1] * 6 + [2] * 6 + [1] * 6
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


def test_alignment_makes_pictures_more_similar(network: Network) -> None:
    settings = Settings(
        size=32,
        steps=12,
        transforms=NO_TRANSFORMS,
        parameterization=Pixels(sd=2.0),
        redirected_relu_steps=0,
    )
    found = list(render_all(network, [objectives.alignment("shapes", 4)], settings=settings))
    assert sum(v.history[-1] for v in found) > 0.8 * sum(v.history[0] for v in found)


def test_the_score_and_the_activation_are_those_of_the_picture_itself(network: Network) -> None:
    found = render(network, objectives.unit("shapes:3"), settings=QUICK)
    shapes = network.activations(found.picture[None], ["shapes"])["shapes"][0, 3]
    assert found.score == pytest.approx(shapes.mean().item(), rel=1e-4)
    assert found.activation == pytest.approx(shapes.max().item(), rel=1e-4)
    assert found.feature == "shapes:3"


def test_the_score_is_that_of_the_picture_at_the_input_size(network: Network) -> None:
    settings = Settings(size=16, input_size=32, steps=4, transforms=NO_TRANSFORMS)
    found = render(network, objectives.unit("shapes:3"), settings=settings)
    enlarged = nn.functional.interpolate(found.picture[None], (32, 32), mode="bilinear")
    shapes = network.activations(enlarged, ["shapes"])["shapes"][0, 3]
    assert found.picture.shape == (3, 16, 16)
    # At its border the picture is blended with gray, which interpolation does not do.
    assert found.score == pytest.approx(shapes.mean().item(), rel=0.1)


@pytest.mark.parametrize("parameterization", [Pixels(), Fourier(), Laplacian(), Maco()], ids=repr)
def test_all_parameterizations_increase_a_units_activation(
    network: Network, parameterization: Parameterization
) -> None:
    settings = Settings(
        size=32,
        steps=12,
        transforms=NO_TRANSFORMS,
        redirected_relu_steps=0,
        parameterization=parameterization,
    )
    found = render(network, objectives.unit("shapes:3"), settings=settings)
    assert found.history[-1] > found.history[0]


@pytest.mark.parametrize("channels", ["one_channel", "four_channels"])
def test_pictures_have_the_networks_channels(channels: str, request: pytest.FixtureRequest) -> None:
    network = request.getfixturevalue(channels)
    found = render(network, objectives.unit("shapes:3"), settings=SHARP)
    assert found.picture.shape == (network.preprocessing.channels, 32, 32)
    assert found.history[-1] > found.history[0]


def test_the_opacity_of_transparent_pictures_depends_on_its_penalty(network: Network) -> None:
    def opacity(weight: float) -> float:
        settings = Settings(size=32, steps=12, rate=0.2, parameterization=Transparent())
        objective = objectives.neuron("shapes:3") + objectives.opacity(weight)
        picture = render(network, objective, settings=settings).picture
        assert picture.shape == (4, 32, 32)
        return picture[3].mean().item()

    assert opacity(100.0) < 0.45
    assert opacity(-100.0) > 0.55


def test_a_transparent_picture_is_scored_over_gray(network: Network) -> None:
    settings = Settings(size=32, steps=4, parameterization=Transparent())
    found = render(network, objectives.unit("shapes:3"), settings=settings)
    paint, alpha = found.picture[:3], found.picture[3]
    blended = (paint * alpha + 0.5 * (1 - alpha))[None]
    shapes = network.activations(blended, ["shapes"])["shapes"][0, 3]
    assert found.score == pytest.approx(shapes.mean().item(), rel=1e-4)


def test_optimization_starts_from_the_starting_picture(network: Network) -> None:
    start = torch.rand(1, 3, 32, 32) * 0.9 + 0.05
    for parameterization in (Pixels(), Fourier(), Laplacian()):
        settings = Settings(
            size=32, steps=1, rate=1e-6, start=start, parameterization=parameterization
        )
        found = render(network, "shapes:3", settings=settings)
        torch.testing.assert_close(found.picture, start[0], atol=1e-3, rtol=0)


@pytest.mark.parametrize("parameterization", [Fourier(), Transparent()], ids=["rgb", "rgba"])
def test_a_record_is_enough_to_make_the_picture_again(
    network: Network, parameterization: Parameterization
) -> None:
    settings = Settings(
        size=32,
        steps=4,
        seed=3,
        transforms=Transforms(jitter=1, crop=20),
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


def test_mistakes_are_raised_before_the_first_step(network: Network) -> None:
    progress: list[int] = []

    def start(*given: object, **options: object) -> None:
        rendered(network, given, advance=progress.append, **options)

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
    with pytest.raises(InputError, match="reads no activations"):
        start(objectives.l2(1.0))
    with pytest.raises(InputError, match="starting picture"):
        start("shapes:1", settings=Settings(size=32, start=torch.rand(1, 3, 16, 16)))
    assert progress == []


def test_a_layers_name_is_all_of_its_units_and_one_target_needs_no_list(network: Network) -> None:
    quick = replace(QUICK, size=16, steps=1)
    found = [v.feature for v in render_all(network, "shapes", settings=quick)]
    assert found == [f"shapes:{unit}" for unit in range(12)]
    for one in ("shapes:3", Unit("shapes", 3), objectives.neuron("shapes:3")):
        assert [v.feature for v in render_all(network, one, settings=quick)] == ["shapes:3"]
    with pytest.raises(InputError, match="'shapes' is not a unit"):
        render(network, "shapes", settings=quick)


def test_a_bar_counts_the_steps_of_all_pictures(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    list(render_all(network, ["shapes:3", "edges:2"], settings=QUICK, progress=True))
    steps = 2 * QUICK.steps
    assert f"steps: {steps} of {steps}" in capsys.readouterr().err
    render(network, "shapes:3", settings=QUICK)
    assert capsys.readouterr().err == ""


def test_records_are_a_line(network: Network) -> None:
    settings = replace(QUICK, start=torch.rand(1, 3, QUICK.size, QUICK.size))
    assert "start=tensor(1, 3, " in repr(settings)
    found = render(network, "shapes:3", settings=settings)
    assert max(len(repr(each)) for each in (found, settings)) < 200


@pytest.mark.slow
def test_default_settings_are_those_suited_to_each_layer(one_channel: Network) -> None:
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
def test_a_short_render_activates_real_units_more_than_photographs(
    checkpoints: Path, photographs: Path
) -> None:
    network = visioncircuits.load(
        "bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors"
    )
    units = [Unit("conv2d2", 40), Unit("mixed3a", 90), Unit("mixed3b", 413), Unit("mixed4a", 97)]
    paths = sorted(photographs.glob("*.JPEG"))[::40]
    layers = list(dict.fromkeys(unit.layer for unit in units))
    with torch.no_grad():
        responses = network.activations(torch.stack([photograph(path) for path in paths]), layers)
    best = [responses[unit.layer][:, unit.index].max().item() for unit in units]
    settings = Settings(size=96, steps=64)
    found = render_all(network, units, settings=settings)
    optimized = [visualization.activation for visualization in found]
    assert all(r > b for r, b in zip(optimized, best, strict=True)), (optimized, best)


@pytest.mark.parametrize("switched", [torch.no_grad, torch.inference_mode])
def test_a_picture_is_the_same_where_gradients_are_disabled(
    network: Network, switched: Callable[[], AbstractContextManager[None]]
) -> None:
    expected = render(network, "shapes:3", settings=QUICK)
    with switched():
        several = render_all(network, ["shapes:3", "shapes:2"], settings=QUICK, batch=1)
        found = [next(several)]
        assert not torch.is_grad_enabled()
        found += several
        picture = torch.rand(3, 32, 32)
        caricature(network, "shapes", picture, settings=QUICK)
        accentuate(network, "shapes", picture, settings=QUICK)
    assert found[0].picture.equal(expected.picture)
    assert len(found) == 2


def test_a_batch_size_of_0_is_refused(network: Network) -> None:
    with pytest.raises(InputError, match="batch must be a whole number of 1 or more, not 0"):
        render_all(network, ["shapes:3"], settings=QUICK, batch=0)
