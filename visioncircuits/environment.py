"""Environment variables."""

import os


def variable(name: str) -> str | None:
    """Return an environment variable's value; None where it is unset or empty.

    Examples
    --------
    >>> variable("A_VARIABLE_THAT_NOBODY_SETS") is None
    True
    """
    return os.environ.get(name) or None
