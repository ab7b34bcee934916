import dataclasses
import json

import jaxtyping
import numpy as np
import pytest
import torch
from PIL import Image

from visioncircuits.errors import InputError
from visioncircuits.networks.preprocessing import CAFFE, IMAGENET, TENSORFLOW, Preprocessing


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable jaxtyping, as for users: only the library itself checks shapes."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.mark.parametrize("preprocessing", [IMAGENET, CAFFE, TENSORFLOW, Preprocessing()])
def test_the_input_is_that_of_the_formula(preprocessing: Preprocessing) -> None:
    pictures = np.random.default_rng(0).random((2, 3, 4, 5)).astype(np.float32)
    low, high = preprocessing.range
    expected = pictures[:, ::-1] if preprocessing.order == "BGR" else pictures
    mean = np.broadcast_to(preprocessing.mean, 3)[:, None, None]
    std = np.broadcast_to(preprocessing.std, 3)[:, None, None]
    expected = (low + expected * (high - low) - mean) / std
    found = preprocessing(torch.from_numpy(pictures))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


def test_the_mean_is_in_the_order_of_the_network() -> None:
    red = torch.tensor([1.0, 0, 0])[None, :, None, None]
    assert CAFFE(red).flatten().tolist() == [-104, -117, 255 - 123]


@pytest.mark.parametrize("channels", [1, 4])
def test_any_number_of_channels_is_taken(channels: int) -> None:
    preprocessing = Preprocessing(channels=channels, range=(-1, 1), std=(0.5,) * channels)
    found = preprocessing(torch.ones(1, channels, 2, 2))
    assert found.shape == (1, channels, 2, 2)
    assert (found == 2).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_precision_is_kept(dtype: torch.dtype) -> None:
    assert CAFFE(torch.rand(1, 3, 2, 2, dtype=dtype)).dtype == dtype


def test_an_empty_batch_is_allowed() -> None:
    assert IMAGENET(torch.rand(0, 3, 8, 8)).shape == (0, 3, 8, 8)


def test_gradients_are_those_of_the_formula() -> None:
    pictures = torch.rand(1, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(CAFFE, pictures)
    assert torch.autograd.gradcheck(IMAGENET, pictures)


def test_the_record_makes_an_equal_preprocessing() -> None:
    assert Preprocessing(**CAFFE.record()) == CAFFE


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), r"not uint8; write pictures / 255"),
        (torch.zeros(1, 1, 8, 8), r"\(batch, 3, height, width\), not \(1, 1, 8, 8\)"),
        (torch.zeros(3, 8, 8), r"\(batch, 3, height, width\), not \(3, 8, 8\)"),
        (torch.zeros(1, 8, 8, 3), r"\(batch, 3, height, width\), not \(1, 8, 8, 3\)"),
    ],
)
def test_other_inputs_than_pictures_raise(pictures: torch.Tensor, message: str) -> None:
    with pytest.raises(InputError, match=message):
        IMAGENET(pictures)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"range": (1.0, 1.0)}, "two different ends"),
        ({"mean": (1.0, 2.0)}, "mean has 2 values; give 1 or one for each of the 3"),
        ({"std": (1.0, 2.0, 3.0, 4.0)}, "std has 4 values"),
        ({"std": (1.0, 0.0, 1.0)}, "std must not be zero"),
        ({"order": "GBR"}, "'RGB', or 'BGR' where there are 3, not 'GBR' of 3"),
        ({"order": "BGR", "channels": 4}, "not 'BGR' of 4"),
    ],
)
def test_an_invalid_preprocessing_raises(changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        dataclasses.replace(Preprocessing(), **changes)


def test_numbers_may_be_single_or_in_any_sequence() -> None:
    one = Preprocessing(mean=(0.5,), std=(0.25,))
    assert Preprocessing(mean=0.5, std=np.float32(0.25)) == one
    assert Preprocessing(mean=torch.tensor(0.5), std=np.array([0.25])) == one
    several = Preprocessing(mean=[1, 2, 3], range=[0, 255])
    assert several == Preprocessing(mean=torch.tensor([1, 2, 3]), range=(0, 255))
    assert json.loads(json.dumps(several.record())) == {
        "range": [0, 255],
        "mean": [1, 2, 3],
        "std": [1],
        "order": "RGB",
        "channels": 3,
    }


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("mean", ["0.5", float("nan"), (0.1, None, 0.2), [[0.1], [0.2]]])
def test_values_that_are_not_numbers_raise(mean: object) -> None:
    with pytest.raises(InputError, match="mean must be a finite number"):
        Preprocessing(mean=mean)


def test_for_a_network_of_one_channel_colors_are_converted_as_by_pillow() -> None:
    values = np.random.default_rng(0).integers(0, 256, (7, 5, 3), np.uint8)
    expected = np.asarray(Image.fromarray(values).convert("L"), np.float32)
    pictures = torch.from_numpy(values).permute(2, 0, 1)[None] / 255
    found = Preprocessing(channels=1, range=(0, 255))(pictures)
    assert found.shape == (1, 1, 7, 5)
    assert np.abs(found[0, 0].numpy() - expected).max() < 1.0
    grey = pictures[:, :1]
    assert torch.allclose(Preprocessing(channels=1)(grey.expand(-1, 3, -1, -1)), grey, atol=1e-6)


def colors(batch: int = 2) -> torch.Tensor:
    return torch.rand(batch, 3, 5, 4, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_a_matrix_states_how_colors_become_other_channels(channels: int) -> None:
    matrix = np.random.default_rng(channels).normal(size=(channels, 3)).round(2)
    found = Preprocessing(channels=channels, from_rgb=matrix, range=(0, 2))(colors())
    expected = 2 * np.moveaxis(np.moveaxis(colors().numpy(), 1, -1) @ matrix.T, -1, 1)
    assert np.allclose(found.numpy(), expected, atol=1e-6)


def test_a_function_states_how_colors_become_other_channels_and_carries_gradients() -> None:
    def opponent(pictures: torch.Tensor) -> torch.Tensor:
        return torch.stack([pictures.mean(1), pictures[:, 0] - pictures[:, 1]], 1)

    pictures = colors().requires_grad_()
    found = Preprocessing(channels=2, from_rgb=opponent, std=(0.5, 0.25))(pictures)
    assert torch.equal(found, opponent(colors()) / torch.tensor([0.5, 0.25])[:, None, None])
    found.sum().backward()
    assert pictures.grad is not None
    assert (pictures.grad != 0).all()


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_pictures_of_the_networks_channels_are_used_as_they_are(channels: int) -> None:
    pictures = torch.rand(2, channels, 4, 4)
    stated = Preprocessing(channels=channels, from_rgb=[[9.0, 9.0, 9.0]] * channels)
    assert torch.equal(stated.to_channels(pictures), pictures)


def test_colors_for_a_network_of_other_channels_are_refused_with_what_to_state() -> None:
    with pytest.raises(InputError, match=r"from_rgb=…\): 4 rows of 3 weights, or a function"):
        Preprocessing(channels=4)(colors())


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("channels", "from_rgb", "message"),
    [
        (3, [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "another number of channels than 3"),
        (2, [[1, 0, 0]], "one row of 3"),
        (2, [[1, 0], [0, 1]], "one row of 3"),
        (2, [[1, 0, 0], [0, float("nan"), 0]], "from_rgb must be a finite number"),
    ],
)
def test_weights_of_another_shape_raise(channels: int, from_rgb: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Preprocessing(channels=channels, from_rgb=from_rgb)


def test_a_function_that_returns_another_shape_raises() -> None:
    with pytest.raises(InputError, match=r"must return pictures of shape \(2, 2, 5, 4\)"):
        Preprocessing(channels=2, from_rgb=lambda pictures: pictures)(colors())


def test_records_hold_the_conversion() -> None:
    weighted = Preprocessing(channels=2, from_rgb=torch.tensor([[1.0, 0, 0], [0, 0, 1]]))
    back = json.loads(json.dumps(weighted.record()))
    assert Preprocessing(**back) == weighted
    one, other = (
        Preprocessing(channels=2, from_rgb=lambda x, part=part: x[:, part : part + 2]).record()
        for part in (0, 1)
    )
    assert json.dumps(one) != json.dumps(other)
    assert set(one["from_rgb"]) == {"function", "sha256"}
