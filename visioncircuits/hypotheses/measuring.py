"""Measuring what is shown to test hypotheses: each different stimulus set once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from visioncircuits.hypotheses.evidence import VariantResponses
from visioncircuits.networks import Features, Network, select
from visioncircuits.progress import bar
from visioncircuits.stimuli import Stimuli, StimulusSet, stimulus_set
from visioncircuits.tuning.responses import distinct, measured_together


def measure_responses(
    network: Network,
    features: Features,
    stimuli: Stimuli,
    *,
    variants: Sequence[Mapping[str, object]] = ({},),
    controls: Mapping[str, StimulusSet] = MappingProxyType({}),
    progress: bool = False,
) -> VariantResponses:
    """Measure the responses of features to a set in all its variants, and to the controls.

    Parameters
    ----------
    network, features, progress
        As for `tuning.measure`.
    stimuli
        As for `tuning.measure`.
    variants
        Parameters of the set's family that are fixed otherwise in each variant.
    controls
        Sets of other families, by name.

    Raises
    ------
    InputError
        As `tuning.measure`.

    Examples
    --------
    >>> from visioncircuits.networks import untrained
    >>> from visioncircuits.stimuli import named
    >>> few = named("edges").isel(orientation=slice(0, None, 6))
    >>> measure_responses(
    ...     untrained("bvlc_googlenet"), "conv2d0", few, variants=[{}, {"x": 1.0}]
    ... ).values.shape
    (64, 2, 12)
    """
    shown = Shown(stimulus_set(stimuli), variants, controls)
    return measure_each(network, features, [shown], progress=progress)[0]


@dataclass(frozen=True)
class Shown:
    """What is shown to test a hypothesis: a set, how it is varied, and its controls.

    Attributes
    ----------
    stimuli
        The set.
    variants
        Parameters of its family that are fixed otherwise in each variant.
    controls
        Sets of other families, by name.
    """

    stimuli: StimulusSet
    variants: Sequence[Mapping[str, object]]
    controls: Mapping[str, StimulusSet]

    @property
    def sets(self) -> list[StimulusSet]:
        """Each variant, then each control."""
        return [
            *(self.stimuli.fix(**variant) for variant in self.variants),
            *self.controls.values(),
        ]


def measure_each(
    network: Network, features: Features, shown: Sequence[Shown], *, progress: bool = False
) -> list[VariantResponses]:
    """Measure what is shown for several hypotheses, as `measure_responses` does for one.

    A set that several of them share, as a control mostly is, goes through the network once.
    """
    sets = [each.sets for each in shown]
    flat = [one for each in sets for one in each]
    units = tuple(str(feature) for feature in select(network, features).features)
    with bar("stimuli", sum(map(len, distinct(flat))), visible=progress) as advance:
        values = iter(measured_together(network, features, flat, advance=advance))
    found = []
    for each, own in zip(shown, sets, strict=True):
        measured = [next(values) for _ in own]
        controls = measured[len(each.variants) :]
        found.append(
            VariantResponses(
                units=units,
                values=np.stack(measured[: len(each.variants)], 1),
                axes={name: np.array(list(axis)) for name, axis in each.stimuli.axes.items()},
                controls={
                    name: control.reshape(len(units), -1)
                    for name, control in zip(each.controls, controls, strict=True)
                },
            )
        )
    return found
