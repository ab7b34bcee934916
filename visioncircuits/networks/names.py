"""Names of networks and units as users write them, checked before torch is imported."""

import re
from pathlib import Path

from visioncircuits import errors
from visioncircuits.errors import InputError

HANDWRITTEN = "handwritten"

TORCHVISION = "torchvision"

TIMM = "timm"

CLIP = "clip"

PREFIXES = (HANDWRITTEN, TORCHVISION, TIMM, CLIP)
"""Of networks that are written `PREFIX:NAME`."""

TEXT = "text"
"""Of directions that a text encoder makes, `text:a photo of a dog`."""

FEATURE_FILES = (".npy", ".json")
"""Of directions: their weights, or their records."""

PUBLISHED = {
    "inceptionv1": "Google's inception5h, the network of the Circuits thread",
    "bvlc_googlenet": "BVLC's GoogLeNet, ImageNet top-1 68.7 %",
}
"""Networks without a prefix, and a line about each."""


def network(name: str) -> str:
    """Return a network's name, checked as far as possible without torch.

    `load` checks what follows a prefix, and that a file has the function.

    Raises
    ------
    InputError
        For a name that no network has.

    Examples
    --------
    >>> network("torchvision:resnet18")
    'torchvision:resnet18'
    """
    prefix, _, rest = name.partition(":")
    if name in PUBLISHED or (rest and prefix in PREFIXES):
        return name
    if is_onnx_file(name):
        return name
    if is_python_file(name):
        python_file(name)
        return name
    others = ", ".join(f"{prefix}:NAME" for prefix in PREFIXES)
    others += ", my_cnn.py:FUNCTION or net.onnx"
    raise errors.unknown(
        "network",
        name,
        [*PUBLISHED, *(f"{prefix}:{rest}" for prefix in PREFIXES if rest)],
        hint=f"others are {others}, and `visioncircuits networks` lists them",
    )


def is_onnx_file(name: str) -> bool:
    """Check whether a name is the path of an ONNX file.

    Examples
    --------
    >>> is_onnx_file("models/net.onnx"), is_onnx_file("my_cnn.py:build")
    (True, False)
    """
    return name.lower().endswith(".onnx") and name.partition(":")[0] not in PREFIXES


def is_python_file(name: str) -> bool:
    """Check whether a name is a function of a Python file, or was meant to be one.

    Examples
    --------
    >>> is_python_file("models/my_cnn.py:build"), is_python_file("handwritten:curves")
    (True, False)
    """
    return name.endswith(".py") or name.rpartition(":")[0].endswith(".py")


def python_file(name: str) -> tuple[str, str]:
    """Parse `file.py:function`.

    Raises
    ------
    InputError
        Where it names no function.

    Examples
    --------
    >>> python_file("models/my_cnn.py:build")
    ('models/my_cnn.py', 'build')
    """
    file, _, function = name.rpartition(":")
    if not file.endswith(".py") or not function.isidentifier():
        raise InputError(
            f"{name!r} names no function; write file.py:function, such as my_cnn.py:build, which "
            "returns a torch module or a visioncircuits.Network"
        )
    return file, function


def existing(name: str) -> str:
    """Return a network's name, checked; of a file, that it is there.

    Raises
    ------
    InputError
        For a name that no network has, or a file that is not there.

    Examples
    --------
    >>> existing("lost.py:build")
    Traceback (most recent call last):
    visioncircuits.errors.InputError: there is no file lost.py; a network of your own is ...
    """
    if is_onnx_file(network(name)):
        if not Path(name).expanduser().is_file():
            raise InputError(
                f"there is no file {name}; an ONNX file's path is relative to where you are, or in "
                "a recipe to the recipe"
            )
    elif is_python_file(name):
        file, _ = python_file(name)
        if not Path(file).expanduser().is_file():
            raise InputError(
                f"there is no file {file}; a network of your own is file.py:function, the file's "
                "path relative to where you are, or in a recipe to the recipe"
            )
    return name


def absolute(name: str, *, folder: Path | None = None) -> str:
    """Return the name with a file's path made absolute, relative to `folder`.

    Examples
    --------
    >>> absolute("bvlc_googlenet")
    'bvlc_googlenet'
    >>> absolute("my_cnn.py:build", folder=Path("/models"))
    '/models/my_cnn.py:build'
    """
    if is_onnx_file(name):
        return _absolute(name, folder)
    if not is_python_file(name):
        return name
    file, function = python_file(name)
    return f"{_absolute(file, folder)}:{function}"


def _absolute(file: str, folder: Path | None) -> str:
    path = Path(file).expanduser()
    return str((folder / path if folder else path).absolute())


def unit(text: str) -> tuple[str, int]:
    """Parse `layer:unit`.

    Raises
    ------
    InputError
        Where the text is not a layer's name, a colon and a number.

    Examples
    --------
    >>> unit("mixed3b:379")
    ('mixed3b', 379)
    """
    layer, _, number = text.strip().rpartition(":")
    if not layer or not re.fullmatch(r"[0-9]+", number):
        raise InputError(f"{text!r} is not a unit; write layer:number, such as mixed3b:379")
    return layer, int(number)


def feature(text: str) -> tuple[str, int | str]:
    """Parse `layer:unit`, or `layer:class` with the name of a class.

    Raises
    ------
    InputError
        Where the text is not a layer's name, a colon, and a number or a name.

    Examples
    --------
    >>> feature("mixed3b:379"), feature("logits:golden retriever")
    (('mixed3b', 379), ('logits', 'golden retriever'))
    """
    layer, _, name = text.strip().rpartition(":")
    if not layer or not name.strip():
        raise InputError(
            f"{text!r} is not a unit; write layer:number, such as mixed3b:379, or a class of the "
            "network's output, such as logits:Chihuahua"
        )
    return layer, int(name) if re.fullmatch(r"[0-9]+", name) else name.strip()


def description(text: str) -> str | None:
    """Parse `text:a photo of a dog`; None for other features.

    Raises
    ------
    InputError
        Where nothing follows the colon.

    Examples
    --------
    >>> description("text:a photo of a dog"), description("mixed3b:379")
    ('a photo of a dog', None)
    """
    prefix, colon, words = text.partition(":")
    if prefix.strip() != TEXT or not colon:
        return None
    if not words.strip():
        raise InputError(f"{text!r} has no text; write it like 'text:a photo of a dog'")
    return words.strip()


def features_file(text: str) -> tuple[str, Path] | None:
    """Parse `layer:file.npy`, `layer:file.json` or `file.json`; None for what names no file.

    The layer is empty where none is written.

    Raises
    ------
    InputError
        For a `.npy` file without a layer.

    Examples
    --------
    >>> features_file("mixed3b:probes/dog.npy")
    ('mixed3b', PosixPath('probes/dog.npy'))
    >>> features_file("mixed3b:413")
    """
    if description(text) is not None:
        return None
    layer, _, file = text.strip().rpartition(":")
    path = Path(file).expanduser()
    if path.suffix.lower() not in FEATURE_FILES:
        return None
    if not layer and path.suffix.lower() == ".npy":
        raise InputError(f"{text!r} names no layer; write layer:{file}, such as mixed3b:{file}")
    return layer, path


def is_layer(text: str) -> bool:
    """Return whether text names a whole layer: neither a unit of one nor a file of features.

    Examples
    --------
    >>> [is_layer(text) for text in ("mixed3b", "mixed3b:413", "dog.json")]
    [True, False, False]
    """
    return ":" not in text and features_file(text) is None


def existing_features(text: str) -> str:
    """Return `layer:unit`, `layer:class`, `text:…` or what names a file of features, checked.

    Raises
    ------
    InputError
        Where the text is none of these, or the file is not there.

    Examples
    --------
    >>> existing_features("mixed3b:lost.npy")
    Traceback (most recent call last):
    visioncircuits.errors.InputError: there is no file lost.npy; a direction is written ...
    """
    named = features_file(text)
    if named is None:
        feature(text)
    elif not named[1].is_file():
        raise InputError(
            f"there is no file {named[1]}; a direction is written layer:file.npy, such as "
            "mixed3b:dog.npy, or file.json, the file's path relative to where you are"
        )
    return text
