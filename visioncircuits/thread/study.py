"""What the articles work with: the network, the photographs, and measurements that they share.

One class, longer than others, as every article takes all of it as one argument; each method is a
few lines. Its subclasses of `thread.stand_ins` put something else in the network's place.
"""

import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from visioncircuits import featurevis, files, fingerprint, hypotheses, networks, pictures, tuning
from visioncircuits.datasets import Photographs, photographs
from visioncircuits.engine import digest
from visioncircuits.errors import InputError
from visioncircuits.examples import Examples, collect
from visioncircuits.featurevis import objectives
from visioncircuits.interventions import control_units
from visioncircuits.interventions.scoring import classes_of
from visioncircuits.networks import Families, Feature, Network, Unit
from visioncircuits.thread import layers
from visioncircuits.thread.claims import Unavailable
from visioncircuits.thread.layers import Counterpart
from visioncircuits.weights import main_layers

PUBLISHED = "VISIONCIRCUITS_PUBLISHED"
"""The variable that names the folder of the thread's published data."""

TAXONOMY = "families_early_vision.json"
"""The published families of "An Overview of Early Vision"."""

ORIENTATIONS = "curve_preferred_orientations.json"
"""The published orientations of "Curve Detectors", in degrees."""

LEAST = 3
"""Units that make a family."""

EXAMPLES = ("conv2d2", "mixed3a", "mixed3b", "mixed4a")
"""Layers whose dataset examples are collected, in one pass that all articles share."""


@dataclass(frozen=True)
class Study:
    """A network under study, and what has been measured of it so far.

    What several articles need (detectors of a family, examples, pictures) is measured once, kept
    in `folder`, and read from there afterwards.

    Attributes
    ----------
    network
        Any network; layers are given by InceptionV1's names, see `layer`.
    folder
        For what is kept.
    images
        Photographs, if any.
    data
        The thread's published data, if any.
    quick
        Fewer photographs, steps and draws.
    seed
        Of all randomness.
    counterparts
        Layers that take the places of InceptionV1's, by its names: those that a user named, and
        those that `family_layers.placed` chose.

    Examples
    --------
    >>> study = Study(networks.untrained("bvlc_googlenet"), Path("measured"), quick=True)
    >>> study.layer("mixed3b"), study.of(1000, quick=100)
    ('mixed3b', 100)
    """

    network: Network
    folder: Path
    images: Path | None = None
    data: Path | None = None
    quick: bool = False
    seed: int = 0
    counterparts: Mapping[str, Counterpart] = field(default_factory=dict)

    def of(self, full: int, *, quick: int) -> int:
        """Choose how many: photographs, steps, draws."""
        return quick if self.quick else full

    def rng(self, name: str) -> np.random.Generator:
        """Return a generator that depends on the seed and a name alone."""
        return np.random.default_rng([self.seed, crc32(name.encode())])

    # The network

    def layer(self, name: str) -> str:
        """Return this network's counterpart of a layer of InceptionV1.

        It is the one of `counterparts`, the layer of that name, or else the main layer with the
        nearest receptive field.

        Raises
        ------
        Unavailable
            If there is none of half to double the size.
        """
        return self.layers(name)[0]

    def layers(self, name: str) -> list[str]:
        """List this network's counterparts of a layer of InceptionV1, the nearest first.

        It is the one of `counterparts`, or the layer of that name, alone; or else the main layers
        whose receptive fields are half to double as large, in the places that `counterparts` leave.

        Raises
        ------
        Unavailable
            If there is none.
        """
        placed = {
            each.name: each.layer
            for each in self.counterparts.values()
            if each.layer in self.network.layers
        }
        if name in placed or name in self.network.layers:
            return [placed.get(name, name)]
        near = list(self.near(name, placed))
        if not near:
            raise Unavailable(f"{self.network.name} has no layer like InceptionV1's {name}")
        return near

    def near(self, name: str, placed: Mapping[str, str]) -> dict[str, float]:
        """List the main layers that may be in a place; see `thread.layers.near`."""
        return layers.near(self.network, name, self._main_layers, placed)

    def renamed_layers(self) -> list[Counterpart]:
        """List the counterparts of InceptionV1's layers, where they have other names."""
        found = []
        for name in layers.FIELDS:
            try:
                layer = self.layer(name)
            except Unavailable:
                continue
            if layer != name:
                found.append(self.counterparts.get(name, Counterpart(name, layer)))
        return found

    @cached_property
    def _main_layers(self) -> tuple[str, ...]:
        return main_layers(self.network)

    def inceptionv1(self) -> Network:
        """Load Google's network.

        Raises
        ------
        Unavailable
            Without a checkpoint of it.
        """
        try:
            return self.beside(networks.load("inceptionv1"))
        except InputError:
            raise Unavailable("no checkpoint of inceptionv1") from None

    def untrained(self) -> Network:
        """Return this network with random parameters.

        Raises
        ------
        InputError
            If it is not known how to draw them.
        """
        try:
            drawn = networks.untrained(self.network.name, seed=self.seed)
        except InputError:  # of a network that has no such name
            drawn = networks.redrawn(self.network, seed=self.seed)
        return self.beside(drawn)

    def beside(self, network: Network) -> Network:
        """Return another network, computing where and as precisely as this one."""
        return network.to(self.network.device).computing_in(self.network.precision)

    def studying(self, network: Network) -> "Study":
        """Return the same study of another network."""
        return replace(self, network=network, counterparts={})

    # Families

    def judged(self, family: str, layer: str) -> pd.DataFrame:
        """Put every unit of a layer to a hypothesis' test.

        Where there are photographs, units that are doubtful on them are undecided.

        Parameters
        ----------
        family
            A predefined hypothesis: "curve", "line", "high-low", "color-contrast",
            "color-center-surround", "brightness-gradient".
        layer
            By InceptionV1's name.

        Returns
        -------
        pandas.DataFrame
            Columns `unit`, such as "mixed3b:413", `verdict`, and the parameters that each prefers,
            such as `orientation` in degrees; NaN where it responds to none.
        """
        name = self.layer(layer)
        count = self.of(1000, quick=100) if self.images else 0

        def make() -> bytes:
            seen: dict[str, Any] = {}
            if self.images and layer in EXAMPLES:
                everything = photographs(self.images, labels="none")
                seen = {"examples": self.examples(), "photographs": everything}
            elif self.images:
                seen = {"photographs": self.photographs(count)}
            verdicts = hypotheses.judge_all(self.network, name, family, **seen, seed=self.seed)
            table = hypotheses.verdict_table(verdicts).drop(columns="why")
            return str(table.to_json(orient="records")).encode()

        content = self.kept(f"{family} in {name}, {count} photographs", "json", make)
        return pd.read_json(io.BytesIO(content), orient="records", convert_axes=False)

    def found(self, family: str, layer: str) -> pd.DataFrame:
        """List the units of a layer that are detectors of a family: for how many there are.

        Parameters, columns: as `judged`.
        """
        table = self.judged(family, layer)
        return table[table["verdict"] == "supported"].reset_index(drop=True)

    def members(self, family: str, layer: str) -> pd.DataFrame:
        """As `found`, for which properties they have: stand-ins replace them.

        Parameters, columns: as `judged`.
        """
        return self.found(family, layer)

    def detectors(self, family: str, layer: str, *, least: int = LEAST) -> pd.DataFrame:
        """As `members`, sorted by orientation where they have one.

        Raises
        ------
        Unavailable
            If fewer than `least` are found.
        """
        table = self.members(family, layer)
        if len(table) < least:
            raise Unavailable(
                f"{len(table)} {family} detectors found in {self.layer(layer)} of "
                f"{self.network.name}; {least} are needed"
            )
        if "orientation" in table:
            table = table.sort_values("orientation", ignore_index=True)
        return table

    def siblings(self, units: Sequence[str], draw: int) -> list[str]:
        """Draw as many other units from the branches of some units, as a null.

        Where examples of the layer are collected, units that are active as often.

        Parameters
        ----------
        units
            Of one layer.
        draw
            Which draw.

        Raises
        ------
        Unavailable
            If there are not so many.
        """
        layer = self.network.feature(units[0]).layer
        rates = self.examples() if self.images and layer in self._example_layers else None
        try:
            drawn = control_units(self.network, units, photographs=rates, seed=self.seed + draw)
        except InputError as error:
            raise Unavailable(str(error)) from None
        return [str(unit) for unit in drawn]

    # Photographs

    def photographs(self, most: int) -> list[Path]:
        """List photographs, evenly spaced over the folder.

        Raises
        ------
        Unavailable
            Without photographs.
        """
        if self.images is None:
            raise Unavailable("no photographs; give --photographs")
        paths = pictures.listed(self.images)
        places = np.unique(np.linspace(0, len(paths) - 1, min(most, len(paths))).round())
        return [paths[int(place)] for place in places]

    def photograph(self, name: str) -> Float[Tensor, "3 side side"]:
        """Read one photograph by its name in `examples()`, at the network's size."""
        assert self.images is not None
        return pictures.read(self.images / name, self.network.size)

    def batches(self, most: int, *, size: int = 16) -> Iterator[Float[Tensor, "_ 3 side side"]]:
        """Read `photographs(most)` in batches, in [0, 1]."""
        found = photographs(self.photographs(most), labels="none")
        yield from found.batches(self.network.size, size)

    def classified(self, most: int) -> Photographs:
        """Return photographs with their ImageNet classes.

        Raises
        ------
        Unavailable
            Without photographs, or if they are not named after their classes.
        """
        self.photographs(most)
        assert self.images is not None
        try:
            everything = photographs(self.images, labels="wordnet")
        except InputError as error:
            raise Unavailable(str(error)) from None
        count = min(most, len(everything))
        places = np.unique(np.linspace(0, len(everything) - 1, count).round().astype(int))
        return everything.part(places.tolist())

    def scorable(self, most: int) -> Photographs:
        """As `classified`, for scoring the network's logits.

        Raises
        ------
        Unavailable
            Also if the logits are not known to be of ImageNet's classes.
        """
        chosen = self.classified(most)
        try:
            classes_of(self.network, chosen)
        except InputError as error:
            raise Unavailable(str(error)) from None
        return chosen

    def examples(self) -> Examples:
        """Collect dataset examples and activation statistics of `EXAMPLES`, in one pass.

        Layers that the network has no counterpart of are left out.

        Raises
        ------
        Unavailable
            Without photographs.
        """
        return self._examples

    @cached_property
    def _examples(self) -> Examples:
        names = self._example_layers
        count = self.of(1000, quick=100)
        paths = self.photographs(count)
        what = f"examples of {names} in {count}"

        def make() -> bytes:
            chosen = photographs(paths, labels="none")
            chosen = replace(
                chosen, names=tuple(path.relative_to(str(self.images)).as_posix() for path in paths)
            )
            return collect(self.network, names, chosen, seed=self.seed).packed()

        self.kept(what, "npz", make)
        return Examples.load(self.place(what, "npz", make))

    @property
    def _example_layers(self) -> list[str]:
        names = []
        for layer in EXAMPLES:
            with suppress(Unavailable):
                names.append(self.layer(layer))
        return names

    def deviations(self, layer: str) -> xr.DataArray:
        """Measure a layer's standard deviations over photographs, the unit of the heat maps.

        Raises
        ------
        Unavailable
            Without photographs.
        """
        name, count = self.layer(layer), self.of(400, quick=60)
        paths = self.photographs(count)

        def make() -> bytes:
            found = tuning.deviations(self.network, name, paths)
            buffer = io.BytesIO()
            np.save(buffer, found.values)
            return buffer.getvalue()

        values = np.load(io.BytesIO(self.kept(f"deviations of {name} in {count}", "npy", make)))
        units = [f"{name}:{unit}" for unit in range(len(values))]
        return xr.DataArray(values, {"unit": units}, ("unit",))

    # Pictures

    def picture(self, feature: Feature | str) -> Image.Image:
        """Render the picture that activates a feature most."""
        return self.pictures([feature])[0]

    def pictures(self, features: Sequence[Feature | str]) -> list[Image.Image]:
        """Render the picture that activates each feature most, with a gallery's settings."""
        steps = self.of(128, quick=24)

        def drawn(feature: Feature) -> bytes:
            settings = featurevis.suited(self.network, feature.layer, steps=steps, seed=self.seed)
            made = featurevis.render(self.network, objectives.neuron(feature), settings=settings)
            buffer = io.BytesIO()
            made.image().save(buffer, "PNG")
            return buffer.getvalue()

        found = []
        for feature in features:
            one = self.network.feature(feature) if isinstance(feature, str) else feature
            name = str(one) if isinstance(one, Unit) else repr(one)
            content = self.kept(f"{name}, {steps} steps", "png", partial(drawn, one))
            found.append(Image.open(io.BytesIO(content)).convert("RGB"))
        return found

    def thumbnails(self, features: Sequence[Feature | str]) -> dict[str, Image.Image]:
        """Return the same pictures by the features' names, as plots take them."""
        return dict(zip(map(str, features), self.pictures(features), strict=True))

    # What was published

    def published(self, name: str) -> Path:
        """Return the path of a file of the thread's published data.

        Raises
        ------
        Unavailable
            If the folder or the file is missing.
        """
        if self.data is None:
            raise Unavailable(f"no published data; give --published or set {PUBLISHED}")
        path = self.data / name
        if not path.exists():
            raise Unavailable(f"{path} is missing")
        return path

    def taxonomy(self) -> Families:
        """Read the published families of early vision.

        Raises
        ------
        Unavailable
            If the folder or the file is missing.
        """
        return Families.load(self.published(TAXONOMY))

    def orientations(self) -> dict[str, dict[int, float]]:
        """Read the published preferred orientations of curve detectors, by layer and unit.

        Raises
        ------
        Unavailable
            If the folder or the file is missing.
        """
        table = json.loads(self.published(ORIENTATIONS).read_text("utf-8"))
        return {
            layer: {int(unit): float(found["argmax_deg"]) for unit, found in units.items()}
            for layer, units in table["units"].items()
        }

    # What is kept

    @cached_property
    def _content(self) -> str | None:
        """Fingerprint of the photographs, independent of their folder."""
        return None if self.images is None else pictures.fingerprint(self.images)

    def place(self, what: str, suffix: str, make: Callable[[], bytes]) -> Path:
        """Return the path that a measurement is kept at, by all that it depends on."""
        function = make.func if isinstance(make, partial) else make
        content: dict[str, Any] = {
            "what": what,
            "network": self.network.record(),
            "device": self.network.device.type,
            "images": self._content,
            "seed": self.seed,
            "code": fingerprint.code(),
            "source": fingerprint.of_article(function.__module__),
        }
        return self.folder / f"{digest(content)}.{suffix}"

    def kept(self, what: str, suffix: str, make: Callable[[], bytes]) -> bytes:
        """Return a measurement; made if it is not kept yet, by one process while others wait."""
        path = self.place(what, suffix, make)
        with _held(path.with_suffix(".lock")):
            if not path.exists():
                files.write(path, make())
        return path.read_bytes()


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Wait until no other process holds `path`, and hold it; it ends with the process."""
    with files.explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        files.lock(handle, wait=True)
        yield
    finally:
        os.close(handle)
