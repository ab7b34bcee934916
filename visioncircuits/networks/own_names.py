"""Names of networks of one's own: a function of a Python file or of a module, and its arguments.

They are read without importing anything: to import a file runs it, which only
`own_networks.load` does, for a name that the user gave.
"""

import importlib
import importlib.util
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote, unquote

from visioncircuits.errors import InputError

Option = str | int | float | bool | None
"""An argument of the function."""

_NAME = re.compile(r"(?P<function>.*?(?:\.py|:[^:?]*))(?:\?(?P<options>.*))?", re.DOTALL)
_MODULE = re.compile(r"(?:.*/)?[^\W\d]\w*(?:\.[^\W\d]\w*)*", re.DOTALL)


@dataclass(frozen=True)
class OwnName:
    """A function that returns a network, and its arguments.

    Attributes
    ----------
    source
        A Python file, `models/my_cnn.py`; or a module, `package.module`, of which what is before
        its last slash is the folder to import it from, by default the current one.
    function
        The function's name there.
    options
        Its arguments, by name.
    """

    source: str
    function: str
    options: Mapping[str, Option]

    @property
    def is_file(self) -> bool:
        """Whether the source is a file, not a module."""
        return self.source.endswith(".py")

    @property
    def short(self) -> str:
        """The name without folders, for records."""
        return f"{Path(self.source).name}:{self.function}{_query(self.options)}"

    def within(self, folder: Path) -> str:
        """Return the name with the source's path absolute, relative to `folder`.

        A module without a folder is imported from the current one, as by `python -m`.
        """
        path = Path(self.source).expanduser()
        here = Path.cwd() if not self.is_file and path.parent == Path() else folder
        return f"{(here / path).absolute().as_posix()}:{self.function}{_query(self.options)}"


def parse(name: str) -> OwnName | None:
    """Parse `file.py:function`, `package.module:function`, with or without `?option=value&…`.

    Returns
    -------
    OwnName or None
        None for what has another form, and where there is no such module or package.

    Raises
    ------
    InputError
        Where no function is named, or the options are not written so.

    Examples
    --------
    >>> parse("models/my_cnn.py:build?depth=18&wide=true")
    OwnName(source='models/my_cnn.py', function='build', options={'depth': 18, 'wide': True})
    >>> parse("torchvison:resnet18") is None
    True
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    source, _, function = found["function"].rpartition(":")
    if found["function"].endswith(".py"):
        source, function = found["function"], ""
    if not source.endswith(".py") and not _is_module(source):
        return None
    if not function.isidentifier():
        raise InputError(
            f"{name!r} names no function; write file.py:function or package.module:function, such "
            "as my_cnn.py:build, which returns a torch module or a visioncircuits.Network"
        )
    return OwnName(source, function, _options(found["options"]))


def with_options(name: str, options: Iterable[str]) -> str:
    """Return a name with further options, each written `option=value`.

    Raises
    ------
    InputError
        For what is not written so.

    Examples
    --------
    >>> with_options("my_cnn.py:build?depth=18", ["wide=true", "title=R & D"])
    'my_cnn.py:build?depth=18&wide=true&title=R%20%26%20D'
    """
    parts = [_escaped(option) for option in options]
    if not parts:
        return name
    found = _NAME.fullmatch(name)
    start = "&" if found and found["options"] is not None else "?"
    return name + start + "&".join(parts)


@contextmanager
def on_path(folder: Path) -> Iterator[None]:
    """Let what lies in a folder be imported meanwhile, before all else."""
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()  # files may be newer than the last look
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _is_module(source: str) -> bool:
    """Check whether a module's package can be found; within a package only an import can look."""
    if _MODULE.fullmatch(source) is None:
        return False
    if "/" in source:
        return True
    with on_path(Path.cwd()):
        try:
            return importlib.util.find_spec(source.partition(".")[0]) is not None
        except ValueError:  # of `__main__`
            return False


def _options(query: str | None) -> dict[str, Option]:
    """Read `option=value&…`, in which `%` and `&` of a value are escaped as in a URL."""
    found: dict[str, Option] = {}
    for part in [] if query is None else query.split("&"):
        option, value = _pair(part)
        if option in found:
            raise InputError(f"the option {option!r} is given twice")
        found[option] = _value(unquote(value))
    return found


def _pair(text: str) -> tuple[str, str]:
    option, equals, value = text.partition("=")
    if not equals or not option.isidentifier():
        raise InputError(
            f"{text!r} is no option of a network; write name=value, such as depth=18, with the "
            "name of an argument"
        )
    return option, value


def _value(text: str) -> Option:
    """Read a number, `true`, `false`, `null` or a text in quotes as JSON; else it is text."""
    try:
        value = json.loads(text, parse_constant=_refused)
    except ValueError:
        return text
    return value if value is None or isinstance(value, str | int | float) else text


def _refused(constant: str) -> NoReturn:
    raise ValueError(constant)


def _escaped(option: str) -> str:
    name, value = _pair(option)
    return f"{name}={quote(value, safe=_SAFE)}"


def _query(options: Mapping[str, Option]) -> str:
    """Write options in one way, whatever way and order they were given in."""
    written = [f"{name}={_text(value)}" for name, value in sorted(options.items())]
    return "?" + "&".join(written) if written else ""


def _text(value: Option) -> str:
    plain = isinstance(value, str) and _value(value) == value
    return quote(str(value) if plain else json.dumps(value, ensure_ascii=False), safe=_SAFE)


_SAFE = "/:,+=?\"'()[]{}"
