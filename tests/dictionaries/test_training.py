"""Training resumes to the same bytes, states whether it converged, and refuses what it cannot."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from visioncircuits.dictionaries import (
    L1,
    Dictionary,
    GroupLasso,
    Held,
    Method,
    Settings,
    TopK,
    train,
)
from visioncircuits.errors import InputError
from visioncircuits.networks import untrained

TWO = TopK(2)
SETTINGS = Settings(steps=60, batch=32, dead_after=5)


def activations(samples: int = 400, units: int = 6) -> torch.Tensor:
    return torch.randn(samples, units, generator=torch.Generator().manual_seed(0))


def trained(method: Method = TWO, settings: Settings = SETTINGS, **options: Any) -> Dictionary:
    return train(activations(), "layer", method, atoms=12, settings=settings, **options)


class Stopped(Exception):
    """Stands for whatever ends a process."""


class Stopping(Held):
    """Activations that end at a step."""

    def batch(self, step: int, *, size: int, seed: int) -> torch.Tensor:
        if step == 37:
            raise Stopped
        return super().batch(step, size=size, seed=seed)


@pytest.mark.parametrize("method", [TopK(2), L1(0.1), GroupLasso(0.1, 2)], ids=str)
def test_a_stopped_training_resumes_to_the_same_bytes(method: Method, tmp_path: Path) -> None:
    held_out, values = activations().split([50, 350])
    options: dict[str, Any] = {
        "atoms": 12, "settings": SETTINGS, "held_out": held_out, "every": 10,
        "checkpoint": tmp_path / "state",
    }  # fmt: skip
    with pytest.raises(Stopped):
        train(Stopping(values), "layer", method, **options)
    resumed = train(values, "layer", method, **options)
    whole = train(values, "layer", method, **options | {"checkpoint": tmp_path / "other"})
    one, two = (
        each.save(tmp_path / f"{name}.safetensors").read_bytes()
        for name, each in {"resumed": resumed, "whole": whole}.items()
    )
    assert one == two
    assert (tmp_path / "state").read_bytes() == (tmp_path / "other").read_bytes()


KILLED = """
import sys, torch
from visioncircuits.dictionaries import Settings, TopK, train
values = torch.randn(400, 6, generator=torch.Generator().manual_seed(0))
settings = Settings(steps=int(sys.argv[3]), batch=32, dead_after=5)
train(values, "layer", TopK(2), atoms=12, settings=settings, checkpoint=sys.argv[1],
      every=10).save(sys.argv[2])
"""


@pytest.mark.slow
def test_a_killed_training_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    def start(state: str, result: str) -> subprocess.Popen[bytes]:
        arguments = [tmp_path / state, tmp_path / result, "120"]
        return subprocess.Popen([sys.executable, "-c", KILLED, *map(str, arguments)])

    killed = start("state", "resumed.safetensors")
    while not (tmp_path / "state").exists() and killed.poll() is None:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    for state, result in [("state", "resumed.safetensors"), ("other", "whole.safetensors")]:
        assert start(state, result).wait() == 0
    one, two = (tmp_path / f"{name}.safetensors" for name in ("resumed", "whole"))
    assert one.read_bytes() == two.read_bytes()


def test_a_finished_training_is_not_run_again(tmp_path: Path) -> None:
    class Once(Held):
        asked = 0

        def batch(self, step: int, *, size: int, seed: int) -> torch.Tensor:
            Once.asked += 1
            return super().batch(step, size=size, seed=seed)

    held_out, values = activations().split([50, 350])
    one, two = (
        train(
            Once(values), "layer", TWO, atoms=12, settings=SETTINGS, held_out=held_out,
            checkpoint=tmp_path / "state",
        )
        for _ in range(2)
    )  # fmt: skip
    assert torch.equal(one.atoms, two.atoms)
    assert one.record == two.record
    assert Once.asked == SETTINGS.steps + 2  # the sample by which activations are normalized twice


def test_another_trainings_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state"
    trained(checkpoint=path)
    with pytest.raises(InputError, match="other activations, settings or code"):
        trained(TopK(3), checkpoint=path)
    with pytest.raises(InputError, match="other activations, settings or code"):
        train(activations() + 1, "layer", TopK(2), atoms=12, settings=SETTINGS, checkpoint=path)
    path.write_bytes(b"no")
    with pytest.raises(InputError, match="is no checkpoint"):
        trained(checkpoint=path)


def test_the_record_has_what_the_result_depends_on() -> None:
    network = untrained("bvlc_googlenet")
    record = trained(network=network).record
    assert record["network"] == network.record()
    assert record["method"] == {"name": "TopK", "k": 2}
    assert record["settings"]["seed"] == 0
    assert record["atoms"] == 12


def test_an_unconverged_training_states_it() -> None:
    planted = torch.nn.functional.normalize(torch.randn(12, 6), dim=1)
    codes = torch.rand(2000, 12).topk(2).indices
    values = planted[codes].sum(1)
    short, long = (
        train(values, "layer", TopK(2), atoms=12, settings=Settings(steps=steps, batch=64))
        for steps in (20, 400)
    )
    assert not short.record["convergence"]["converged"]
    assert "not converged" in repr(short)
    course = long.record["convergence"]["held_out_loss"]
    assert course[0][1] > 2 * course[-1][1]
    assert course[-1][0] == 400


def test_dead_atoms_learn_what_the_others_leave_over() -> None:
    """All codes but one atom's are dead at first: its bias outruns theirs."""

    class Dead(TopK):
        def start(self, units: int, atoms: int, generator: torch.Generator) -> Any:
            drawn = super().start(units, atoms, generator)
            drawn["bias"][:2] = 5.0
            return drawn

    dead = {
        auxiliary: trained(
            Dead(2), Settings(steps=200, batch=32, dead_after=5, auxiliary=auxiliary, rate=3e-3)
        ).record["dead_blocks_in_training"]
        for auxiliary in (0, 1 / 32)
    }
    assert dead[1 / 32] < dead[0]


def test_what_cannot_be_trained_on_is_refused() -> None:
    with pytest.raises(InputError, match="needs held_out"):
        train(Held(activations()), "layer", TopK(2), atoms=12)
    with pytest.raises(InputError, match="too few"):
        train(activations(10), "layer", TopK(2), atoms=12)
    with pytest.raises(InputError, match="not finite"):
        train(activations() / 0, "layer", TopK(2), atoms=12)
    with pytest.raises(InputError, match="all activations are the same"):
        train(torch.ones(50, 4), "layer", TopK(2), atoms=12)
    with pytest.raises(InputError, match="rate must be a finite number above 0"):
        Settings(rate=0)
    with pytest.raises(InputError, match="unknown normalization 'scales'"):
        Settings(normalization="scales")


def test_a_training_that_diverges_is_stopped() -> None:
    with pytest.raises(InputError, match="diverged before step"):
        trained(L1(0.1), Settings(steps=60, batch=32, rate=1e20, normalization="none"))
