"""Stand-ins: other units, shuffled weights and handwritten networks in a network's place."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from visioncircuits.errors import InputError
from visioncircuits.networks import Network, untrained
from visioncircuits.thread import Plate, Row, Study, here, part
from visioncircuits.thread.claims import NEGATIVE, OTHER_UNITS, SHUFFLED, Unavailable
from visioncircuits.thread.reproduce import run_part
from visioncircuits.thread.stand_ins import STAND_INS, stand_in
from visioncircuits.thread.units import numbers

COUNTED = here("mixed3b has curve detectors", "10", stand_ins=(SHUFFLED,))
TESTED = here("they prefer an orientation", "all")
MEMBERS, SILENT, UNDECIDED = range(330, 338), range(340, 350), range(350, 355)


@pytest.fixture(scope="module")
def network() -> Network:
    return untrained("bvlc_googlenet")


@pytest.fixture
def study(network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study in which eight units of the 5 × 5 branch pass, and with shuffled weights two."""

    def judged(self: Study, family: str, layer: str) -> pd.DataFrame:
        verdict = np.full(480, "refuted", object)
        verdict[MEMBERS if self.network is network else range(2)] = "supported"
        verdict[UNDECIDED] = "undecided"
        orientation = np.arange(480.0)
        orientation[SILENT] = np.nan
        units = [f"mixed3b:{unit}" for unit in range(480)]
        return pd.DataFrame({"unit": units, "orientation": orientation, "verdict": verdict})

    monkeypatch.setattr(Study, "judged", judged)
    return Study(network, tmp_path / "measured")


def test_other_units_are_as_many_of_the_branch_that_are_refuted_and_respond(study: Study) -> None:
    other = stand_in(OTHER_UNITS, study)
    drawn = set(numbers(other.members("curve", "mixed3b")["unit"]))
    assert len(drawn) == len(MEMBERS)
    assert drawn <= set(range(320, 416))  # the 5 × 5 branch
    assert not drawn & {*MEMBERS, *SILENT, *UNDECIDED}
    assert set(numbers(other.detectors("curve", "mixed3b")["unit"])) == drawn


def test_what_is_counted_are_never_other_units(study: Study) -> None:
    other = stand_in(OTHER_UNITS, study)
    assert numbers(other.found("curve", "mixed3b")["unit"]) == [*MEMBERS]


def test_where_too_few_other_units_respond_nothing_is_tested(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = study.judged("curve", "mixed3b").assign(orientation=np.nan)
    monkeypatch.setattr(Study, "judged", lambda *args: whole)
    with pytest.raises(Unavailable, match="0 units of mixed3b"):
        stand_in(OTHER_UNITS, study).members("curve", "mixed3b")


def test_shuffled_weights_without_a_family_are_tested_at_the_members_numbers(study: Study) -> None:
    other = stand_in(SHUFFLED, study)
    assert len(other.found("curve", "mixed3b")) == 2
    assert numbers(other.members("curve", "mixed3b")["unit"]) == [*MEMBERS]


def test_measurements_of_shuffled_weights_are_kept_apart(study: Study) -> None:
    def make() -> bytes:
        return b""

    places = {stand_in(name, study).place("it", "txt", make) for name in NEGATIVE}
    assert places > {study.place("it", "txt", make)}
    assert len(places) == 2


def test_a_handwritten_network_stands_in_as_a_positive_control(study: Study) -> None:
    other = stand_in("handwritten curves", study)
    assert other.expected == "holds"
    assert other.network.name == "handwritten:curves"
    assert {STAND_INS[name].expected for name in NEGATIVE} == {"fails"}


def test_an_unknown_stand_in_raises_with_the_nearest_name(study: Study) -> None:
    with pytest.raises(InputError, match="other units"):
        stand_in("other unit", study)


def test_a_part_is_run_on_a_stand_in_for_the_claims_that_name_it_and_without_plates(
    study: Study,
) -> None:
    drawn: list[Image.Image] = []

    @part(COUNTED, TESTED)
    def family(study: Study) -> Iterator[Row | Plate]:
        """The family."""
        count = len(study.found("curve", "mixed3b"))
        yield COUNTED.found(f"{count} units", holds=count >= 5)
        members = study.detectors("curve", "mixed3b")["unit"]
        drawn.extend(study.pictures(members.tolist()))
        mean = np.mean(numbers(members))
        yield TESTED.found(f"{mean:.1f}", holds=bool(mean == np.mean(MEMBERS)))
        raise AssertionError("plates after the last row are not drawn")

    assert family.stand_ins == (OTHER_UNITS, SHUFFLED)
    rows, plates = run_part(family, stand_in(SHUFFLED, study))
    assert [(row.measured, row.status) for row in rows] == [
        ("2 units", "does not hold"), ("333.5", "holds"),
    ]  # fmt: skip
    (row,), _ = run_part(family, stand_in(OTHER_UNITS, study))
    assert (row.claim, row.status) == (TESTED.text, "does not hold")
    assert plates == []
    assert {picture.getpixel((0, 0)) for picture in drawn} == {(128, 128, 128)}
