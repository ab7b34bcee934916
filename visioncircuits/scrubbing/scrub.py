"""Causal scrubbing: what is left of a behavior where all that a hypothesis allows is exchanged.

The claims, the result and the one function that makes them, in some 300 lines.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float64
from scipy.stats import t

from visioncircuits import __version__, files
from visioncircuits.interventions.intervals import LEVEL
from visioncircuits.networks import Network
from visioncircuits.numbers import whole
from visioncircuits.progress import bar
from visioncircuits.scrubbing.alternatives import alternatives_to
from visioncircuits.scrubbing.hypothesis import CausalHypothesis
from visioncircuits.scrubbing.losses import Loss
from visioncircuits.scrubbing.places import Window
from visioncircuits.scrubbing.recorded import Recorded
from visioncircuits.scrubbing.resampling import References, Resampling, Source
from visioncircuits.scrubbing.shown import Shown

Kind = Literal["whole", "values", "inputs", "alternative"]
"""What is scrubbed: everything; what one variable's values depend on; what it is computed from; or
everything, by another hypothesis."""


@dataclass(frozen=True, eq=False)
class Claim:
    """A claim, and the share of the behavior that is kept where it alone is scrubbed.

    Attributes
    ----------
    name
        The variable's, the hypothesis's, or the alternative's.
    kind
        What is scrubbed.
    shares
        Kept, by draw and picture: on average 1 for all of the behavior, and 0 for nothing.
    pictures
        From how many pictures each exchange is drawn, on average; None where there are several.
        A claim with 1 is empty: it exchanges nothing.

    Examples
    --------
    >>> claim = Claim("lines", "values", np.array([[0.9, 1.0], [1.0, 0.9], [0.95, 0.95]]))
    >>> round(claim.share, 3), [round(end, 3) for end in claim.interval]
    (0.95, [0.893, 1.007])
    """

    name: str
    kind: Kind
    shares: Float64[np.ndarray, "draws pictures"]
    pictures: float | None = None

    @property
    def share(self) -> float:
        """The mean over draws and pictures."""
        return float(self.shares.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval over draws, on these pictures, by Student's t.

        The exchanges of each picture are drawn by themselves, so that their variances add up.
        """
        draws, pictures = self.shares.shape
        error = np.sqrt(self.shares.var(0, ddof=1).sum() / draws) / pictures
        reach = float(t.ppf((1 + LEVEL) / 2, (draws - 1) * pictures) * error)
        return self.share - reach, self.share + reach

    def __str__(self) -> str:
        return {
            "whole": f"all of “{self.name}”",
            "values": f"{self.name}: values",
            "inputs": f"{self.name}: inputs",
            "alternative": self.name,
        }[self.kind]

    def row(self) -> dict[str, Any]:
        """Return it as a row of a table."""
        low, high = self.interval
        row = {"claim": str(self), "share": self.share, "low": low, "high": high}
        return row | {"pictures": self.pictures}


@dataclass(frozen=True, eq=False, repr=False)
class Scrubbed:
    """What is left of a behavior where all that a hypothesis allows is exchanged.

    A hypothesis that keeps all of it is not proven: it need not name all that matters where that
    does not vary on these pictures, a coarser or a smaller one may keep as much, and a finer one
    always does. `rivals` lists the alternatives that score as well. A notebook shows the
    `scrub_panel`.

    Attributes
    ----------
    whole
        Of the hypothesis as a whole.
    claims
        Of each claim by itself, all else as it is in the network: what a variable's values depend
        on, and what it is computed from.
    alternatives
        Other hypotheses as a whole.
    correlation
        Of the scrubbed behavior with the original one, over values, pictures and draws.
    record
        How to make it again, as plain data.
    """

    whole: Claim
    claims: tuple[Claim, ...]
    alternatives: tuple[Claim, ...]
    correlation: float
    record: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        low, high = self.whole.interval
        return (
            f"<Scrubbed {self.whole.name}: {self.whole.share:.1%} kept ({low:.1%} … {high:.1%}), "
            f"{len(self.rivals)} of {len(self.alternatives)} alternatives as well>"
        )

    @property
    def rivals(self) -> tuple[Claim, ...]:
        """The alternatives that score as well: not below the hypothesis by more than chance."""
        low, _ = self.whole.interval
        return tuple(
            other
            for other in self.alternatives
            if other.share >= self.whole.share or other.interval[1] >= low
        )

    def rows(self) -> list[dict[str, Any]]:
        """Return every claim as a row of a table: its share, the interval, and the pictures."""
        return [claim.row() for claim in (self.whole, *self.claims, *self.alternatives)]

    def save(self, path: str | Path) -> Path:
        """Write it as JSON, whole or not at all.

        Raises
        ------
        InputError
            For another suffix than `.json`, or where the file cannot be written.
        """
        content = {
            "share": self.whole.share,
            "interval": self.whole.interval,
            "correlation": self.correlation,
            "rows": self.rows(),
            "rivals": [other.name for other in self.rivals],
            "record": self.record,
        }
        return files.write_json(path, content, indent=1)

    def _repr_png_(self) -> bytes:
        from visioncircuits.scrubbing.scrub_panel import scrub_panel

        return scrub_panel(self)._repr_png_()


@torch.inference_mode()
def scrub(
    network: Network,
    hypothesis: CausalHypothesis,
    shown: Shown,
    *,
    alternatives: Mapping[str, CausalHypothesis] | None = None,
    draws: int = 20,
    seed: int = 0,
    batch: int = 100,
    progress: bool = False,
) -> Scrubbed:
    """Exchange all activations that a hypothesis allows to exchange, and measure what is kept.

    From the behavior down, what it is claimed to be computed from is replaced by its activation
    on a random picture that agrees in its values, there computed from what it is claimed to be
    computed from, and so on; what is not claimed is replaced by its activation on any picture. So
    "Causal scrubbing" (Chan et al., 2022) tests a hypothesis. The share kept is 1 less the loss
    over that of the behavior on any picture at all.

    Parameters
    ----------
    network
        Any network.
    hypothesis
        What is claimed.
    shown
        The pictures, with what is known of each: `drawn_stimuli`, `shown_photographs`.
    alternatives
        Other hypotheses, by name; by default those of `alternatives_to`.
    draws
        How often every picture's exchanges are drawn; 2 or more.
    seed
        Of the draws.
    batch
        Pictures at once.
    progress
        Whether to show a bar.

    Raises
    ------
    InputError
        For a hypothesis that does not fit the network or the pictures, and a behavior that does
        not vary on these.

    Examples
    --------
    >>> from visioncircuits.handwritten import load
    >>> from visioncircuits.scrubbing import Reading, Variable, drawn_stimuli
    >>> from visioncircuits.stimuli import named
    >>> network = load("lines")
    >>> lines = named("lines").sel(width=4).vary(ink=["black", "white"]).fix(ground="gray")
    >>> same = Variable("line", "mixed3a:0", 1, (Reading("orientation", step=5),))
    >>> claimed = CausalHypothesis("horizontal", "mixed3a:0", ("line",), (same,))
    >>> found = scrub(network, claimed, drawn_stimuli(network, "mixed3a", lines), draws=3)
    >>> round(found.whole.share, 2)
    1.0
    """
    whole("draws", draws, least=2)
    whole("batch", batch, least=1)
    others = (
        alternatives_to(network, hypothesis, seed=seed) if alternatives is None else alternatives
    )
    for each in (hypothesis, *others.values()):
        each.check(network)
    recorded = Recorded(network, shown, batch=batch)
    for variable in hypothesis.variables:
        recorded.agreement(variable)  # so that what is not known is reported at once
    scale = _loss(hypothesis, recorded)
    references = torch.arange(len(shown)).repeat(draws)

    def drawn(claimed: CausalHypothesis) -> Resampling:
        return Resampling(recorded, claimed, torch.Generator().manual_seed(seed))

    def behavior(claimed: CausalHypothesis) -> Window:
        resampling = drawn(claimed)
        return resampling.from_claims(claimed.output(), references, resampling.scrubbed)

    def share(found: Window) -> np.ndarray:
        return scale.shares(found[:, :, 0, 0].reshape(draws, len(shown), -1).cpu()).numpy()

    own = [hypothesis.output(), *hypothesis.variables]
    count = len(own) + sum(each.depends is not None for each in own[1:]) + len(others)
    with bar("claims", count + bool(own[1:]), visible=progress) as step:
        kept = behavior(hypothesis)
        step(1)
        claims = []
        for name, kind, found, pictures in _claims(drawn(hypothesis), references):
            claims.append(Claim(name, kind, share(found), pictures))
            step(1)
        rivals = []
        for name, other in others.items():
            rivals.append(Claim(name, "alternative", share(behavior(other))))
            step(1)
    original = recorded.values(hypothesis.output())[references]
    return Scrubbed(
        Claim(hypothesis.name, "whole", share(kept)),
        tuple(claims),
        tuple(rivals),
        float(np.corrcoef(kept.flatten().cpu(), original.flatten().cpu())[0, 1]),
        {
            "visioncircuits": __version__,
            "device": network.device.type,
            "network": network.record(),
            "hypothesis": hypothesis.record(),
            "pictures": len(shown),
            "shown": dict(shown.record),
            "draws": draws,
            "seed": seed,
        },
    )


def _loss(hypothesis: CausalHypothesis, recorded: Recorded) -> Loss:
    known = recorded.shown.known.get("class")
    classes = None if known is None else torch.from_numpy(known).long()
    return Loss(hypothesis.measure, recorded.values(hypothesis.output())[:, :, 0, 0].cpu(), classes)


def _claims(
    resampling: Resampling, references: References
) -> Iterator[tuple[str, Kind, Window, float | None]]:
    """Scrub each claim by itself, all else as it is; yield the behavior."""
    hypothesis = resampling.hypothesis
    output = hypothesis.output()
    if hypothesis.variables:
        found = resampling.from_claims(output, references, resampling.original)
        yield "behavior", "inputs", found, None
    inputs = partial(resampling.from_claims, source=resampling.original)
    for variable in hypothesis.variables:
        sources: dict[Kind, Source] = {"values": resampling.exchanged}
        if variable.depends is not None:
            sources["inputs"] = inputs
        for kind, source in sources.items():
            found = resampling.computed(output, [variable], references, source, references)
            pictures = resampling.recorded.agreement(variable).pictures
            yield variable.name, kind, found, pictures if kind == "values" else None
