import dataclasses

import jaxtyping
import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.networks.preprocessing import CAFFE, IMAGENET, TENSORFLOW, Preprocessing


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What users run: no shape is checked but by the library itself."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.mark.parametrize("preprocessing", [IMAGENET, CAFFE, TENSORFLOW, Preprocessing()])
def test_a_picture_becomes_what_the_formula_says(preprocessing: Preprocessing) -> None:
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


def test_an_empty_batch_passes() -> None:
    assert IMAGENET(torch.rand(0, 3, 8, 8)).shape == (0, 3, 8, 8)


def test_gradients_are_those_of_the_formula() -> None:
    pictures = torch.rand(1, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(CAFFE, pictures)
    assert torch.autograd.gradcheck(IMAGENET, pictures)


def test_the_record_makes_the_same_preprocessing_again() -> None:
    assert Preprocessing(**CAFFE.record()) == CAFFE


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("pictures", "told"),
    [
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), r"not uint8; write pictures / 255"),
        (torch.zeros(1, 1, 8, 8), r"\(batch, 3, height, width\), not \(1, 1, 8, 8\)"),
        (torch.zeros(3, 8, 8), r"\(batch, 3, height, width\), not \(3, 8, 8\)"),
        (torch.zeros(1, 8, 8, 3), r"\(batch, 3, height, width\), not \(1, 8, 8, 3\)"),
    ],
)
def test_what_is_no_picture_is_refused(pictures: torch.Tensor, told: str) -> None:
    with pytest.raises(InputError, match=told):
        IMAGENET(pictures)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"range": (1.0, 1.0)}, "two different ends"),
        ({"mean": (1.0, 2.0)}, "mean has 2 values; give 1 or one for each of the 3"),
        ({"std": (1.0, 2.0, 3.0, 4.0)}, "std has 4 values"),
        ({"std": (1.0, 0.0, 1.0)}, "std must not be zero"),
        ({"order": "GBR"}, "'RGB', or 'BGR' where there are 3, not 'GBR' of 3"),
        ({"order": "BGR", "channels": 4}, "not 'BGR' of 4"),
    ],
)
def test_a_preprocessing_that_cannot_be_meant_is_refused(changes: dict, told: str) -> None:
    with pytest.raises(InputError, match=told):
        dataclasses.replace(Preprocessing(), **changes)
