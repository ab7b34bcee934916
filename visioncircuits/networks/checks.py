"""Comparisons of a network with what is known of it."""

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Check:
    """One comparison: an error, and the largest that is allowed.

    Attributes
    ----------
    name
        What is compared.
    error
        Of activations, the largest difference relative to the largest value; of classes, the
        probability that chance is right as often.
    allowed
        The largest error of a sound network.
    advice
        What to look at where the check fails.

    Examples
    --------
    >>> Check("conv2d0", error=2e-6, allowed=1e-4).passed
    True
    """

    name: str
    error: float
    allowed: float
    advice: str = ""

    @property
    def passed(self) -> bool:
        """Whether the error is allowed; NaN never is."""
        return self.error <= self.allowed


@dataclass(frozen=True, repr=False)
class Verification:
    """The comparisons of a network with a reference; a notebook shows them as a table.

    Attributes
    ----------
    network
        The name of the network.
    against
        The reference, such as a file.
    checks
        The comparisons.

    Examples
    --------
    >>> Verification("bvlc_googlenet", "a reference", (Check("conv2d0", error=1.0, allowed=1e-4),))
    Verification('bvlc_googlenet', 0 of 1 checks passed, against a reference)
    """

    network: str
    against: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed, and there is at least one."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    def __repr__(self) -> str:
        passed = sum(check.passed for check in self.checks)
        return (
            f"Verification({self.network!r}, {passed} of {len(self.checks)} checks passed, "
            f"against {self.against})"
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{'ok' if check.passed else 'WRONG'}</td><td>{escape(check.name)}</td>"
            f"<td>{check.error:.2g}</td><td>{check.allowed:g}</td></tr>"
            for check in self.checks
        )
        head = "<tr><th></th><th>compared</th><th>error</th><th>allowed</th></tr>"
        return f"<p>{escape(repr(self))}</p><table>{head}{rows}</table>"
