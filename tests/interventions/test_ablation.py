from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from visioncircuits.datasets import photographs
from visioncircuits.errors import InputError
from visioncircuits.interventions import (
    Effects,
    Scores,
    ablate,
    ablation,
    damage,
    damage_by_class,
)
from visioncircuits.interventions.controls import control_directions
from visioncircuits.interventions.replacement import output_with
from visioncircuits.networks import Direction, Preprocessing, load, untrained, wrap

CURVES = ["mixed3b:413", "mixed3b:408", "mixed3b:321", "mixed3b:326", "mixed3b:386", "mixed3b:394"]


@pytest.fixture(scope="module")
def network(checkpoints):
    return load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")


@pytest.fixture(scope="module")
def some(request):
    folder = request.getfixturevalue("photographs")
    return photographs(folder).part(range(0, 1000, 45))


@pytest.mark.slow
def test_an_ablation_is_scored_as_the_network_itself_would_be(network, some):
    scores = ablate(network, CURVES, some, controls=1, batch=8)
    assert scores["condition"].values.tolist() == ["original", "ablated", "control 1"]
    pictures = some.pictures(224)
    with torch.inference_mode():
        logits = network(pictures).double()
    labels = torch.tensor(some.labels)
    expected = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    ours = scores["cross_entropy"].sel(condition="original").values
    assert np.allclose(ours, expected.numpy(), atol=1e-3)
    assert (scores["divergence"].sel(condition="original") == 0).all()
    assert (scores["divergence"].sel(condition="ablated") > 0).all()


@pytest.mark.slow
def test_the_damage_of_curves_is_larger_than_that_of_other_units(network, some):
    found = damage(ablate(network, CURVES, some, controls=2, batch=8))
    divergence = found["divergence"].sel(bound="mean")
    assert divergence.sel(condition="ablated") > 1.5 * divergence[2:].max()


@pytest.mark.parametrize("mode", ["mean", "resample"])
def test_mean_and_resample_ablation_change_something_too(network, some, mode):
    scores = ablate(network, CURVES, some.part(range(6)), mode=mode, controls=0, batch=3)
    assert (scores["divergence"].sel(condition="ablated") > 0).all()


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ([], "no feature is given"),
        (["mixed3a:1", "mixed3b:1"], "of one layer are needed"),
        (Direction("mixed3b", (1.0,) * 479), "has 479 weights, but mixed3b has 480 units"),
        (["mixed3b:480"], "units 0 to 479"),
    ],
)
def test_units_that_cannot_be_ablated_are_refused(some, units, message):
    with pytest.raises(InputError, match=message):
        ablate(untrained("bvlc_googlenet"), units, some)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(InputError, match="'zero', 'mean' or 'resample', not 'knockout'"):
        ablate(untrained("bvlc_googlenet"), "mixed3b:1", torch.rand(2, 3, 8, 8), mode="knockout")


@pytest.mark.parametrize("labels", ["none", [1, 0]])
def test_a_network_without_logits_is_refused_before_controls_are_drawn(labels, monkeypatch) -> None:
    monkeypatch.delattr(ablation, "control_draws")
    maps = wrap(nn.Conv2d(3, 4, 5), Preprocessing(), size=16)
    pictures = photographs(torch.rand(2, 3, 16, 16), labels=labels)
    with pytest.raises(InputError, match=r"gives \(4, 12, 12\) values a picture, not a logit"):
        ablate(maps, f"{maps.output}:1", pictures)


def test_a_string_names_one_unit_and_a_tensor_holds_photographs() -> None:
    some = photographs(torch.rand(3, 3, 64, 64), labels=[1, 2, 3])
    one, listed = (
        ablate(untrained("bvlc_googlenet"), units, some, controls=1)
        for units in ("mixed5b:7", ["mixed5b:7"])
    )
    assert one.identical(listed)
    assert one.record["removed"]["ablated"] == ["mixed5b:7"]


def test_an_ablated_direction_is_projected_out(monkeypatch) -> None:
    network, some = untrained("bvlc_googlenet"), torch.rand(2, 3, 64, 64)
    probe = Direction("mixed5b", torch.randn(1024), name="probe")
    drawn = control_directions(network, probe, seed=0)
    seen = []

    def noted(network, layer, values, *, pictures):
        seen.append(values)
        return output_with(network, layer, values, pictures=pictures)

    monkeypatch.setattr(ablation, "output_with", noted)
    scores = ablate(network, probe, photographs(some, labels=[1, 2]), controls=1)
    original, ablated, control = (maps.transpose(0, 1).flatten(1) for maps in seen)
    for left, vector in ((ablated, probe.vector(1024)), (control, drawn[0].vector(1024))):
        onto = torch.outer(vector, vector) / vector.norm() ** 2
        assert torch.allclose(left, original - onto @ original, atol=1e-5)
    assert scores.record["removed"]["ablated"] == [probe.record()]


def test_control_directions_keep_norms_branches_and_angles() -> None:
    network, rows = untrained("bvlc_googlenet"), torch.randn(2, 480)
    given = [Direction("mixed3b", row, name=str(place)) for place, row in enumerate(rows)]
    one, two = (each.vector(480) for each in control_directions(network, given, seed=3))
    assert not torch.equal(one, rows[0])
    for span in network.branches("mixed3b").values():
        places = list(span)
        assert torch.equal(one[places].sort().values, rows[0, places].sort().values)
    assert torch.allclose(one @ two, rows[0] @ rows[1], atol=1e-4)


def test_scores_show_their_damage_and_are_read_back(tmp_path: Path) -> None:
    some = photographs(torch.rand(3, 3, 64, 64), labels=[1, 2, 3])
    scores = ablate(untrained("bvlc_googlenet"), "mixed5b:7", some, controls=1)
    text = scores.summary().loc["ablated", "divergence"]
    mean, low, high = damage(scores)["divergence"].sel(condition="ablated").values
    assert text == f"{mean:+.3g} ({low:+.3g} … {high:+.3g})"
    assert text in scores._repr_html_()
    assert Scores.load(scores.save(tmp_path / "scores.nc")).identical(scores)
    found = damage(scores)
    assert Effects.load(found.save(tmp_path / "damage.nc")).identical(found)


def test_parts_of_scores_show_themselves_too() -> None:
    some = photographs(torch.rand(3, 3, 64, 64), labels=[1, 2, 3])
    scores = ablate(untrained("bvlc_googlenet"), "mixed5b:7", some, controls=1)
    parts = (
        scores[["top1"]], scores.mean("photograph"), scores.sel(condition="ablated"),
        scores.sel(condition=["ablated"]), scores.isel(photograph=[0]), scores.isel(photograph=[]),
        scores * np.nan, damage(scores).sel(bound="low"), damage(scores)[[]], scores[[]],
    )  # fmt: skip
    for part in parts:
        assert "<" in part._repr_html_()


def test_photographs_without_classes_are_scored_by_divergence_and_logits(network) -> None:
    pictures = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    unlabeled = ablate(network, "mixed5a:7", pictures, controls=2)
    labeled = ablate(network, "mixed5a:7", photographs(pictures, labels=[1, 2, 3, 4]), controls=2)
    assert list(unlabeled) == ["divergence", "logit"]
    assert "class" not in unlabeled.coords
    for name in unlabeled:
        np.testing.assert_array_equal(unlabeled[name].values, labeled[name].values)
    assert list(damage(unlabeled)) == ["divergence"]
    assert "divergence" in unlabeled._repr_html_()
    assert damage_by_class(unlabeled).attrs["measure"] == "logit"
    with pytest.raises(InputError, match="have no classes"):
        damage_by_class(unlabeled, measure="cross_entropy")
