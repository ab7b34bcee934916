import json
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from visioncircuits import pictures
from visioncircuits.attribution import Discovery, discover, discovery_panel
from visioncircuits.attribution.discovery import subsets
from visioncircuits.datasets import photographs
from visioncircuits.errors import InputError
from visioncircuits.interventions import constant, edited
from visioncircuits.networks import Direction, LayerGraph, Preprocessing, Step, load, wrap

STRONG, WEAK = (1, 4, 6), (9,)
"""The only units that the target hears, and one of them hardly."""


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder, generator = tmp_path_factory.mktemp("noise"), np.random.default_rng(0)
    found = []
    for number in range(12):
        coarse = generator.integers(0, 256, (9, 9, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((37, 37), Image.Resampling.BILINEAR)
        found.append(folder / f"{number:02}.png")
        picture.save(found[-1])
    return found


@pytest.fixture(scope="module")
def modules():
    torch.manual_seed(1)
    early, late = nn.Conv2d(3, 12, 3), nn.Conv2d(12, 2, 3)
    with torch.no_grad():
        before = late.weight[0].clone()
        late.weight[0] = 0
        late.weight[0, STRONG, :] = before[STRONG, :].abs()  # none undoes what another does
        late.weight[0, WEAK, :] = 0.02 * before[WEAK, :]
    return {"early": early, "relu": nn.ReLU(), "late": late}


@pytest.fixture(scope="module")
def network(modules):
    before, nodes = "input", {}
    for name, module in modules.items():
        nodes[name] = Step(module, (before,))
        before = name
    return wrap(LayerGraph(nodes, output=before), Preprocessing(), size=32)


@pytest.fixture(scope="module")
def found(network, paths):
    return discover(network, "relu", "late:0", paths, share=0.98, draws=3)


def test_the_units_with_strong_weights_to_the_feature_are_found(found):
    assert sorted(found.kept) == [f"relu:{unit}" for unit in STRONG]
    assert (found.explained >= 0.98).all()
    assert (found.correlation > 0.98).all()
    ranked = [str(part) for part in found.attribution["part"].values]
    assert set(ranked[:3]) == set(found.kept)
    assert ranked[3] == f"relu:{WEAK[0]}"
    assert not found.attribution[4:].any()


def test_what_they_keep_is_what_an_ablation_of_all_others_leaves(network, paths, found):
    shown = torch.stack([pictures.read(path, 32) for path in paths])
    early = network.activations(shown, ["relu", "late"])
    level = early["relu"][::2].mean((0, 2, 3))
    others = [unit for unit in range(12) if f"relu:{unit}" not in found.kept]
    with edited(network, [f"relu:{unit}" for unit in others], constant(level[others])):
        measured = network.activations(shown, ["late"])["late"][:, 0].numpy().astype(float)
    before = early["late"][:, 0].numpy().astype(float)
    for half, start in (("selection", 0), ("held-out", 1)):
        a, b = before[start::2], measured[start::2]
        expected = 1 - ((a - b) ** 2).mean() / a.var()
        assert float(found.explained.sel(half=half)) == pytest.approx(expected, abs=1e-6)
        correlation = np.corrcoef(a.ravel(), b.ravel())[0, 1]
        assert float(found.correlation.sel(half=half)) == pytest.approx(correlation, abs=1e-6)
    low, high = found.interval
    assert low < float(found.explained.sel(half="held-out")) < high


def test_attribution_is_the_mean_square_of_single_ablations_where_all_is_linear(
    network, paths, found
):
    shown = torch.stack([pictures.read(path, 32) for path in paths[::2]])
    early = network.activations(shown, ["relu", "late"])
    before = early["late"][:, 0]
    for unit in STRONG:
        mean = float(early["relu"][:, unit].mean())
        with edited(network, f"relu:{unit}", constant(mean)):
            measured = network.activations(shown, ["late"])["late"][:, 0]
        expected = float((measured - before).square().mean() / before.var(correction=0))
        ours = float(found.attribution.sel(part=f"relu:{unit}"))
        assert ours == pytest.approx(expected, rel=0.8)  # a few random signs a picture


def test_random_units_keep_less_and_all_keep_everything(found):
    assert found.random.max() < float(found.explained.sel(half="held-out"))
    assert found.curve["size"].values.tolist() == [1, 2, 3, 4, 6, 8, 11, 12]
    assert np.allclose(found.curve.sel(size=12), 1)
    assert np.allclose(found.random_curve.sel(size=12), 1)
    same = found.curve.sel(size=3, half="held-out")
    assert float(same) == pytest.approx(float(found.explained.sel(half="held-out")))
    assert np.allclose(found.random_curve.sel(size=3), found.random)


def test_a_module_that_is_no_graph_gives_the_same(modules, paths, found):
    other = wrap(nn.Sequential(*modules.values()), Preprocessing(), size=32)
    again = discover(other, "1", "2:0", paths, share=0.98, draws=3)
    assert [part.replace("1:", "relu:", 1) for part in again.kept] == list(found.kept)
    assert np.allclose(again.curve, found.curve, atol=1e-5)
    assert np.allclose(again.random_curve, found.random_curve, atol=1e-5)


def test_a_direction_is_explained_too(network, paths):
    direction = Direction("late", (2.0, 0.0), name="twice")
    found = discover(network, "relu", direction, paths, share=0.98, draws=2)
    assert sorted(found.kept) == [f"relu:{unit}" for unit in STRONG]


def test_a_seed_fixes_it_and_as_many_subsets_are_tried_as_were_announced(
    network, paths, found, monkeypatch
):
    tried, announced = [], []

    @contextmanager
    def counted(label, total, *, visible):
        announced.append(total)
        yield tried.append

    monkeypatch.setattr("visioncircuits.attribution.discovery.bar", counted)
    again = discover(network, "relu", "late:0", paths, share=0.98, draws=3, progress=True)
    assert announced == [sum(tried)] == [subsets(12, draws=3)]
    assert min(tried) >= 0
    assert again.kept == found.kept
    assert again.random_curve.equals(found.random_curve)


def test_it_shows_its_panel(found):
    assert found._repr_png_() == discovery_panel(found)._repr_png_()
    assert "3 of 12 units keep" in repr(found)


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_it_is_read_back_as_it_was_written(found, tmp_path, suffix):
    again = Discovery.load(found.save(tmp_path / f"found{suffix}"))
    for name in ("attribution", "explained", "random", "curve", "random_curve"):
        assert getattr(again, name).equals(getattr(found, name))
    for name in ("source", "target", "share", "kept", "interval"):
        assert getattr(again, name) == getattr(found, name)
    assert json.dumps(again.record) == json.dumps(found.record)


def test_a_panel_shows_each_curve_and_names_the_strongest(found):
    curve, bars = discovery_panel(found).axes
    assert [len(line.get_xdata()) for line in curve.lines[:3]] == [8, 8, 8]
    assert [label.get_text() for label in bars.get_yticklabels()] == [
        str(part) for part in found.attribution["part"].values[:3]
    ]


@pytest.mark.slow
def test_a_curve_detector_lives_on_a_part_of_its_bottleneck(checkpoints, request):
    network = load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")
    some = photographs(request.getfixturevalue("photographs"))
    some = some.part(range(0, len(some), 50))
    found = discover(network, "mixed3b_5x5_bottleneck", "mixed3b:413", some, draws=2)
    assert 5 < len(found.kept) < 25
    assert float(found.explained.sel(half="selection")) >= 0.9
    assert float(found.explained.sel(half="held-out")) > 0.8
    assert found.random.max() < 0.8


@pytest.mark.parametrize(
    ("source", "target", "options", "message"),
    [
        ("late", "late:0", {}, "does not depend on late"),
        ("late", "relu:0", {}, "does not depend on late"),
        ("relu", "late:2", {}, "units 0 to 1"),
        ("relu", "late:0", {"share": 1.0}, "between 0 and 1"),
    ],
)
def test_what_cannot_be_discovered_is_refused(network, paths, source, target, options, message):
    with pytest.raises(InputError, match=message):
        discover(network, source, target, paths, **options)


def test_photographs_of_one_activation_are_refused(network, paths):
    with pytest.raises(InputError, match="4 photographs or more"):
        discover(network, "relu", "late:0", paths[:3])
    with pytest.raises(InputError, match="has one activation on all"):
        discover(network, "relu", "late:0", torch.zeros(4, 3, 37, 37))
    with pytest.raises(InputError, match="late:direction is zero everywhere"):
        discover(network, "relu", Direction("late", (0.0, 0.0)), paths)
