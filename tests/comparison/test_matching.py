import base64
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from PIL import Image
from torch import nn

from visioncircuits import datasets
from visioncircuits.comparison import (
    Matches,
    Overlap,
    match,
    matches_panel,
    overlap,
    pairs,
    pairs_panel,
)
from visioncircuits.comparison.matching import probes
from visioncircuits.datasets import Photograph, Photographs
from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Network, Preprocessing, wrap
from visioncircuits.stimuli import StimulusSet, edge
from visioncircuits.tuning import measure

EDGES = [StimulusSet(edge, {"orientation": range(0, 360, 30)})]


def network(seed: int, *, units: int = 6, stride: int = 2) -> Network:
    torch.manual_seed(seed)
    first = nn.Conv2d(3, units, 5, stride=stride, padding=2)
    return wrap(nn.Sequential(first, nn.ReLU()), Preprocessing(), name=f"random {seed}", size=16)


def shuffled(other: Network, order: list[int]) -> Network:
    """The same network with its units in another order."""
    first = nn.Conv2d(3, len(order), 5, stride=2, padding=2)
    first.weight.data = other.module[0].weight[order]
    first.bias.data = other.module[0].bias[order]
    return wrap(nn.Sequential(first, nn.ReLU()), Preprocessing(), name="shuffled", size=16)


def photographs(count: int) -> Photographs:
    generator = torch.Generator().manual_seed(count)
    return datasets.photographs(torch.rand(count, 3, 18, 18, generator=generator))


@pytest.fixture(scope="module")
def found() -> Matches:
    same = shuffled(network(0), [4, 2, 0, 5, 1, 3])
    return match(network(0), "1", same, "1", photographs(7), stimuli=EDGES, batch=3)


def test_a_networks_units_are_found_again_in_another_order(found: Matches) -> None:
    table = pairs(found).set_index("unit")
    order = [4, 2, 0, 5, 1, 3]
    for place, unit in enumerate(order):
        row = table.loc[f"1:{unit}"]
        assert row["partner"] == f"1:{place}"
        assert row["photographs"] == pytest.approx(1)
        assert row["stimuli"] == pytest.approx(1)
        assert row["mutual"]
        assert row["rank"] == 1
        assert row["chance"] < 0.5


@pytest.mark.parametrize("batch", [1, 2, 5, 16])
def test_streamed_correlations_are_those_of_all_photographs_at_once(batch: int) -> None:
    one, other = network(0), network(1, units=4)
    shown = photographs(5)
    found = match(one, "1", other, "1", shown, stimuli=EDGES, batch=batch)
    pictures = shown.pictures(16)
    ours, theirs = (
        each.activations(pictures, ["1"])["1"].double().numpy().transpose(1, 0, 2, 3)
        for each in (one, other)
    )
    for name, before in (("photographs", theirs), ("mismatched", np.roll(theirs, 1, 1))):
        both = [each.reshape(len(each), -1) for each in (ours, before)]
        expected = np.corrcoef(*both)[:6, 6:]
        np.testing.assert_allclose(found[name], expected, atol=1e-9, err_msg=name)


def test_grids_that_differ_are_compared_where_neurons_look_alike() -> None:
    fine = network(0, stride=1)
    coarse = network(0, stride=2)
    found = match(fine, "1", coarse, "1", photographs(6), stimuli=EDGES)
    np.testing.assert_allclose(np.diag(found["photographs"]), 1, atol=1e-6)


def test_on_stimuli_units_correlate_as_their_measured_responses_do() -> None:
    one, other = network(0), network(1)
    found = match(one, "1", other, "1", photographs(2), stimuli=EDGES)
    responses = [measure(each, "1", EDGES[0]).values for each in (one, other)]
    with np.errstate(invalid="ignore"):
        expected = np.nan_to_num(np.corrcoef(*responses)[:6, 6:])
    np.testing.assert_allclose(found["stimuli"], expected, atol=1e-6)


def test_units_that_never_vary_correlate_with_nothing() -> None:
    dead = network(2)
    dead.module[0].bias.data[3] = -100.0
    found = match(dead, "1", network(0), "1", photographs(4), stimuli=EDGES)
    assert not found["photographs"][3].any()
    assert not found["mismatched"][3].any()


def test_what_cannot_be_read_is_counted_and_two_photographs_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / f"{place}.png" for place in range(5)]
    for place, path in enumerate(paths):
        if place in (0, 4):
            path.write_bytes(b"no picture")
        else:
            noise = np.random.default_rng(place).integers(0, 256, (20, 20, 3), np.uint8)
            Image.fromarray(noise).save(path)
    counted: list[int] = []

    @contextmanager
    def bar(label: str, total: int, *, visible: bool) -> Iterator[Callable[[int], None]]:
        yield counted.append

    monkeypatch.setattr("visioncircuits.comparison.map_correlations.bar", bar)
    one, other = network(0), network(1)
    found = match(one, "1", other, "1", paths, stimuli=EDGES, batch=2)
    assert (found.record["seen"], found.record["skipped"]) == (3, 2)
    assert sum(counted) == 5
    without = match(one, "1", other, "1", paths[1:4], stimuli=EDGES)
    np.testing.assert_allclose(found["mismatched"], without["mismatched"])
    with pytest.raises(InputError, match="two photographs or more, and 1 can be read"):
        match(one, "1", other, "1", paths[3:], stimuli=EDGES)


def test_units_and_directions_are_matched_as_parts_of_their_layers() -> None:
    one, other = network(0), network(1)
    weights = (0.5, -1.0, 0.0, 2.0, 0.0, 0.0)
    whole = match(one, "1", other, "1", photographs(4), stimuli=EDGES)
    some = match(one, ["1:4", "1:0"], other, "1:3", photographs(4), stimuli=EDGES)
    for name in ("photographs", "mismatched", "stimuli"):
        np.testing.assert_allclose(some[name], whole[name].values[[4, 0]][:, [3]], atol=1e-9)
    assert some["unit"].values.tolist() == ["1:4", "1:0"]
    direction = match(one, Direction("1", weights), other, "1", photographs(4), stimuli=EDGES)
    pictures = photographs(4).pictures(16)
    ours = np.tensordot(weights, one.activations(pictures, ["1"])["1"].double(), (0, 1))
    theirs = other.activations(pictures, ["1"])["1"].double().transpose(0, 1).flatten(1)
    expected = [np.corrcoef(ours.ravel(), each)[0, 1] for each in theirs.numpy()]
    np.testing.assert_allclose(direction["photographs"][0], np.nan_to_num(expected), atol=1e-6)


def test_a_layer_without_positions_is_refused() -> None:
    pooled = wrap(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        Preprocessing(),
        size=16,
    )
    with pytest.raises(InputError, match="2 of network has no positions"):
        match(network(0), "1", pooled, "2", photographs(2), stimuli=EDGES)


def test_no_more_photographs_are_kept_than_a_batch_has(monkeypatch: pytest.MonkeyPatch) -> None:
    alive: set[int] = set()
    most = []

    def each(self: Photographs, size: int) -> Iterator[Photograph]:
        for place in range(len(self)):
            picture = torch.rand(3, size, size)
            alive.add(place)
            weakref.finalize(picture, alive.discard, place)
            photograph = Photograph(str(place), picture)
            del picture
            yield photograph
            del photograph
            most.append(len(alive))

    monkeypatch.setattr(Photographs, "at", each)
    match(network(0), "1", network(1), "1", photographs(30), stimuli=EDGES, batch=4)
    assert len(most) == 30
    assert max(most) <= 2 * 4 + 1


@pytest.mark.slow
def test_a_result_shows_its_panel_and_is_read_back(found: Matches, tmp_path: Path) -> None:
    xr.testing.assert_identical(Matches.load(found.save(tmp_path / "m.nc")), found)
    picture = base64.b64encode(matches_panel(found)._repr_png_()).decode()
    assert picture in found._repr_html_()


def test_parts_of_a_result_show_themselves_too(found: Matches) -> None:
    parts = (
        found[["stimuli"]], found.isel(unit=0), found.isel(unit=[]), found * np.nan,
        found.max("other"), found.transpose("other", "unit"),
    )  # fmt: skip
    for part in parts:
        assert "<" in part._repr_html_()


def test_partners_of_a_family_are_counted(found: Matches) -> None:
    message = overlap(pairs(found), ["1:0", "1:1"], ["1:2", "1:0"], width=6)
    assert message == Overlap(same=1, of=2, chance=2 / 3)


def test_panels_show_both_distributions_and_both_pictures(found: Matches) -> None:
    figure = matches_panel(found)
    heights = [sum(bar.get_height() for bar in bars) for axes in figure.axes
               for bars in axes.containers]  # fmt: skip
    np.testing.assert_allclose(heights, 1)
    table = pairs(found)[:3]
    pictures = {name: Image.new("RGB", (8, 8)) for name in found["unit"].values}
    drawn = pairs_panel(table, pictures, pictures)
    assert len(drawn.axes) == 6
    assert all(axes.images for axes in drawn.axes)
    with pytest.raises(InputError, match="no pair"):
        pairs_panel(table[:0], {}, {})


def test_probes_are_of_lines_textures_colors_and_frequencies() -> None:
    names = {family.name for family in probes()}
    assert {"curves", "noise", "color-contrast", "high-low"} <= names
    assert sum(map(len, probes())) < 2500
