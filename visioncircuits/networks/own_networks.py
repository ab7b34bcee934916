"""Networks of one's own by name: a function of a Python file or of a module returns one."""

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from visioncircuits import errors, own_files
from visioncircuits.errors import InputError
from visioncircuits.networks import checkpoints, names, own_names
from visioncircuits.networks.network import Network, wrap
from visioncircuits.networks.own_names import OwnName
from visioncircuits.networks.preprocessing import Preprocessing


def load(name: str, *, path: str | Path | None = None) -> Network:
    """Call a function of one's own for a network; to import its file or module runs that.

    Parameters
    ----------
    name
        `file.py:function` or `package.module:function`, with arguments of the function as
        `?depth=18&wide=true`. It returns a `Network`; a torch module and its `Preprocessing`; or
        a torch module that takes pictures in [0, 1] as they are. A module is given pictures of
        224 px, and where it comes alone as many channels as its first convolution has.
    path
        A file of parameters to use instead of those that the function sets.

    Raises
    ------
    InputError
        Where there is no such file, module or function, it fails, takes other arguments, or
        returns something else; for a file of parameters that is of another network.
    """
    own = own_names.parse(names.existing(name))
    assert own is not None  # as `names` has checked
    module = _imported(own)
    build = getattr(module, own.function, None)
    if not callable(build):
        known = [key for key, value in vars(module).items() if callable(value)]
        raise errors.unknown(f"function of {Path(own.source).name}", own.function, known)
    _check_options(build, own)
    with _failing(own), own_names.on_path(_folder(own)):
        made = build(**own.options)
    network = _network(made, own.short)
    if path is not None:
        network.checkpoint = checkpoints.obtain(name, path=path)
        network.checkpoint.copy_to(network.module)
    return network


def _network(made: Any, called: str) -> Network:
    match made:
        case Network():
            if made.name == Network.name:
                made.name = called
            return made
        case nn.Module():
            convolutions = (part for part in made.modules() if isinstance(part, nn.Conv2d))
            first = next(convolutions, None)
            channels = 3 if first is None else first.in_channels
            return wrap(made, Preprocessing(channels=channels), name=called)
        case (nn.Module() as module, Preprocessing() as preprocessing):
            return wrap(module, preprocessing, name=called)
    what = type(made).__name__
    if isinstance(made, tuple):
        what += f" of {' and '.join(type(each).__name__ for each in made) or 'nothing'}"
    raise InputError(
        f"{called} returned {what}; return a torch module, one with its "
        "visioncircuits.Preprocessing, or what visioncircuits.wrap makes of these"
    )


def _check_options(build: Callable[..., Any], own: OwnName) -> None:
    """Check that the function takes the options, and needs no others."""
    try:
        signature = inspect.signature(build)
    except ValueError:  # of some functions that are written in C
        return
    parameters = signature.parameters.values()
    if not any(each.kind is each.VAR_KEYWORD for each in parameters):
        taken = [
            each.name
            for each in parameters
            if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
        ]
        for option in own.options:
            if option not in taken and taken:
                raise errors.unknown(f"option of {_called(own)}", option, taken)
            if option not in taken:
                raise InputError(f"{_called(own)} takes no options, and {option!r} is given")
    needed = [
        each.name
        for each in parameters
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    if missing := [name for name in needed if name not in own.options]:
        raise InputError(
            f"{_called(own)} needs {' and '.join(map(repr, missing))}; write them as "
            f"{_called(own)}?{'&'.join(f'{name}=…' for name in missing)}, or --network-option "
            f"{missing[0]}=…"
        )


def _called(own: OwnName) -> str:
    return f"{Path(own.source).name}:{own.function}"


def _folder(own: OwnName) -> Path:
    return Path(own.source).expanduser().absolute().parent


def _imported(own: OwnName) -> ModuleType:
    """Import the module, or run the file as one, with what lies beside it to be imported too."""
    if own.is_file:
        return _run(own)
    folder, name = str(_folder(own)), Path(own.source).name
    if folder not in sys.path:  # for good, as by `python -m`: workers unpickle its classes
        sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        with _failing(own):
            return importlib.import_module(name)
    except InputError as error:
        missing = error.__cause__
        if isinstance(missing, ModuleNotFoundError) and f"{name}.".startswith(f"{missing.name}."):
            raise InputError(f"there is no module {name}, here or installed") from missing
        raise


def _run(own: OwnName) -> ModuleType:
    source = Path(own.source).expanduser().absolute()
    name = own_files.module_name(source)
    spec = importlib.util.spec_from_file_location(name, source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look there for their module
    with _failing(own), own_names.on_path(source.parent):
        spec.loader.exec_module(module)
    return module


@contextmanager
def _failing(own: OwnName) -> Iterator[None]:
    """Report any error of the user's code in a sentence, with the line where it began."""
    try:
        yield
    except (Exception, SystemExit) as error:  # any may be raised by what the user wrote
        message = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise InputError(f"{own.short} failed{_line(error)}: {message}") from error


def _line(error: BaseException) -> str:
    """Return the last line of the first file that is the user's, among those that failed."""
    within = Path(importlib.__file__).parent
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__
        and not frame.filename.startswith("<frozen")
        and Path(frame.filename).parent != within
    ]
    if not frames:
        return ""
    first = frames[0].filename
    lines = [frame.lineno for frame in frames if frame.filename == first]
    return f", line {lines[-1]} of {Path(first).name}"
