from dataclasses import fields

import numpy as np
import pytest
import torch
from PIL import Image

from visioncircuits.datasets import photographs
from visioncircuits.errors import InputError
from visioncircuits.examples import (
    Examples,
    Photograph,
    collect,
    sampling,
)
from visioncircuits.networks import untrained

LAYERS = ["conv2d1", "mixed3a"]


@pytest.fixture(scope="module")
def network():
    return untrained("bvlc_googlenet", seed=2)


@pytest.fixture(scope="module")
def pictures():
    return torch.rand(11, 3, 96, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def labeled(pictures):
    return [(picture, place % 3) for place, picture in enumerate(pictures)]


@pytest.fixture(scope="module")
def found(network, labeled):
    return collect(network, LAYERS, photographs(labeled).at(96), top=4, batch=3)


@pytest.fixture(scope="module")
def values(network, pictures):
    return network.activations(pictures, [f"{layer}_pre_relu" for layer in LAYERS])


@pytest.mark.parametrize("layer", LAYERS)
def test_moments_and_counts_are_exact(found, values, layer):
    flat = values[f"{layer}_pre_relu"].transpose(0, 1).flatten(1).double().numpy()
    moments = found.layers[layer].moments
    assert moments.count == flat.shape[1]
    scale = np.abs(flat).max()
    assert np.allclose(moments.mean, flat.mean(1), atol=1e-6 * scale)
    assert np.allclose(moments.deviation, flat.std(1), rtol=1e-5, atol=1e-6 * scale)
    assert np.abs(moments.positive - (flat > 0).sum(1)).max() <= 2  # values near zero
    assert (found.layers[layer].counts.sum(1) == flat.shape[1]).all()


@pytest.mark.parametrize("layer", LAYERS)
def test_tops_are_the_strongest_and_bottoms_the_weakest_neurons(found, values, layer):
    maps = values[f"{layer}_pre_relu"].numpy()
    for places, sign in ((found.layers[layer].tops, 1), (found.layers[layer].bottoms, -1)):
        for unit in range(0, maps.shape[1], 7):
            each = (sign * maps[:, unit]).reshape(len(maps), -1).max(1)
            order = np.argsort(-each, kind="stable")[:4]
            assert places.pictures[unit].tolist() == order.tolist()
            assert np.allclose(sign * places.values[unit], each[order], rtol=1e-4, atol=1e-4)
            for value, picture, (row, column) in zip(
                places.values[unit], places.pictures[unit], places.positions[unit], strict=True
            ):
                assert maps[picture, unit, row, column] == pytest.approx(value, rel=1e-3, abs=1e-4)


def test_random_examples_have_their_values_and_cover_the_range(found, values):
    sample = found.layers["mixed3a"].sample
    maps = values["mixed3a_pre_relu"].numpy()
    units = sample.keys // sampling.PARTS
    at = maps[sample.pictures, units, sample.positions[:, 0], sample.positions[:, 1]]
    assert np.allclose(at, sample.values, rtol=1e-3, atol=1e-4)
    assert (sampling.part(sample.values) == sample.keys % sampling.PARTS).all()
    _, counts = np.unique(sample.keys, return_counts=True)
    assert counts.max() == sampling.KEPT


def test_batch_size_changes_only_the_last_digits(network, labeled, found):
    other = collect(network, LAYERS, photographs(labeled).at(96), top=4, batch=5)
    for layer in LAYERS:
        one, two = found.layers[layer], other.layers[layer]
        assert (one.tops.pictures == two.tops.pictures).all()
        assert np.allclose(one.moments.mean, two.moments.mean, atol=1e-4)
        assert np.abs(one.counts - two.counts).sum() < one.counts.sum() / 1000
        assert set(one.sample.pictures) == set(two.sample.pictures)


def test_reprs_are_one_line(found):
    layer = found.layers["mixed3a"]
    assert repr(found) == "Examples(conv2d1, mixed3a: 11 pictures, 0 skipped)"
    assert repr(layer) == (
        "LayerExamples(256 units, 4 strongest and weakest each, "
        f"{len(layer.sample.keys)} random neurons, 3 classes)"
    )
    assert repr(layer.tops) == "Places(256 units, 4 neurons each)"
    assert repr(layer.sample) == f"Sample({len(layer.sample.keys)} neurons)"
    assert repr(layer.moments) == f"Moments(256 units, {layer.moments.count} values each)"


def test_class_means_are_means_of_the_highest_activations(found, values):
    labels, means = found.layers["conv2d1"].class_means()
    assert labels == [0, 1, 2]
    highest = values["conv2d1_pre_relu"].clamp_min(0).flatten(2).amax(2).numpy()
    for label in labels:
        assert np.allclose(means[label], highest[label::3].mean(0), rtol=1e-4, atol=1e-5)


def test_drawn_examples_are_within_the_given_range(found):
    layer = found.layers["mixed3a"]
    low, high = layer.quantiles(np.array([0.2, 0.8]))[3]
    row = layer.drawn(3, low, high)
    assert row.values.size
    assert ((row.values >= low) & (row.values < high)).all()


def test_examples_are_the_same_after_saving_and_loading(found, tmp_path):
    path = tmp_path / "examples.npz"
    found.save(path)
    again = Examples.load(path)
    assert again.names == found.names
    assert again.record == found.record
    for layer in LAYERS:
        one, two = found.layers[layer], again.layers[layer]
        for name in ("tops", "bottoms", "sample", "moments"):
            for field in fields(getattr(one, name)):
                kept, loaded = (getattr(getattr(each, name), field.name) for each in (one, two))
                assert np.array_equal(kept, loaded)
                assert np.asarray(kept).dtype == np.asarray(loaded).dtype
        assert np.array_equal(one.counts, two.counts)
        assert all(np.array_equal(one.classes[label], two.classes[label]) for label in one.classes)


def test_names_are_those_of_pictures_with_examples(found):
    numbers = set().union(*(set(layer.pictures().tolist()) for layer in found.layers.values()))
    assert set(found.names) == numbers


def test_unreadable_pictures_are_skipped_and_listed(network, tmp_path):
    for place in range(3):
        Image.new("RGB", (80, 60), (place * 90, 0, 0)).save(tmp_path / f"{place}.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no")
    found = collect(network, ["conv2d1"], photographs(tmp_path), top=3)
    assert found.seen == 3
    assert len(found.skipped) == 1
    assert "broken.jpg" in found.skipped[0]
    assert found.names[0] == "0.png"


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "no feature is given"),
        (["mixed3c"], "unknown layer"),
        (["logits"], "has no positions"),
    ],
)
def test_invalid_layers_raise(network, labeled, layers, message):
    with pytest.raises(InputError, match=message):
        collect(network, layers, photographs(labeled).at(96))


def test_without_a_picture_raises(network):
    with pytest.raises(InputError, match="no photographs"):
        collect(network, ["conv2d1"], [])


@pytest.mark.parametrize("seed", [0, 1, 2**63, 2**64 - 1])
def test_every_seed_of_64_bits_draws_its_own_sample(network, labeled, seed):
    ours = (
        collect(network, ["conv2d1"], photographs(labeled[:2]).at(96), seed=seed)
        .layers["conv2d1"]
        .sample
    )
    other = (
        collect(network, ["conv2d1"], photographs(labeled[:2]).at(96), seed=seed ^ 5)
        .layers["conv2d1"]
        .sample
    )
    assert len(ours.numbers)
    assert not np.array_equal(ours.numbers, other.numbers)


@pytest.mark.parametrize(
    "wrong", [{"seed": -1}, {"seed": 2**64}, {"top": 0}, {"batch": 0}], ids=str
)
def test_numbers_out_of_range_raise(network, labeled, wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        collect(network, ["conv2d1"], photographs(labeled).at(96), **wrong)


def test_pictures_of_mixed_sizes_are_resized(network):
    sizes = [(96, 96), (100, 250), (300, 64), (7, 9)]
    found = collect(network, ["conv2d1"], photographs([torch.rand(3, *s) for s in sizes]).at(96))
    assert found.seen == 4


def test_photographs_of_different_sizes_raise(network):
    mixed = [Photograph("a", torch.rand(3, 32, 32)), Photograph("b", torch.rand(3, 40, 32))]
    with pytest.raises(InputError, match=r"b has shape \(3, 40, 32\), .* resize all to one size"):
        collect(network, ["conv2d0"], mixed)
