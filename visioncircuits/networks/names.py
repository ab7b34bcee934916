"""Names of networks and units as users write them, checked before torch is imported."""

import difflib
import re
from pathlib import Path

from visioncircuits import errors
from visioncircuits.errors import InputError
from visioncircuits.networks import own_names

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

    `load` checks what follows a prefix, and that a file or module has the function.

    Raises
    ------
    InputError
        For a name that no network has, or options of one that takes none.

    Examples
    --------
    >>> network("torchvision:resnet18")
    'torchvision:resnet18'
    """
    if is_onnx_file(name):
        return name
    plain = name.partition("?")[0]
    prefix, _, rest = plain.partition(":")
    if plain in PUBLISHED or is_onnx_file(plain) or (rest and prefix in PREFIXES):
        if plain != name:
            raise InputError(
                f"{plain} takes no options; functions of your own do, as my_cnn.py:build?depth=18"
            )
        return name
    if prefix in PREFIXES or own_names.parse(name) is None:
        raise _unknown(name, prefix, rest)
    return name


def _unknown(name: str, prefix: str, rest: str) -> InputError:
    others = ", ".join(f"{each}:NAME" for each in PREFIXES)
    hint = (
        f"others are {others}, my_cnn.py:FUNCTION, package.module:FUNCTION or net.onnx, and "
        "`visioncircuits networks` lists them"
    )
    near = difflib.get_close_matches(prefix, PREFIXES) if rest else []
    if rest and not near:
        return InputError(
            f"unknown network {name!r}: no module {prefix!r} is here or installed; {hint}"
        )
    known = [f"{each}:{rest}" for each in near] or PUBLISHED
    return errors.unknown("network", name, known, hint=hint)


def is_onnx_file(name: str) -> bool:
    """Check whether a name is the path of an ONNX file.

    Examples
    --------
    >>> is_onnx_file("models/net.onnx"), is_onnx_file("my_cnn.py:build")
    (True, False)
    """
    return name.lower().endswith(".onnx") and name.partition(":")[0] not in PREFIXES


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
    own = _own(name)
    if is_onnx_file(name) and not Path(name).expanduser().is_file():
        raise InputError(
            f"there is no file {name}; an ONNX file's path is relative to where you are, or in a "
            "recipe to the recipe"
        )
    if own is not None and own.is_file and not Path(own.source).expanduser().is_file():
        raise InputError(
            f"there is no file {own.source}; a network of your own is file.py:function, the file's "
            "path relative to where you are, or in a recipe to the recipe"
        )
    return name


def absolute(name: str, *, folder: Path | None = None) -> str:
    """Return the name with a file's path made absolute, relative to `folder`.

    A module's has the current folder before it, to import it from.

    Examples
    --------
    >>> absolute("bvlc_googlenet")
    'bvlc_googlenet'
    >>> absolute("my_cnn.py:build", folder=Path("/models"))
    '/models/my_cnn.py:build'
    """
    own, folder = _own(name), folder or Path.cwd()
    if is_onnx_file(name):
        return str((folder / Path(name).expanduser()).absolute())
    return name if own is None else own.within(folder)


def _own(name: str) -> own_names.OwnName | None:
    prefix, _, _ = network(name).partition(":")
    return None if prefix in PREFIXES or is_onnx_file(name) else own_names.parse(name)


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
