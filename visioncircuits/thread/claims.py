"""Claims that articles made, and what became of each when it was tested again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from visioncircuits.errors import unknown

Kind = Literal["published data", "this network", "inception5h"]
"""What a claim is tested on: the articles' own data, the network given, or Google's network."""

Word = Literal["holds", "does not hold", "cannot be tested", "not run"]


class Unavailable(Exception):
    """What a part needs is not there; the sentence says what."""


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
        What the article gives.
    word
        The verdict.
    measured
        What was found here.
    interval
        Of what was found; or what chance gives.
    why
        Why it does not hold, or could not be tested; or how it was tested.
    """

    claim: str
    kind: Kind
    published: str
    word: Word
    measured: str = ""
    interval: str = ""
    why: str = ""

    def plain(self) -> dict[str, Any]:
        """Give it as JSON holds it."""
        return asdict(self)


@dataclass(frozen=True)
class Claim:
    """What an article said, and with which numbers.

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
    >>> branch.found("P = 2.5e-9", holds=True).word
    'holds'
    >>> branch.unavailable("no published data").word
    'not run'
    """

    kind: Kind
    text: str
    published: str

    def found(self, measured: str, *, holds: bool | None, interval: str = "", why: str = "") -> Row:
        """Say what was measured.

        Parameters
        ----------
        measured
            The number here, with its unit.
        holds
            Whether it bears the claim out, by a rule that `why` states where it is not plain;
            None where the interval is too wide to tell.
        interval
            95 % of a bootstrap, or what chance gives, and which.
        why
            How it was tested, or what speaks against it.
        """
        words: dict[bool | None, Word] = {True: "holds", False: "does not hold"}
        word = words.get(holds, "cannot be tested")
        return Row(self.text, self.kind, self.published, word, measured, interval, why)

    def untestable(self, why: str) -> Row:
        """Say why this network, or these photographs, cannot tell."""
        return Row(self.text, self.kind, self.published, "cannot be tested", why=why)

    def unavailable(self, why: str) -> Row:
        """Say what was missing, so that it was not run."""
        return Row(self.text, self.kind, self.published, "not run", why=why)


def read(content: Mapping[str, Any]) -> Row:
    """Read back what `Row.plain` gave.

    Raises
    ------
    InputError
        For a verdict that there is not.
    """
    words = Word.__args__  # type: ignore[attr-defined]
    if content["word"] not in words:
        raise unknown("verdict", content["word"], words)
    return Row(**content)
