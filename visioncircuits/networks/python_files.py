"""Networks of one's own by name: `file.py:function`, a function that returns one."""

import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from visioncircuits import errors, own_files
from visioncircuits.errors import InputError
from visioncircuits.networks import names
from visioncircuits.networks.checkpoints import Checkpoint
from visioncircuits.networks.network import Network, wrap
from visioncircuits.networks.preprocessing import Preprocessing


def load(name: str, *, path: str | Path | None = None) -> Network:
    """Call a function of a Python file for a network.

    Parameters
    ----------
    name
        `file.py:function`. The function takes no argument and returns a `Network`, or a torch
        module that takes pictures in [0, 1] as they are, of 224 px, and as many channels as its
        first convolution.
    path
        A file of parameters to use instead of those that the function sets.

    Raises
    ------
    InputError
        Where there is no such file or function, it fails, or it returns something else; for a
        file of parameters that is of another network.
    """
    file, function = names.python_file(names.existing(name))
    source = Path(file).expanduser().absolute()
    module = _imported(source)
    build = getattr(module, function, None)
    if not callable(build):
        known = [key for key, value in vars(module).items() if callable(value)]
        raise errors.unknown(f"function of {source.name}", function, known)
    with _failing(name, source):
        made = build()
    called = f"{source.name}:{function}"
    if isinstance(made, Network):
        network = made
        if network.name == Network.name:
            network.name = called
    elif isinstance(made, nn.Module):
        convolutions = (part for part in made.modules() if isinstance(part, nn.Conv2d))
        first = next(convolutions, None)
        channels = 3 if first is None else first.in_channels
        network = wrap(made, Preprocessing(channels=channels), name=called)
    else:
        raise InputError(
            f"{called} returned {type(made).__name__}; return a torch module, or what "
            "visioncircuits.wrap makes of it and of its preprocessing and size"
        )
    if path is not None:
        network.checkpoint = Checkpoint(Path(path))
        parameters = network.checkpoint.parameters(network.module.state_dict())
        with torch.no_grad():
            for key, tensor in network.module.state_dict().items():
                tensor.copy_(parameters[key])
    return network


def _imported(source: Path) -> ModuleType:
    """Run a file as a module; what lies beside it can be imported, as by a script."""
    name = own_files.module_name(source)
    spec = importlib.util.spec_from_file_location(name, source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look there for their module
    with _failing(str(source), source), _on_path(source.parent):
        spec.loader.exec_module(module)
    return module


@contextmanager
def _on_path(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


@contextmanager
def _failing(what: str, source: Path) -> Iterator[None]:
    """Report any error of the user's code in a sentence, with the line of their file."""
    try:
        yield
    except Exception as error:  # any may be raised by what the user wrote
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(source)]
        where = f", line {lines[-1]}" if lines else ""
        message = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise InputError(f"{what} failed{where}: {message}") from error
