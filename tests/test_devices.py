"""What is computed elsewhere is what is computed on the CPU: nothing is left behind there.

`tests.networks.test_fake_cuda` asks the same of torch's fake GPU, which has no values.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
import xarray as xr
from torch import Tensor

from tests.far import DEVICE, Far
from visioncircuits import (
    attribution,
    circuits,
    datasets,
    dictionaries,
    engine,
    examples,
    featurevis,
    handwritten,
    hypotheses,
    interventions,
    scrubbing,
    tuning,
)
from visioncircuits.featurevis import Settings, objectives
from visioncircuits.interventions import Donor, Nearest, Ridge, Transplant
from visioncircuits.networks import Direction, Network, Preprocessing, shuffled, wrap
from visioncircuits.networks.torchvision_models import imagenet_classes
from visioncircuits.stimuli import named
from visioncircuits.thread.articles.weight_banding import mixing
from visioncircuits.thread.claims import SHUFFLED, Row
from visioncircuits.thread.stand_ins import stand_in
from visioncircuits.thread.study import Study
from visioncircuits.weights import (
    contextual_weights,
    expanded_weights,
    expanded_weights_by_autograd,
    one_sided_nmf,
    strongest_inputs,
)

EARLY, LATE = "features.3", "features.4"
BRANCH = "features.4.expand3x3"
PICTURES = torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(0))
PHOTOGRAPHS = datasets.photographs(PICTURES, labels=[0, 0, 1, 1, 2, 2, 3, 3])
LINES = named("lines").isel(orientation=slice(0, None, 30))


@pytest.fixture(scope="module")
def near() -> Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = torchvision.models.squeezenet1_1().eval()
    return wrap(module, Preprocessing(), size=64, classes=imagenet_classes())


@pytest.fixture
def far(near: Network) -> Iterator[Network]:
    with Far():
        yield near.to(DEVICE)


def rendered(network: Network, target: Any) -> Tensor:
    return featurevis.render(network, target, settings=Settings(size=48, steps=3)).picture


def facet(network: Network) -> Tensor:
    bright = featurevis.facets.fit(network, EARLY, PICTURES, PICTURES / 3, name="bright")
    asked = featurevis.facets.faceted(network, f"{LATE}:3", bright, weights=[2])
    return rendered(network, asked)


def overlaid(network: Network) -> np.ndarray:
    found = attribution.integrated_gradients(network, f"{LATE}:3", PICTURES[:1], to=EARLY, steps=3)
    return np.asarray(attribution.overlay(found.pictures[0], found.values[0])) / 255


def ablated(network: Network) -> xr.Dataset:
    return interventions.ablate(network, [f"{LATE}:3", f"{LATE}:4"], PHOTOGRAPHS)


def transplanted(network: Network, folder: Path) -> xr.Dataset:
    family = [f"{BRANCH}_activation:0", f"{BRANCH}_activation:5"]
    donors = {
        "exchanged": Donor(network, [f"{BRANCH}:5", f"{BRANCH}:0"]),
        "summed": Ridge(handwritten.gabors(wavelengths=(10.0,)), "energies", width=3),
        "nearest": Nearest(network, BRANCH, but=(0, 5)),
    }
    store = engine.Store(folder)
    transplant = Transplant(network, family, donors)
    return interventions.score_transplant(transplant, PHOTOGRAPHS, store=store, calibration=3)


def banded(network: Network, folder: Path, name: str | None = None) -> list[float]:
    """A part of a thread's article: what its row says was measured."""
    for number, picture in enumerate(PICTURES):
        torchvision.utils.save_image(picture, folder / f"n01440764_{number}.png")
    study = Study(network, folder / "measured", images=folder, quick=True)
    rows = mixing.test(study if name is None else stand_in(name, study))
    (row,) = (row for row in rows if isinstance(row, Row))
    return [float(word) for word in row.interval.split()[1::2]]


def strongest(network: Network) -> list[float]:
    return [each.norm for each in strongest_inputs(expanded_weights(network, EARLY, f"{LATE}:3"))]


def turned(network: Network) -> np.ndarray:
    shown = tuning.rotated_pictures(list(PICTURES[:2]), step=90)
    return tuning.measure(network, [f"{LATE}:3"], shown).values


def direction(layer: str, network: Network) -> Direction:
    return Direction(layer, np.arange(1.0, network.layer(layer).units + 1))


def exchanged(network: Network) -> list[float]:
    early = scrubbing.Variable("early", EARLY, 3, (scrubbing.Reading("half"),))
    known = {"half": np.repeat([0.0, 1.0], 4)}
    claimed = scrubbing.CausalHypothesis(
        "all", network.output, ("early",), (early,), measure="divergence"
    )
    shown = scrubbing.Shown(PICTURES, known)
    changed = scrubbing.interchange(network, claimed, "early", shown, pairs=5)
    found = scrubbing.scrub(network, claimed, shown, draws=2)
    return [row["share"] for row in found.rows()] + [changed.accuracy]


def edge_scores(network: Network) -> np.ndarray:
    """Score edges in all ways."""
    study = circuits.measured(circuits.candidates(network, f"{LATE}:3", [EARLY]), PHOTOGRAPHS)
    return np.stack(
        [
            circuits.score(study, method=method, at="everywhere", steps=2).size
            for method in circuits.METHODS
        ]
    )


COMPUTED: dict[str, Callable[[Network, Path], Any]] = {
    "a picture": lambda n, _: rendered(n, f"{LATE}:3"),
    "different pictures": lambda n, _: rendered(n, objectives.diverse(n.feature(f"{LATE}:3"), 2)),
    "a facet": lambda n, _: facet(n),
    "responses to stimuli": lambda n, _: tuning.measure(n, [f"{LATE}:3"], LINES).values,
    "responses to pictures that turn": lambda n, _: turned(n),
    "deviations": lambda n, _: tuning.deviations(n, LATE, PHOTOGRAPHS).values,
    "examples": lambda n, _: examples.collect(n, [LATE], PHOTOGRAPHS).layers[LATE].tops.values,
    "attributions": lambda n, _: overlaid(n),
    "paths": lambda n, _: (
        attribution.path_contributions(
            n, "input", f"{LATE}:3", PICTURES[:1], through=[EARLY], position=(2, 2)
        )[0].contributions.values
    ),
    "discovered parts": lambda n, _: (
        attribution.discover(n, EARLY, f"{LATE}:3", PHOTOGRAPHS, draws=2).curve.values
    ),
    "a circuit of edges": lambda n, _: (
        circuits.discover(n, f"{LATE}:3", [EARLY], PHOTOGRAPHS, edges=4, draws=1)
        .curves["faithfulness"]
        .sel(kind="found", bound="mean")
        .values
    ),
    "scores of edges": lambda n, _: edge_scores(n),
    "drivers of a unit": lambda n, _: dictionaries.drivers(
        n, f"{LATE}:3", PHOTOGRAPHS, below=EARLY
    )[0].contributions.numpy(),
    "ablations": lambda n, _: ablated(n)["divergence"].values,
    "transplants": lambda n, folder: transplanted(n, folder)["divergence"].values,
    "a scrubbed hypothesis": lambda n, _: exchanged(n),
    "expanded weights": lambda n, _: expanded_weights(
        n, direction(EARLY, n), direction(LATE, n)
    ).weight.numpy(),
    "weights by autograd": lambda n, _: expanded_weights_by_autograd(
        n, EARLY, f"{LATE}:3"
    ).weight.numpy(),
    "the strongest weights": lambda n, _: strongest(n),
    "factors": lambda n, _: one_sided_nmf(
        expanded_weights(n, EARLY, f"{LATE}:3"), 2
    ).spatial.weight.numpy(),
    "weights on a picture": lambda n, _: contextual_weights(
        n, EARLY, f"{LATE}:3", PICTURES[:1], position=(2, 2)
    )[0].contributions.numpy(),
    "verdicts": lambda n, _: [
        each.p for each in hypotheses.judge_all(n, EARLY, "line", photographs=PHOTOGRAPHS)
    ],
    "shuffled weights": lambda n, _: shuffled(n, seed=1)(PICTURES).cpu(),
    "an article's part": banded,
    "an article's part on a stand-in": partial(banded, name=SHUFFLED),
}


SLOW = ("verdicts", "transplants")


@pytest.mark.filterwarnings("ignore:at..frobenius_norm")  # of a device that torch hardly knows
@pytest.mark.parametrize(
    "what", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in COMPUTED]
)
def test_elsewhere_the_same_is_computed(
    near: Network, far: Network, what: str, tmp_path: Path
) -> None:
    compute = COMPUTED[what]
    (tmp_path / "far").mkdir()
    (tmp_path / "near").mkdir()
    elsewhere, here = compute(far, tmp_path / "far"), compute(near, tmp_path / "near")
    np.testing.assert_allclose(np.asarray(elsewhere), np.asarray(here), rtol=1e-3, atol=1e-4)


def test_devices_do_not_mix(far: Network) -> None:
    there = torch.ones(2, device=DEVICE)
    with pytest.raises(RuntimeError, match="mixes"):
        there + torch.ones(2)
    with pytest.raises(RuntimeError, match="numpy"):
        there.numpy()
    assert (there + 1).tolist() == [2.0, 2.0]
    assert far.device.type == DEVICE
