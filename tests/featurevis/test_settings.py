import json

import pytest
import torch

from visioncircuits.errors import InputError
from visioncircuits.featurevis import (
    Fourier,
    Laplacian,
    Maco,
    Pixels,
    Robustness,
    Settings,
    Transparent,
    objectives,
)


@pytest.mark.parametrize(
    "wrong",
    [{"size": 0}, {"input_size": -1}, {"steps": 0}, {"rate": -0.1}, {"redirected": -1}],
    ids=str,
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        Settings(**wrong)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(size=64, input_size=224, steps=3, rate=0.1, redirected=0, averaged_pools=True),
        Settings(parameterization=Fourier(decay=0.5, sd=0.1), seed=7),
        Settings(parameterization=Pixels(sd=1.0), robustness=Robustness(crop=4, padding=2)),
        Settings(parameterization=Transparent(base=Laplacian(levels=3))),
        Settings(parameterization=Maco()),
    ],
)
def test_settings_come_back_from_their_record_as_json(settings: Settings) -> None:
    record = json.loads(json.dumps(settings.record()))
    assert record == settings.record()
    back = Settings.from_record(record)
    assert back.record() == record
    assert back.parameterization == settings.parameterization or isinstance(
        settings.parameterization, Maco
    )
    assert back.robustness == settings.robustness


def test_what_a_record_only_names_must_be_given_again_and_be_the_same() -> None:
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
        with pytest.raises(InputError, match="without holding it"):
            Settings.from_record(record, **without)
        with pytest.raises(InputError, match=f"the {name} given is not the one recorded"):
            Settings.from_record(record, **without | {name: others[name]})
