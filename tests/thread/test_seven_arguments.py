"""The seven arguments of any unit; what has no data is left out with its reason."""

import numpy as np
import pytest
import torch
import xarray as xr
from PIL import Image

from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, untrained
from visioncircuits.stimuli import circle, named
from visioncircuits.stimuli.sets import StimulusSet
from visioncircuits.thread import SevenArguments, seven_arguments, seven_arguments_panel

FEW = named("lines").isel(orientation=slice(0, None, 6), width=slice(2))
QUICK = {"stimuli": FEW, "steps": 1, "size": 32, "thumbnails": {}}


@pytest.fixture(scope="module")
def network():
    return untrained("bvlc_googlenet")


@pytest.fixture(scope="module")
def found(network) -> SevenArguments:
    pictures = np.random.default_rng(0).random((3, 3, 224, 224), np.float32)
    return seven_arguments(network, "conv2d0:7", pictures, family=["conv2d0:9"], **QUICK)


def test_all_seven_have_data_and_a_letter(found):
    assert not found.missing
    texts = [text.get_text() for text in seven_arguments_panel(found).texts]
    assert [text for text in texts if text in tuple("abcdefgh")] == list("abcdefg")


def test_the_units_joint_tuning_peaks_in_the_middle_and_siblings_follow(found):
    assert found.joint["unit"].values.tolist() == ["conv2d0:7", "conv2d0:9"]
    assert float(found.joint["rotation"][int(np.argmax(found.joint[0].values))]) == 0


def test_what_has_no_data_is_left_out_with_its_reason(network):
    found = seven_arguments(network, "conv2d0:7", **QUICK)
    assert found.missing == {
        "dataset examples": "no photographs were given",
        "joint tuning": "there are no dataset examples to turn",
    }
    figure = seven_arguments_panel(found)
    texts = [text.get_text() for text in figure.texts]
    assert [text for text in texts if text in tuple("abcdefgh")] == list("abcde")
    assert "without dataset examples: no photographs were given" in texts


def test_mistakes_are_met_before_anything_is_computed(network):
    with pytest.raises(InputError, match="is a direction"):
        seven_arguments(network, Direction("conv2d0", (1.0,) * 64))
    with pytest.raises(InputError, match="axes orientation and one more, not radius"):
        seven_arguments(network, "conv2d0:7", stimuli=StimulusSet(circle, {"radius": (3, 5)}))
    with pytest.raises(InputError, match="steps must be"):
        seven_arguments(network, "conv2d0:7", steps=0)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_what_is_saved_is_loaded_as_it_was_and_draws_the_same_figure(found, tmp_path, suffix):
    loaded = SevenArguments.load(found.save(tmp_path / f"unit{suffix}"))
    assert (loaded.unit, loaded.missing, loaded.record) == (found.unit, {}, found.record)
    assert loaded.visualization == found.visualization
    for name in ("synthetic", "joint", "handwritten"):
        xr.testing.assert_identical(getattr(loaded, name), getattr(found, name))
    for name in ("inputs", "outputs"):
        for one, other in zip(getattr(loaded, name), getattr(found, name), strict=True):
            assert repr(one) == repr(other)
            assert torch.equal(one.kernel, other.kernel)
    assert seven_arguments_panel(loaded)._repr_png_() == found._repr_png_()
    loaded.save(tmp_path / "again.npz")


def test_what_is_left_out_and_pictures_of_units_are_saved_too(network, tmp_path):
    picture = Image.new("RGB", (5, 3), "red")
    few = SevenArguments("a:0", thumbnails={"b:1": picture}, missing={"use": "no layer"})
    loaded = SevenArguments.load(few.save(tmp_path / "few.nc"))
    assert loaded.thumbnails == {"b:1": picture}
    assert loaded.missing == few.missing
    assert loaded.visualization is None
    with pytest.raises(InputError, match="name it"):
        few.save(tmp_path / "few.pdf")
    with pytest.raises(InputError, match="cannot be read"):
        SevenArguments.load(tmp_path / "lost.npz")
