"""What environment variables say."""

import os


def variable(name: str) -> str | None:
    """Give an environment variable's value; an empty one is an unset one.

    Examples
    --------
    >>> variable("A_VARIABLE_THAT_NOBODY_SETS") is None
    True
    """
    return os.environ.get(name) or None
