"""On which side of a detector's strongest photographs the fine texture is."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from visioncircuits.handwritten import load
from visioncircuits.stimuli import high_low
from visioncircuits.thread import Study
from visioncircuits.thread.articles.high_low_frequency_detectors.responses import (
    SIDED,
    fine_side,
    sided,
    whole,
)

TURNS = torch.arange(0, 360, 45.0)


def test_the_fine_side_is_that_of_a_boundary_whatever_its_brightness() -> None:
    ramp = torch.linspace(0.2, 1, 59)[:, None]
    for at, picture in zip(TURNS, high_low(orientation=TURNS, size=59).picture, strict=True):
        for shown in (picture, picture * ramp):
            leaning = np.exp(1j * (np.angle(fine_side(shown)) - np.radians(float(at))))
            assert abs(np.degrees(np.angle(leaning))) < 10


def test_a_place_counts_where_all_that_a_neuron_sees_is_in_the_photograph() -> None:
    layer = load("high-low").layer("mixed3a")
    assert layer.receptive_field == (59, 59)
    reaches = [layer.center((row, 14))[0] for row in range(28) if whole(layer, (row, 14), 224)]
    assert 29 <= min(reaches) < 29 + layer.stride[0]
    assert 223 - 29 - layer.stride[0] < max(reaches) <= 223 - 29


def test_handwritten_detectors_prefer_the_side_of_fine_texture(tmp_path: Path) -> None:
    drawn = high_low(orientation=TURNS, ratio=4.0, tile=59, size=224).picture
    for number, picture in enumerate(drawn):
        pixels = (255 * picture).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    study = Study(load("high-low"), tmp_path / "measured", images=tmp_path, quick=True)
    names = [f"mixed3a:{unit}" for unit in range(0, 16, 2)]
    row = sided(study, SIDED, names, TURNS.numpy())
    assert row.status == "holds"
    assert row.measured.startswith("8 of 8 detectors, mean cosine ")
