"""Evidence: what units answered to a hypothesis' stimuli, their variants and the controls."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from visioncircuits.errors import unknown
from visioncircuits.networks import Direction, Feature, Network
from visioncircuits.stimuli import StimulusSet
from visioncircuits.tuning.responses import measure


@dataclass(frozen=True)
class Evidence:
    """Answers of some units, all to the same stimuli.

    Attributes
    ----------
    units
        Their names.
    answers
        Positive part of what they answered, `(units, variants, *axes)`.
    axes
        Name to values of each of the stimuli's axes.
    controls
        Name of each control to the strongest answer to any of its stimuli, `(units,)`.
    deviations
        Standard deviations of the units' activations over photographs, `(units,)`, where known.
    typical
        How far half of a layer's units are driven by the stimulus that drives them most, where
        the evidence is of a layer, or was.
    """

    units: tuple[str, ...]
    answers: Float[np.ndarray, "units variants *axes"]
    axes: Mapping[str, np.ndarray]
    controls: Mapping[str, Float[np.ndarray, " units"]]
    deviations: Float[np.ndarray, " units"] | None = None
    typical: float = float("nan")

    @cached_property
    def mean(self) -> Float[np.ndarray, "units *axes"]:
        """Answers averaged over the variants."""
        return np.asarray(self.answers.mean(1))

    @cached_property
    def peak(self) -> Float[np.ndarray, " units"]:
        """The strongest average answer to any one stimulus."""
        return np.asarray(self.mean.reshape(len(self.units), -1).max(1))

    def tuning(self, axis: str) -> Float[np.ndarray, "units values"]:
        """Answers over one axis, averaged over variants and all other axes."""
        return self._over(axis).mean(1)

    def best(self, axis: str) -> Float[np.ndarray, "units values"]:
        """Answers over one axis, averaged over variants, the strongest over all other axes."""
        return self._over(axis).max(1)

    def _over(self, axis: str) -> Float[np.ndarray, "units others values"]:
        last = np.moveaxis(self.mean, 1 + self.place(axis), -1)
        return last.reshape(len(self.units), -1, len(self.axes[axis]))

    def place(self, axis: str) -> int:
        """Which of the axes it is.

        Raises
        ------
        InputError
            Where the stimuli have no such axis.
        """
        if axis not in self.axes:
            raise unknown("axis of the hypothesis' stimuli", axis, self.axes)
        return list(self.axes).index(axis)

    def of_layer(self) -> "Evidence":
        """The same, its units taken for all of a layer's: the typical one is known."""
        strongest = np.max([self.peak, *self.controls.values()], 0)
        return replace(self, typical=float(np.median(strongest)))

    def resampled(self, variants: Int[np.ndarray, " variants"]) -> "Evidence":
        """The same with other variants in place of these, as the bootstrap draws them."""
        return replace(self, answers=self.answers[:, variants])

    def shuffled(self, generator: np.random.Generator) -> "Evidence":
        """The same answers, given to other stimuli and variants: one shuffle for all units."""
        flat = self.answers.reshape(len(self.units), -1)
        order = generator.permutation(flat.shape[1])
        return replace(self, answers=flat[:, order].reshape(self.answers.shape))

    def of(self, units: Sequence[int]) -> "Evidence":
        """The evidence of some of the units."""
        index = np.asarray(units)
        return replace(
            self,
            units=tuple(self.units[i] for i in units),
            answers=self.answers[index],
            controls={name: found[index] for name, found in self.controls.items()},
            deviations=None if self.deviations is None else self.deviations[index],
        )


@dataclass(frozen=True)
class Answers:
    """What some units of a layer answered, before anything is made of it.

    Attributes
    ----------
    units
        Their names.
    shown
        What they answered to the stimuli, `(units, variants, *axes)`.
    axes
        Name to values of each of the stimuli's axes.
    controls
        Name of each control to the answers to its stimuli, `(units, stimuli)`.
    """

    units: tuple[str, ...]
    shown: Float[np.ndarray, "units variants *axes"]
    axes: Mapping[str, np.ndarray]
    controls: Mapping[str, Float[np.ndarray, "units _"]]

    def along(self, directions: Sequence[Direction]) -> "Answers":
        """What directions answered, where these units are all of their layer's.

        Directions are sums over units, so nothing has to be shown again.

        Raises
        ------
        InputError
            Where a direction has more or fewer weights than there are units.

        Examples
        --------
        >>> two = Answers(("a:0", "a:1"), np.array([[[1.0, 2.0]], [[3.0, 0.0]]]), {}, {})
        >>> two.along([Direction("a", (1.0, -1.0), name="difference")]).shown.tolist()
        [[[-2.0, 2.0]]]
        """
        vectors = np.stack([d.vector(len(self.units)).numpy() for d in directions])
        return Answers(
            tuple(map(str, directions)),
            np.tensordot(vectors, self.shown, 1),
            self.axes,
            {name: vectors @ found for name, found in self.controls.items()},
        )

    def joined(self, other: "Answers") -> "Answers":
        """Those of both, to the same stimuli."""
        return Answers(
            self.units + other.units,
            np.concatenate([self.shown, other.shown]),
            self.axes,
            {
                name: np.concatenate([found, other.controls[name]])
                for name, found in self.controls.items()
            },
        )

    def evidence(self, deviations: np.ndarray | None = None) -> Evidence:
        """Make evidence of them: what is below zero counts nothing."""
        return Evidence(
            units=self.units,
            answers=self.shown.clip(0),
            axes=self.axes,
            controls={name: found.max(1).clip(0) for name, found in self.controls.items()},
            deviations=deviations,
        )


def ask(
    network: Network,
    features: str | Feature | Sequence[str | Feature],
    stimuli: StimulusSet,
    *,
    variants: Sequence[Mapping[str, object]],
    controls: Mapping[str, StimulusSet],
    advance: Callable[[int], object] = lambda more: None,
) -> Answers:
    """Show units a set in all its variants, and the controls.

    Parameters
    ----------
    network, features, advance
        As for `measure`.
    stimuli
        The set.
    variants
        Parameters of the set's family that are fixed otherwise in each variant.
    controls
        Sets of other families.

    Raises
    ------
    InputError
        As `measure`.
    """
    found = [
        measure(network, features, stimuli.fix(**variant), advance=advance) for variant in variants
    ]
    others = {
        name: measure(network, features, control, advance=advance)
        for name, control in controls.items()
    }
    return Answers(
        units=tuple(str(unit) for unit in found[0]["unit"].values),
        shown=np.stack([answers.values for answers in found], 1),
        axes={name: found[0][name].values for name in stimuli.axes},
        controls={
            name: answers.values.reshape(len(answers), -1) for name, answers in others.items()
        },
    )


def gather(
    network: Network,
    features: str | Feature | Sequence[str | Feature],
    stimuli: StimulusSet,
    *,
    variants: Sequence[Mapping[str, object]],
    controls: Mapping[str, StimulusSet],
    deviations: np.ndarray | None = None,
    advance: Callable[[int], object] = lambda more: None,
) -> Evidence:
    """Make evidence of what units answer to a set in all its variants, and to the controls.

    Parameters
    ----------
    network, features, stimuli, variants, controls, advance
        As for `ask`.
    deviations
        Of the units' activations over photographs.

    Raises
    ------
    InputError
        As `measure`.
    """
    answers = ask(network, features, stimuli, variants=variants, controls=controls, advance=advance)
    return answers.evidence(deviations)
