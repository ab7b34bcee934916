import json
import math
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.featurevis import (
    Fourier,
    Laplacian,
    Maco,
    Pixels,
    Settings,
    Transforms,
    Transparent,
    objectives,
)


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0},
        {"size": 24.5},
        {"size": (48, 80)},
        {"size": 1_000_000},
        {"size": None},
        {"input_size": -1},
        {"input_size": "large"},
        {"steps": 0},
        {"steps": 2.5},
        {"rate": -0.1},
        {"rate": math.nan},
        {"rate": math.inf},
        {"rate": "fast"},
        {"warmup": -1},
        {"redirected_relu_steps": -1},
        {"redirected_relu_steps": 1.5},
        {"seed": -1},
        {"seed": 2**64},
        {"seed": "one"},
        {"averaged_pools": "no"},
        {"transforms": None},
        {"penalty": 2.0},
        {"parameterization": "fourier"},
        {"start": torch.zeros(3, 8, 8)},
        {"start": torch.full((1, 3, 8, 8), 2.0)},
        {"start": torch.full((1, 3, 8, 8), torch.nan)},
    ],
    ids=str,
)
def test_invalid_settings_are_refused(
    wrong: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(InputError, match=f"^{next(iter(wrong))} must be "):
        Settings(**wrong)


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_any_whole_number_of_64_bits_is_a_seed(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    found = Settings(seed=np.uint64(seed), size=np.int64(64))
    assert json.loads(json.dumps(found.record())) == Settings(seed=seed, size=64).record()


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(
            size=64, input_size=224, steps=3, rate=0.1, redirected_relu_steps=0, averaged_pools=True
        ),
        Settings(parameterization=Fourier(decay=0.5, sd=0.1), seed=7),
        Settings(parameterization=Pixels(sd=1.0), transforms=Transforms(crop=4, padding=2)),
        Settings(parameterization=Transparent(base=Laplacian(levels=3))),
        Settings(parameterization=Maco()),
    ],
)
def test_settings_can_be_read_from_their_record_as_json(settings: Settings) -> None:
    record = json.loads(json.dumps(settings.record()))
    assert record == settings.record()
    back = Settings.from_record(record)
    assert back.record() == record
    assert back.parameterization == settings.parameterization or isinstance(
        settings.parameterization, Maco
    )
    assert back.transforms == settings.transforms


def test_fields_recorded_by_name_must_be_passed_and_match() -> None:
    given = {
        "penalty": objectives.l2(2.0),
        "start": torch.rand(1, 3, 8, 8),
        "parameterization": Maco(spectrum=torch.rand(3, 8, 5)),
    }
    others = {
        "penalty": objectives.l2(3.0),
        "start": torch.rand(1, 3, 8, 8),
        "parameterization": Maco(spectrum=torch.rand(3, 8, 5)),
    }
    record = json.loads(json.dumps(Settings(size=8, **given).record()))
    assert Settings.from_record(record, **given).record() == record
    for name in given:
        without = {field: value for field, value in given.items() if field != name}
        with pytest.raises(InputError, match="only by name"):
            Settings.from_record(record, **without)
        with pytest.raises(InputError, match=f"the {name} given is not the one recorded"):
            Settings.from_record(record, **without | {name: others[name]})
