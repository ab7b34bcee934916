"""Claims that articles made, and what became of each when it was tested again."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["published data", "this network", "inception5h"]
"""What a claim is tested on: the articles' own data, the network given, or Google's network."""

Status = Literal["holds", "does not hold", "cannot be tested", "not run"]


class Unavailable(Exception):
    """What a part needs is missing; the message names it."""


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

    def plain(self) -> dict[str, Any]:
        """Return the fields as JSON holds them."""
        return asdict(self)


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

    def found(self, measured: str, *, holds: bool | None, interval: str = "", why: str = "") -> Row:
        """Make the row of what was measured.

        Parameters
        ----------
        measured
            The number here, with its unit.
        holds
            Whether it supports the claim, by a rule that `why` states where it is not plain;
            None where the interval is too wide to decide.
        interval
            95 % of a bootstrap, or what chance gives, and which.
        why
            How it was tested, or why it does not hold.
        """
        statuses: dict[bool | None, Status] = {True: "holds", False: "does not hold"}
        status = statuses.get(holds, "cannot be tested")
        return Row(self.text, self.kind, self.published, status, measured, interval, why)

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


def here(text: str, published: str) -> Claim:
    """Make a claim that is tested on the network given.

    Examples
    --------
    >>> here("curves are detected", "10 units").untestable("it has no such layer").status
    'cannot be tested'
    """
    return Claim("this network", text, published)


def inception(text: str, published: str) -> Claim:
    """Make a claim that is tested on Google's own network.

    Examples
    --------
    >>> inception("mixed3b:379 detects curves", "180°").unavailable("no checkpoint").status
    'not run'
    """
    return Claim("inception5h", text, published)
