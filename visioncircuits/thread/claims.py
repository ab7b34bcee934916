"""Claims that articles made, and what became of each when it was tested again."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

Kind = Literal["published data", "this network", "inception5h", "toy models"]
"""What a claim is tested on: the articles' own data, the network given, Google's network, or toy
models that the test trains itself."""

Status = Literal["holds", "no evidence", "does not hold", "cannot be tested", "not run"]
"""The verdict; no evidence is a claim that holds, but for what lacks it as well."""

Expected = Literal["fails", "holds"]
"""What a claim should do on a stand-in: on a negative control it fails, on a positive it holds."""

KINDS: tuple[Kind, ...] = get_args(Kind)
STATUSES: tuple[Status, ...] = get_args(Status)

OTHER_UNITS, SHUFFLED = "other units", "shuffled weights"
"""Names of the two negative stand-ins; see `thread.stand_ins`."""

NEGATIVE = (OTHER_UNITS, SHUFFLED)

OWN = "a question of our own"
"""In the place of what was published, for claims that no article makes."""

_NAN = re.compile(r"\bnan\b")


class Unavailable(Exception):
    """What a part needs is missing; the message names it."""


@dataclass(frozen=True)
class Control:
    """What became of a claim on a stand-in for what it is about.

    Attributes
    ----------
    name
        Of the stand-in.
    expected
        What it should do there, if its rule is to be evidence.
    status
        What it did.
    measured
        What was found there, or why nothing was.

    Examples
    --------
    >>> Control("other units", "fails", "holds", "r = .81").surprising
    True
    >>> Control("other units", "fails", "cannot be tested", "there are too few").surprising
    False
    """

    name: str
    expected: Expected
    status: Status
    measured: str = ""

    @property
    def surprising(self) -> bool:
        """Whether it holds where it should fail, or the other way round."""
        return self.status == ("holds" if self.expected == "fails" else "does not hold")


@dataclass(frozen=True)
class Row:
    """A claim and its verdict: a line of an article's table.

    Attributes
    ----------
    claim
        In words.
    kind
        What it was tested on.
    published
        The article's number.
    status
        The verdict.
    measured
        What was found here.
    interval
        Of what was found; or what chance gives.
    why
        Why it does not hold, or could not be tested; or how it was tested.
    controls
        The same rule on stand-ins.

    Examples
    --------
    >>> row = here("detectors are active rarely", "11 %").found("9 %", holds=True)
    >>> row.status, row.measured
    ('holds', '9 %')
    """

    claim: str
    kind: Kind
    published: str
    status: Status
    measured: str = ""
    interval: str = ""
    why: str = ""
    controls: tuple[Control, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return the fields as JSON holds them."""
        return asdict(self)

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> "Row":
        """Make the row of what `plain` returned."""
        return cls(**{**plain, "controls": tuple(Control(**each) for each in plain["controls"])})


def judged(row: Row, controls: Sequence[Control]) -> Row:
    """Add controls to a row; where it holds, and a negative one does too, it is no evidence.

    A positive control that fails is reported, and changes no verdict: the rule may lack power.

    Examples
    --------
    >>> row = here("curves excite curves of their orientation", "").found("r = .9", holds=True)
    >>> judged(row, [Control("other units", "fails", "does not hold", "r = .1")]).status
    'holds'
    >>> judged(row, [Control("other units", "fails", "holds", "r = .8")]).status
    'no evidence'
    """
    controls = (*row.controls, *controls)
    negative = [each for each in controls if each.expected == "fails"]
    empty = row.status == "holds" and any(each.surprising for each in negative)
    return replace(row, controls=controls, status="no evidence" if empty else row.status)


@dataclass(frozen=True)
class Claim:
    """What an article claims, and with which number.

    Attributes
    ----------
    kind
        What it can be tested on.
    text
        In words, its units translated to families where it is about any network.
    published
        The article's number.
    stand_ins
        Names of those that it is tested on as well; None where its part names them.

    Examples
    --------
    >>> branch = Claim("published data", "black and white sits in one branch", "P < 1e-8")
    >>> branch.found("P = 2.5e-9", holds=True).status
    'holds'
    >>> branch.unavailable("no published data").status
    'not run'
    """

    kind: Kind
    text: str
    published: str
    stand_ins: tuple[str, ...] | None = None

    def found(
        self,
        measured: str,
        *,
        holds: bool | None,
        interval: str = "",
        why: str = "",
        controls: Sequence[Control] = (),
    ) -> Row:
        """Make the row of what was measured.

        Parameters
        ----------
        measured
            The number here, with its unit.
        holds
            Whether it supports the claim, by a rule that `why` states where it is not plain;
            None where the interval is too wide to decide. Where a number is NaN, False counts as
            None: any comparison with it is False, whether the claim is true or not.
        interval
            95 % of a bootstrap, or what chance gives, and which.
        why
            How it was tested, or why it does not hold.
        controls
            The same rule on what lacks the property, or has it by design, where the test itself
            brings such.
        """
        if not holds and _NAN.search(f"{measured} {interval}"):
            holds = None
        statuses: dict[bool | None, Status] = {True: "holds", False: "does not hold"}
        status = statuses.get(holds, "cannot be tested")
        row = Row(self.text, self.kind, self.published, status, measured, interval, why)
        return judged(row, controls)

    def untestable(self, why: str) -> Row:
        """Make the row of a claim that this network, or these photographs, cannot test."""
        return Row(self.text, self.kind, self.published, "cannot be tested", why=why)

    def unavailable(self, why: str) -> Row:
        """Make the row of a claim that was not run, as something is missing."""
        return Row(self.text, self.kind, self.published, "not run", why=why)


def paper(text: str, published: str) -> Claim:
    """Make a claim that is tested on published data.

    Examples
    --------
    >>> paper("labels are balanced", "50 %").found("61 %", holds=False).status
    'does not hold'
    """
    return Claim("published data", text, published)


def here(text: str, published: str, *, stand_ins: tuple[str, ...] | None = None) -> Claim:
    """Make a claim that is tested on the network given.

    Parameters
    ----------
    text, published
        As for `Claim`.
    stand_ins
        Names of those that it is tested on as well, by default those of its part: `SHUFFLED` alone
        where it is not about a family's members, none where it is about the stand-ins themselves.

    Examples
    --------
    >>> here("curves are detected", "10 units").untestable("it has no such layer").status
    'cannot be tested'
    """
    return Claim("this network", text, published, stand_ins)


def inception(text: str, published: str) -> Claim:
    """Make a claim that is tested on Google's own network.

    Examples
    --------
    >>> inception("mixed3b:379 detects curves", "180°").unavailable("no checkpoint").status
    'not run'
    """
    return Claim("inception5h", text, published)


def toy_models(text: str, published: str) -> Claim:
    """Make a claim that is tested on toy models, trained for it, whatever the network.

    Examples
    --------
    >>> toy_models("five features form a pentagon", "2/5").found("20 of 20", holds=True).kind
    'toy models'
    """
    return Claim("toy models", text, published)
