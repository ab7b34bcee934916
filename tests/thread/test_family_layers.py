"""The layers of another network that have most of a family take the places of InceptionV1's."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from visioncircuits import networks
from visioncircuits.errors import InputError
from visioncircuits.networks import untrained
from visioncircuits.thread import Study
from visioncircuits.thread.family_layers import placed
from visioncircuits.thread.layers import named

CURVES = {"features.4": 4, "features.6": 2, "features.7": 10, "features.9": 9, "features.10": 6}
"""How many SqueezeNet has in its main layers."""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study of a network that has so many detectors of any family."""

    def found(self: Study, family: str, layer: str) -> pd.DataFrame:
        if layer == "features.3":
            raise InputError("it is too early")
        return pd.DataFrame({"unit": [f"{layer}:{unit}" for unit in range(CURVES.get(layer, 0))]})

    monkeypatch.setattr(Study, "found", found)
    return Study(untrained("torchvision:squeezenet1_1"), tmp_path)


def test_the_layer_with_most_is_taken(study: Study) -> None:
    chosen = placed(study, {"mixed3b": "curve"})
    assert chosen.layer("mixed3b") == "features.7"
    found = chosen.counterparts["mixed3b"].found
    assert found["features.7"] == 10
    assert found["features.9.squeeze_activation"] == 0


def test_two_layers_of_a_family_are_chosen_together_and_in_order(study: Study) -> None:
    chosen = placed(study, {"mixed3a": "curve", "mixed3b": "curve"})
    assert [chosen.layer(name) for name in ("mixed3a", "mixed3b")] == ["features.7", "features.9"]


def test_other_layers_keep_the_order(study: Study) -> None:
    chosen = placed(study, {"mixed3b": "curve"})
    assert chosen.layer("mixed3a") == "features.6"
    depth = list(study.network.layers).index
    assert depth(chosen.layer("mixed4a")) > depth("features.7")


def test_what_a_user_names_stays(study: Study) -> None:
    given = replace(study, counterparts=named(study.network, {"curves": "features.9"}))
    chosen = placed(given, {"mixed3a": "curve", "mixed3b": "curve"})
    assert chosen.layer("mixed3b") == "features.9"
    assert chosen.layer("mixed3a") == "features.7"
    assert chosen.counterparts["mixed3b"].why == "as named for this run."


def test_where_none_is_found_the_receptive_field_decides(study: Study) -> None:
    chosen = placed(study, {"mixed4c": "curve"})
    assert not any(chosen.counterparts["mixed4c"].found.values())
    assert chosen.layer("mixed4c") == study.layer("mixed4c")
    assert "no curve detectors in" in chosen.counterparts["mixed4c"].why


def test_layers_too_early_for_a_family_are_left_out(study: Study) -> None:
    found = placed(study, {"conv2d2": "line"}).counterparts["conv2d2"].found
    assert "features.3" in study.layers("conv2d2")
    assert "features.3" not in found


def test_inceptionv1s_own_layers_stay_without_a_test(tmp_path: Path) -> None:
    study = Study(untrained("bvlc_googlenet"), tmp_path)
    assert placed(study, {"mixed3b": "curve"}).counterparts == {}
    assert study.renamed_layers() == []


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.minutes(2)
def test_squeezenets_curves_are_found(checkpoints: Path, tmp_path: Path) -> None:
    network = networks.load(
        "torchvision:squeezenet1_1", checkpoint=checkpoints / "squeezenet1_1.safetensors"
    )
    chosen = placed(Study(network, tmp_path), {"mixed3b": "curve"})
    assert chosen.layer("mixed3b") == "features.7"
    assert len(chosen.detectors("curve", "mixed3b")) == 10
    assert chosen.counterparts["mixed3b"].found["features.9.squeeze_activation"] == 0
