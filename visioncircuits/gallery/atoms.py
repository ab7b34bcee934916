"""The dictionary that a recipe names of a layer, checked, and which of its atoms are shown."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from visioncircuits.dictionaries import Dictionary, Evaluation
from visioncircuits.errors import InputError
from visioncircuits.gallery.recipe import Source
from visioncircuits.gallery.recipe_tables import DictionaryChoice, most_used
from visioncircuits.networks import Direction, Feature, Layer, Network


@dataclass(frozen=True, eq=False)
class Atoms:
    """Atoms of a dictionary that a gallery shows, and what they are compared with.

    Attributes
    ----------
    dictionary
        Whole: other layers' weights are to and from all of its atoms.
    numbers
        Of the atoms that are shown, in this order.
    second
        The same fitted from another seed.
    evaluation
        Of the dictionary.
    files
        Of each, its name and SHA-256: what was made from other files is made anew.
    """

    dictionary: Dictionary
    numbers: tuple[int, ...]
    second: Dictionary | None
    evaluation: Evaluation | None
    files: Mapping[str, tuple[str, str]]

    @cached_property
    def features(self) -> dict[int, Direction]:
        """All atoms of the dictionary, by number."""
        return dict(enumerate(self.dictionary.features))

    def number(self, feature: Feature) -> int:
        """Return the number of an atom of the dictionary."""
        return self._numbers[str(feature)]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {str(feature): number for number, feature in self.features.items()}

    @property
    def shown(self) -> tuple[Direction, ...]:
        """The atoms that are shown."""
        return tuple(self.features[number] for number in self.numbers)

    def sibling(self, number: int) -> Direction:
        """Return an atom of the second dictionary, named so that it differs from the first's."""
        assert self.second is not None
        return Direction(self.second.layer, self.second.atoms[number], name=sibling(number))


def sibling(number: int) -> str:
    """Return what an atom of the second dictionary is called within its layer.

    Examples
    --------
    >>> sibling(7)
    'second atom 7'
    """
    return f"second atom {number}"


def read(
    source: Source,
    at: tuple[str | int, ...],
    choice: DictionaryChoice,
    network: Network,
    layer: Layer,
) -> Atoms:
    """Read what a recipe names at `at`, and check that it is of the layer.

    Raises
    ------
    InputError
        With the recipe's line: for a file that is missing or holds something else, a dictionary
        of another layer or network, an atom that there is not, a second dictionary of another
        shape or that is the first, and an evaluation of another dictionary.
    """
    files: dict[str, tuple[str, str]] = {}

    @contextmanager
    def of_key(key: str) -> Iterator[None]:
        try:
            yield
        except InputError as error:
            raise source.error((*at, key), str(error)) from error

    def opened(key: str, load: Callable[[Path], Any]) -> Any:
        path = source.beside(getattr(choice, key))
        if path is None:
            return None
        with of_key(key):
            content = load(path)
        files[key] = path.name, hashlib.sha256(path.read_bytes()).hexdigest()
        return content

    dictionary: Dictionary = opened("file", Dictionary.load)
    with of_key("file"):
        _check(choice.file, dictionary, network, layer)
    second: Dictionary | None = opened("second", Dictionary.load)
    if second is not None and choice.second is not None:
        with of_key("second"):
            _check(choice.second, second, network, layer)
            _check_second(choice.second, second, dictionary)
            if files["second"][1] == files["file"][1]:
                raise InputError(
                    f"{choice.second} is the same as {choice.file}; a second dictionary is trained "
                    "with another seed"
                )
    evaluation: Evaluation | None = opened("evaluation", Evaluation.load)
    with of_key("evaluation"):
        if evaluation is not None and evaluation.record["dictionary"] != dictionary.record:
            raise InputError(f"{choice.evaluation} is the evaluation of another dictionary")
    with of_key("atoms"):
        numbers = _numbers(choice, dictionary, evaluation)
    return Atoms(dictionary, numbers, second, evaluation, files)


def _check(name: str, dictionary: Dictionary, network: Network, layer: Layer) -> None:
    units = dictionary.atoms.shape[1]
    if dictionary.layer != layer.name:
        raise InputError(f"{name} is a dictionary of {dictionary.layer}, not of {layer.name}")
    if units != layer.units:
        raise InputError(
            f"the atoms of {name} have {units} weights, but {layer.name} has {layer.units} units"
        )
    found, own = dictionary.record.get("network"), network.record()
    parameters = ("checkpoint_sha256", "parameters_sha256")
    if found and not any(found.get(key) == own[key] is not None for key in parameters):
        raise InputError(
            f"{name} was found in {found.get('name')} with other parameters than those of this "
            f"{network.name}"
        )


def _check_second(name: str, second: Dictionary, dictionary: Dictionary) -> None:
    shapes = [(len(each.atoms), each.block_size) for each in (second, dictionary)]
    if shapes[0] != shapes[1]:
        (atoms, block), (others, of_others) = shapes
        raise InputError(
            f"{name} has {atoms} atoms in blocks of {block}, and the first dictionary {others} in "
            f"blocks of {of_others}; a second one differs in its seed alone"
            if block != of_others
            else f"{name} has {atoms} atoms, and the first dictionary {others}; a second one "
            "differs in its seed alone"
        )


def _numbers(
    choice: DictionaryChoice, dictionary: Dictionary, evaluation: Evaluation | None
) -> tuple[int, ...]:
    count = len(dictionary.atoms)
    if evaluation is not None and (wanted := most_used(choice.atoms)):
        firing = evaluation.atoms["firing"].to_numpy()
        return tuple(np.argsort(-firing, kind="stable")[:wanted].tolist())
    if choice.atoms == "all":
        return tuple(range(count))
    numbers = tuple(int(number) for number in choice.atoms)
    for number in numbers:
        if number >= count:
            raise InputError(f"{choice.file} has atoms 0 to {count - 1}, and no {number}")
    return numbers
