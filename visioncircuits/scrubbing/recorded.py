"""What a network computes on some pictures, recorded once for all draws."""

import numpy as np
import torch
from torch import Tensor

from visioncircuits.errors import InputError
from visioncircuits.networks import Network
from visioncircuits.scrubbing.agreement import Agreement
from visioncircuits.scrubbing.hypothesis import Variable
from visioncircuits.scrubbing.places import Place, Window, place_of
from visioncircuits.scrubbing.readings import Site
from visioncircuits.scrubbing.shown import Shown


class Recorded:
    """A network's layers on pictures, and on which pictures variables agree.

    What was recorded for one hypothesis serves others.

    Parameters
    ----------
    network, shown
        What is studied, and on which pictures.
    batch
        Pictures at once.
    """

    def __init__(self, network: Network, shown: Shown, *, batch: int = 100) -> None:
        self.network, self.shown, self.batch = network, shown, batch
        self._layers: dict[str, Tensor] = {}
        self._places: dict[tuple[object, ...], Place] = {}
        self._agreements: dict[tuple[object, ...], Agreement] = {}

    def layer(self, name: str) -> Tensor:
        """Return a layer's values on all pictures."""
        if name not in self._layers:
            parts = torch.split(self.shown.pictures, self.batch)
            found = [self.network.activations(part, [name])[name] for part in parts]
            self._layers[name] = torch.cat(found)
        return self._layers[name]

    def place(self, variable: Variable) -> Place:
        """Return where a variable is."""
        key = variable.features, variable.positions
        if key not in self._places:
            self._places[key] = place_of(self.network, variable, self.shown)
        return self._places[key]

    def values(self, variable: Variable) -> Window:
        """Return a variable's values on all pictures."""
        place = self.place(variable)
        return place.read(self.layer(place.layer))

    def agreement(self, variable: Variable) -> Agreement:
        """Return on which pictures a variable has the same value.

        Raises
        ------
        InputError
            For a reading of what is not known of the pictures.
        """
        key = (
            variable.features, variable.positions, variable.values, variable.orientations
        )  # fmt: skip
        if key not in self._agreements:
            turns = None if variable.orientations is None else np.array(variable.orientations)
            site = Site(self.number, turns, self.place(variable).offsets)
            codes = [reading.codes(site) for reading in variable.values]
            self._agreements[key] = Agreement(codes, len(self.shown))
        return self._agreements[key]

    def number(self, name: str) -> np.ndarray:
        """Return what is known of each picture, or a feature's activation at the center.

        Raises
        ------
        InputError
            For a name that is neither.
        """
        if name in self.shown.known:
            return np.asarray(self.shown.known[name], float)
        try:
            feature = Variable(name, str(self.network.feature(name)), 1)
        except InputError as error:
            known = ", ".join(self.shown.known) or "nothing"
            raise InputError(
                f"{name!r} is not known of these pictures, of which there is {known}; nor is it a "
                f"feature: {error}"
            ) from error
        return self.values(feature)[:, 0, 0, 0].double().cpu().numpy()
