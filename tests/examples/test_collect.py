import io
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from visioncircuits.errors import InputError
from visioncircuits.examples import (
    Examples,
    Photograph,
    collect,
    dataset,
    folder,
    sampling,
    shards,
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
def labelled(pictures):
    return [(picture, place % 3) for place, picture in enumerate(pictures)]


@pytest.fixture(scope="module")
def found(network, labelled):
    return collect(network, LAYERS, dataset(labelled, size=96), top=4, batch=3)


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
    assert np.abs(moments.positive - (flat > 0).sum(1)).max() <= 2  # values next to zero
    assert (found.layers[layer].counts.sum(1) == flat.shape[1]).all()


@pytest.mark.parametrize("layer", LAYERS)
def test_tops_are_the_strongest_and_bottoms_the_weakest_with_their_places(found, values, layer):
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


def test_random_examples_are_what_they_say_and_of_every_strength(found, values):
    sample = found.layers["mixed3a"].sample
    maps = values["mixed3a_pre_relu"].numpy()
    units = sample.keys // sampling.PARTS
    at = maps[sample.pictures, units, sample.positions[:, 0], sample.positions[:, 1]]
    assert np.allclose(at, sample.values, rtol=1e-3, atol=1e-4)
    assert (sampling.part(sample.values) == sample.keys % sampling.PARTS).all()
    _, counts = np.unique(sample.keys, return_counts=True)
    assert counts.max() == sampling.KEPT


def test_the_random_neurons_are_those_with_the_smallest_numbers():
    generator = np.random.default_rng(0)
    count = 2000
    everything = sampling.Sample(
        generator.integers(0, 9, count),
        np.arange(count, dtype=np.uint64)[generator.permutation(count)],
        generator.normal(size=count).astype(np.float32),
        generator.integers(0, 50, count),
        generator.integers(0, 9, (count, 2)),
    )
    kept = everything.joined(everything)
    for key in range(9):
        expected = np.sort(everything.numbers[everything.keys == key])[: sampling.KEPT]
        assert kept.numbers[kept.keys == key].tolist() == expected.tolist()


def test_batches_change_nothing_but_the_last_digits(network, labelled, found):
    other = collect(network, LAYERS, dataset(labelled, size=96), top=4, batch=5)
    for layer in LAYERS:
        one, two = found.layers[layer], other.layers[layer]
        assert (one.tops.pictures == two.tops.pictures).all()
        assert np.allclose(one.moments.mean, two.moments.mean, atol=1e-4)
        assert np.abs(one.counts - two.counts).sum() < one.counts.sum() / 1000
        assert set(one.sample.pictures) == set(two.sample.pictures)


def test_class_means_are_those_of_the_highest_activations(found, values):
    labels, means = found.layers["conv2d1"].class_means()
    assert labels == [0, 1, 2]
    highest = values["conv2d1_pre_relu"].clamp_min(0).flatten(2).amax(2).numpy()
    for label in labels:
        assert np.allclose(means[label], highest[label::3].mean(0), rtol=1e-4, atol=1e-5)


def test_a_row_of_a_quilt_lies_in_its_bin(found):
    layer = found.layers["mixed3a"]
    low, high = layer.quantiles(np.array([0.2, 0.8]))[3]
    row = layer.drawn(3, low, high)
    assert row.values.size
    assert ((row.values >= low) & (row.values < high)).all()


def test_what_is_saved_is_read_back(found, tmp_path):
    path = tmp_path / "examples.npz"
    found.save(path)
    again = Examples.load(path)
    assert again.names == found.names
    assert again.record == found.record
    for layer in LAYERS:
        one, two = found.layers[layer], again.layers[layer]
        for name in ("tops", "bottoms", "sample", "moments"):
            for key, array in vars(getattr(one, name)).items():
                assert np.array_equal(array, vars(getattr(two, name))[key])
        assert np.array_equal(one.counts, two.counts)
        assert all(np.array_equal(one.classes[label], two.classes[label]) for label in one.classes)


def test_names_are_kept_of_pictures_that_an_example_is_in(found):
    wanted = set().union(*(set(layer.pictures().tolist()) for layer in found.layers.values()))
    assert set(found.names) == wanted


def test_what_cannot_be_read_is_skipped_and_told(network, tmp_path):
    for place in range(3):
        Image.new("RGB", (80, 60), (place * 90, 0, 0)).save(tmp_path / f"{place}.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no")
    found = collect(network, ["conv2d1"], folder(tmp_path, size=64), top=3)
    assert found.seen == 3
    assert len(found.skipped) == 1
    assert "broken.jpg" in found.skipped[0]
    assert found.names[0] == "0.png"


def test_folders_can_be_classes(tmp_path):
    for name in ("cat/1.png", "dog/1.png", "dog/2.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (40, 40)).save(tmp_path / name)
    assert [photo.label for photo in folder(tmp_path, size=32, labels="folders")] == [0, 1, 1]


def test_tar_shards_are_read_with_their_classes(tmp_path):
    path = tmp_path / "shard-0.tar"
    with tarfile.open(path, "w") as archive:
        for stem in ("a", "b"):
            buffer = io.BytesIO()
            Image.new("RGB", (40, 40), "red").save(buffer, "JPEG")
            for name, content in ((f"{stem}.jpg", buffer.getvalue()), (f"{stem}.cls", b"7")):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    photos = list(shards([path], size=32))
    assert [(photo.name, photo.label) for photo in photos] == [
        ("shard-0.tar/a.jpg", 7),
        ("shard-0.tar/b.jpg", 7),
    ]
    assert photos[0].pixels is not None
    assert photos[0].pixels[0].mean() > 0.9


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        ([], "name a layer"),
        (["mixed3c"], "unknown layer"),
        (["logits"], "has no positions"),
    ],
)
def test_layers_that_cannot_be_told_of_are_refused(network, labelled, layers, told):
    with pytest.raises(InputError, match=told):
        collect(network, layers, dataset(labelled, size=96))


def test_without_a_picture_there_are_no_examples(network):
    with pytest.raises(InputError, match="no photographs"):
        collect(network, ["conv2d1"], [])


@pytest.mark.parametrize("seed", [0, 1, 2**63, 2**64 - 1])
def test_any_seed_of_64_bits_draws_others_without_a_warning(network, labelled, seed):
    ours = (
        collect(network, ["conv2d1"], dataset(labelled[:2], size=96), seed=seed)
        .layers["conv2d1"]
        .sample
    )
    other = (
        collect(network, ["conv2d1"], dataset(labelled[:2], size=96), seed=seed ^ 5)
        .layers["conv2d1"]
        .sample
    )
    assert len(ours.numbers)
    assert not np.array_equal(ours.numbers, other.numbers)


@pytest.mark.parametrize(
    "wrong", [{"seed": -1}, {"seed": 2**64}, {"top": 0}, {"batch": 0}], ids=str
)
def test_numbers_that_cannot_be_are_refused(network, labelled, wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        collect(network, ["conv2d1"], dataset(labelled, size=96), **wrong)


def test_pictures_of_8_bits_are_floats_between_0_and_1():
    values = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    forms = [values, values.transpose(2, 0, 1), torch.from_numpy(values).permute(2, 0, 1)]
    for each in dataset(forms, size=32):
        assert torch.allclose(each.pixels, torch.from_numpy(values).permute(2, 0, 1) / 255)


@pytest.mark.parametrize(
    "item",
    [
        (torch.rand(3, 40, 64), 5),
        [torch.rand(3, 40, 64), np.int64(5)],
        (torch.rand(3, 40, 64), torch.tensor(5), "where it was taken"),
        {"image": Image.new("RGB", (40, 64)), "label": 5, "caption": "a cat"},
        (np.zeros((64, 40), np.float32), 5),
    ],
    ids=["pair", "list", "triple", "mapping", "grey"],
)
def test_items_of_many_forms_are_taken(item):
    (found,) = dataset([item], size=32)
    assert found.pixels.shape == (3, 32, 32)
    assert found.label == 5


def test_pictures_of_mixed_sizes_go_through_together(network):
    sizes = [(96, 96), (100, 250), (300, 64), (7, 9)]
    found = collect(network, ["conv2d1"], dataset((torch.rand(3, *s) for s in sizes), size=96))
    assert found.seen == 4


def test_photographs_of_ones_own_are_of_one_size(network):
    mixed = [Photograph("a", torch.rand(3, 32, 32)), Photograph("b", torch.rand(3, 40, 32))]
    with pytest.raises(InputError, match=r"b is of \(3, 40, 32\), .* bring all to one size"):
        collect(network, ["conv2d0"], mixed)


def test_an_array_is_cut_as_the_same_picture_is():
    smooth = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
    image = Image.fromarray(smooth).resize((180, 120), Image.Resampling.BICUBIC)
    picture, array = dataset([image, np.asarray(image)], size=56)
    assert (picture.pixels - array.pixels).abs().max() < 0.03


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ((torch.rand(3, 8, 8), "cat"), "item 1 has the class 'cat'; a class is a whole number"),
        ({"pixels": 1}, "item 1 has no 'image' but 'pixels'"),
        (torch.randn(3, 8, 8), r"item 1 has values from -.* to .*; give pictures in \[0, 1\]"),
        (torch.full((3, 8, 8), torch.nan), "item 1 has values from nan"),
        (torch.zeros(3, 8, 8, dtype=torch.int32), "item 1 is of .* torch.int32; give pictures"),
        (torch.rand(8), r"item 1 is of \(8,\)"),
    ],
)
def test_items_that_are_no_pictures_are_refused_by_their_number(item, told):
    with pytest.raises(InputError, match=told):
        list(dataset([torch.rand(3, 8, 8), item], size=8))
