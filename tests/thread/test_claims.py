"""Verdicts: what a negative control that passes does to them, and what nothing else does."""

import json

import pytest

from visioncircuits.thread.claims import Control, Row, Status, here, judged

CLAIM = here("curves excite curves of their orientation", "r = .9")


@pytest.mark.parametrize(
    ("holds", "expected", "status", "verdict"),
    [
        (True, "fails", "holds", "no evidence"),
        (True, "fails", "does not hold", "holds"),
        (True, "fails", "cannot be tested", "holds"),
        (True, "holds", "does not hold", "holds"),
        (True, "holds", "holds", "holds"),
        (False, "fails", "holds", "does not hold"),
        (None, "fails", "holds", "cannot be tested"),
    ],
)
def test_a_claim_is_no_evidence_if_and_only_if_it_and_a_negative_control_hold(
    holds: bool | None, expected: str, status: Status, verdict: Status
) -> None:
    control = Control("stand-in", expected, status)  # type: ignore[arg-type]
    row = judged(CLAIM.found("r = .8", holds=holds), [control])
    assert row.status == verdict
    assert row.controls == (control,)


def test_a_comparison_with_nan_decides_nothing() -> None:
    value = float("nan")
    assert CLAIM.found(f"median {value:.2f}", holds=value > 1).status == "cannot be tested"
    assert CLAIM.found("r = .2", holds=False, interval=f"{value} to 1").status == "cannot be tested"
    assert CLAIM.found("no finance, nanometers", holds=False).status == "does not hold"


def test_a_test_may_bring_controls_of_its_own_to_which_stand_ins_are_added() -> None:
    own, other = (Control(name, "fails", "does not hold") for name in ("donor", "other units"))
    row = judged(CLAIM.found("r = .8", holds=True, controls=[own]), [other])
    assert row.controls == (own, other)
    assert CLAIM.found("", holds=True, controls=[Control("donor", "fails", "holds")]).status == (
        "no evidence"
    )


def test_a_row_is_read_as_it_was_written() -> None:
    row = CLAIM.found("r = .8", holds=True, controls=[Control("donor", "fails", "holds", "r = .7")])
    assert Row.read(json.loads(json.dumps(row.plain()))) == row
