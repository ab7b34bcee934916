"""The Building Blocks of Interpretability (Olah et al., 2018): neuron groups."""

import warnings
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment, nnls
from scipy.stats import spearmanr
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from visioncircuits.attribution import activation_groups, explain
from visioncircuits.errors import InputError
from visioncircuits.figures import Figure
from visioncircuits.networks.edits import Replacement
from visioncircuits.thread import Article, Plate, Row, Study, here, paper, part
from visioncircuits.thread.claims import Claim, Control, Unavailable
from visioncircuits.thread.intervals import interval

LAYER = "mixed4d"
FACTORS = "neuron_groups_mixed4d.npz"
ACTIVATIONS = "golden_activations/{}_mixed4d_activations.npy"

Maps = Float[np.ndarray, "groups positions"]
Some = Float[np.ndarray, "some positions"]
"""As many as were found, which may be fewer."""

BEERS, CHAINS = (2, 4, 6, 8, 10), (3, 5, 7, 9, 11)
PUBLISHED: Mapping[str, tuple[tuple[int, ...], float, str]] = {
    "beer": (BEERS, 0.999, "dog_cat"),
    "chain": (CHAINS, 0.999, "pig"),
    "pig": (CHAINS, 0.999, "flowers"),
    "dog_cat": (BEERS, 0.97, "bowtie_guy"),
    "bowtie_guy": (BEERS, 0.97, "beer"),
    "flowers": (CHAINS, 0.97, "chain"),
}
"""Photograph to its numbers of groups, the correlation that is asked for, and another one."""

AGAIN = {
    name: paper(
        f"the neuron groups of the photograph {name} come out again, at each of "
        f"{', '.join(map(str, counts[:-1]))} and {counts[-1]} groups",
        f"spatial factors; r ≥ {least}",
    )
    for name, (counts, least, _) in PUBLISHED.items()
}
ELSEWHERE = paper(
    "groups that do not come out again are another solution for the same activations: a fit that "
    "starts at them stays there",
    "spatial factors; r ≥ 0.97",
)


@part(*AGAIN.values(), ELSEWHERE)
def published_groups(study: Study) -> Iterator[Row | Plate]:
    """The published groups.

    Published are the spatial factors of mixed4d's activations at six photographs, for five
    numbers of groups each, and these activations. Groups are matched one to one so that their
    maps correlate most; r is the mean over groups, and the least of the five numbers decides.
    The controls are the same fit where each unit's positions are shuffled, and the published
    factors of another photograph.
    """
    with np.load(study.published(FACTORS)) as arrays:
        factors = {key: arrays[key].reshape(-1, arrays[key].shape[2]).T for key in arrays}
    missed: dict[str, float] = {}
    for name, claim in AGAIN.items():
        counts, least, other = PUBLISHED[name]
        values = torch.tensor(np.load(study.published(ACTIVATIONS.format(name))))[0]
        values = values.permute(2, 0, 1)
        mixed = shuffled(values, study.seed)
        wanted = {count: factors[f"{name}_{count}"] for count in counts}
        found = {n: matched(maps(values, n), published) for n, published in wanted.items()}
        chance = [matched(maps(mixed, n), published) for n, published in wanted.items()]
        others = [matched(factors[f"{other}_{n}"], published) for n, published in wanted.items()]
        missed |= {f"{name}_{count}": r for count, r in found.items() if r < 0.9}
        yield again(
            claim, found, least, {"shuffled positions": chance, f"groups of {other}": others}
        )
    yield Plate(
        "groups",
        beside(factors, study, ("beer_6", "flowers_7", "bowtie_guy_6")),
        "Published maps (upper rows) and those that they match here (lower rows), each from 0 to "
        "its largest.",
    )
    yield _elsewhere(study, factors, missed)


def again(
    claim: Claim, found: Mapping[int, float], least: float, nulls: Mapping[str, list[float]]
) -> Row:
    """Judge whether the least correlation is high enough, here and in the controls."""
    return claim.found(
        ", ".join(f"{count}: {r:.4f}" for count, r in found.items()),
        holds=min(found.values()) >= least,
        interval=f"chance {', '.join(f'{r:.2f}' for r in nulls['shuffled positions'])}",
        why=f"r by the number of groups; holds where each is {least} or more.",
        controls=[
            Control(
                name,
                "fails",
                "holds" if min(null) >= least else "does not hold",
                f"r = {min(null):.2f} to {max(null):.2f}",
            )
            for name, null in nulls.items()
        ],
    )


def _elsewhere(study: Study, factors: Mapping[str, Maps], missed: Mapping[str, float]) -> Row:
    """Start fits at the published maps that were missed, and at another photograph's."""
    stayed, strayed, shares = {}, [], []
    for key in missed:
        name, _, count = key.rpartition("_")
        values = torch.tensor(np.load(study.published(ACTIVATIONS.format(name))))[0]
        other = factors[f"{PUBLISHED[name][2]}_{count}"]
        stayed[key], explained = started(values.flatten(0, 1), factors[key])
        strayed.append(started(values.flatten(0, 1), other)[0])
        own = activation_groups(values.permute(2, 0, 1), LAYER, groups=int(count)).explained
        shares.append(f"{key.replace('_', ' ')} {own:.3f} and {explained:.3f}")
    return ELSEWHERE.found(
        ", ".join(f"{key.replace('_', ' ')}: {r:.3f}" for key, r in stayed.items()),
        holds=min(stayed.values(), default=1) >= 0.97,
        why="Of those with r < .9 above; holds where each r is .97 or more. Shares of the squared "
        f"activations that are explained here, and from the published start: {'; '.join(shares)}.",
        controls=[
            Control(
                "starts at another photograph's",
                "fails",
                "holds" if min(strayed, default=0) >= 0.97 else "does not hold",
                f"r = {min(strayed, default=0):.2f} to {max(strayed, default=0):.2f}",
            )
        ],
    )


def started(values: Float[Tensor, "positions units"], start: Maps) -> tuple[float, float]:
    """Fit groups from these maps on: how they correlate with the start, and the share explained."""
    activations, first = values.double().numpy(), start.T.astype(float)
    weights = np.stack([nnls(first, column)[0] for column in activations.T], 1)
    fit = NMF(len(start), init="custom", max_iter=500)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # where it is then is compared
        reached = fit.fit_transform(activations, W=first.copy(), H=weights)
    explained = 1 - fit.reconstruction_err_**2 / np.square(activations).sum()
    return matched(reached.T, start), float(explained)


def maps(values: Float[Tensor, "units height width"], groups: int) -> Maps:
    """Return the maps of the groups, flat."""
    return activation_groups(values, LAYER, groups=groups).maps.flatten(1).numpy()


def shuffled(
    values: Float[Tensor, "units height width"], seed: int
) -> Float[Tensor, "units height width"]:
    """Shuffle the positions of each unit on its own."""
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.permuted(values.flatten(1).numpy(), axis=1)).reshape(values.shape)


def pairs(found: Some, wanted: Maps) -> tuple[np.ndarray, np.ndarray]:
    """Match maps one to one so that they correlate most.

    Returns
    -------
    tuple
        For each wanted one, the place of its match, and their correlation; 0 where none is left.
    """
    together = np.nan_to_num(np.corrcoef(wanted, found)[: len(wanted), len(wanted) :])
    rows, columns = linear_sum_assignment(-together)
    places, correlations = np.zeros(len(wanted), int), np.zeros(len(wanted))
    places[rows], correlations[rows] = columns, together[rows, columns]
    return places, correlations


def matched(found: Some, wanted: Maps) -> float:
    """Return the mean correlation of matched maps."""
    return float(pairs(found, wanted)[1].mean())


def beside(factors: Mapping[str, Maps], study: Study, keys: tuple[str, ...]) -> Figure:
    """Draw published maps above those that match them here."""
    widest = max(len(factors[key]) for key in keys)
    figure = Figure(figsize=(0.95 * widest + 1.3, 2.1 * len(keys)), layout="constrained")
    grid = figure.subplots(2 * len(keys), widest, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for row, key in enumerate(keys):
        name, _, count = key.rpartition("_")
        values = torch.tensor(np.load(study.published(ACTIVATIONS.format(name))))[0]
        own = maps(values.permute(2, 0, 1), int(count))
        places, correlations = pairs(own, factors[key])
        for at, wanted in enumerate(factors[key]):
            above, below = grid[2 * row, at], grid[2 * row + 1, at]
            for axes, each in ((above, wanted), (below, own[places[at]])):
                side = round(len(each) ** 0.5)
                axes.imshow(each.reshape(side, side), cmap="gray", vmin=0)
            below.set_title(f"{correlations[at]:.3f}", fontsize=7, y=-0.24)
        title = f"{name.replace('_', ' ')}, {count}"
        grid[2 * row, 0].set_title(title, fontsize=8, loc="left")
    return figure


REMOVED = here(
    "removing a group of mixed4d takes the more from the likeliest class's logit, the more of it "
    "is attributed to the group",
    "not tested; attribution is between groups and classes",
    stand_ins=(),
)


@part(REMOVED)
def removed_groups(study: Study) -> Iterator[Row | Plate]:
    """What is lost without a group.

    Each of six groups is subtracted from the layer's activations at a photograph, and the logit
    of the class that was the likeliest is computed again. Attribution is by the gradient with
    relaxed max pools. The control ranks groups by their size, the norm of their activations,
    which needs no gradient.
    """
    layer = study.layer(LAYER)
    rows = [
        ranked(study, layer, photograph[None])
        for batch in study.batches(study.of(48, quick=6))
        for photograph in batch
    ]
    agreement = np.array(rows)
    (low, high), (size_low, _) = (
        interval(column, study.rng("removed groups"), statistic=lambda drawn: float(drawn.mean()))
        for column in agreement.T
    )
    led, size = agreement.mean(0)
    yield REMOVED.found(
        f"rank correlation {led:.2f}, mean of {len(rows)} photographs ({layer})",
        holds=low > 0.5,
        interval=f"{low:.2f} to {high:.2f}",
        why="Between the six groups of a photograph; holds where the interval is above .5.",
        controls=[
            Control(
                "size of the group",
                "fails",
                "holds" if size_low > 0.5 else "does not hold",
                f"rank correlation {size:.2f}",
            )
        ],
    )


def ranked(study: Study, layer: str, photograph: Float[Tensor, "1 3 side side"]) -> list[float]:
    """Correlate what is lost without each group with its attribution, and with its size."""
    network = study.network
    try:
        found = explain(network, photograph, layer, top=1).layers[0]
    except InputError as error:
        raise Unavailable(str(error)) from None
    groups = found.groups
    parts = torch.einsum("gu,ghw->guhw", groups.vectors(), groups.maps)
    changed = [found.activations, *(found.activations - parts)]
    with torch.no_grad():
        logits = torch.cat(
            [
                network.activations(photograph, [network.output], changes=[change])[network.output]
                for change in (Replacement(network.layer(layer).name, v[None]) for v in changed)
            ]
        )
    likeliest = logits[:, logits[0].argmax()]
    lost = (likeliest[0] - likeliest[1:]).numpy()
    sizes = parts.flatten(1).norm(dim=1).numpy()
    return [float(spearmanr(each, lost)[0]) for each in (found.by_group()[0].numpy(), sizes)]


ARTICLE = Article(
    "The Building Blocks of Interpretability",
    "Olah et al., 2018",
    "https://distill.pub/2018/building-blocks/",
    "What did the network detect in this photograph, where, and what did that lead to? Units that "
    "are active together are a group, of which there are few enough to look at.",
    (published_groups, removed_groups),
)
