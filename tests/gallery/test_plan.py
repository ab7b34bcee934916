"""The recipe alone decides on the batches, whatever has been finished already."""

import itertools
import random

import pytest

from visioncircuits.engine import Work
from visioncircuits.gallery import plan
from visioncircuits.gallery.evidence import visualizations
from visioncircuits.gallery.recipe import Recipe
from visioncircuits.gallery.recipe_tables import Quality, Show
from visioncircuits.gallery.selection import Selection
from visioncircuits.networks import Network, Unit, untrained


@pytest.fixture(scope="module")
def network() -> Network:
    return untrained("bvlc_googlenet")


def requested(network: Network, *, units: int = 50, **options: object) -> list[Work]:
    recipe = Recipe(
        title="T",
        network="bvlc_googlenet",
        layers=[{"name": "mixed3b", "units": "all"}],
        show=Show(negative=True, diversity=5),
        quality=Quality(**options),
    )
    selections = [
        Selection(
            network.layers[layer], tuple(Unit(layer, index) for index in range(units)), {}, {}
        )
        for layer in ("conv2d0", "mixed3b")
    ]
    return visualizations.requests(recipe, network, selections)


def test_every_picture_is_made_once(network: Network) -> None:
    batches = list(plan.batches(requested(network), {}))
    made = [(work["kind"], feature) for work in batches for feature in work["features"]]
    wanted = itertools.product(
        ("positive", "negative", "diversity"),
        [f"{layer}:{unit}" for layer in ("conv2d0", "mixed3b") for unit in range(50)],
    )
    assert sorted(made) == sorted(wanted)


def test_no_batch_is_larger_than_the_limit(network: Network) -> None:
    for work in plan.batches(requested(network), {}):
        assert 1 <= len(work["features"]) * work["pictures"] <= plan.BATCH


def test_a_batch_is_of_one_layer(network: Network) -> None:
    for work in plan.batches(requested(network), {}):
        assert len({feature.split(":")[0] for feature in work["features"]}) == 1


@pytest.mark.parametrize("seed", range(20))
def test_the_rest_of_a_job_has_the_same_batches_as_before(network: Network, seed: int) -> None:
    requests = requested(network)
    batches = list(plan.batches(requests, {}))
    finished = random.Random(seed).sample(batches, k=random.Random(seed).randint(0, len(batches)))
    left = list(plan.batches(requests, plan.index(finished)))
    assert left == [work for work in batches if work not in finished]


def test_with_more_units_only_the_new_ones_are_made(network: Network) -> None:
    before = plan.index(plan.batches(requested(network, units=50), {}))
    added = [
        feature
        for work in plan.batches(requested(network, units=53), before)
        for feature in work["features"]
    ]
    assert sorted(set(added)) == sorted(
        f"{layer}:{unit}" for layer in ("conv2d0", "mixed3b") for unit in (50, 51, 52)
    )


@pytest.mark.parametrize("change", [{"steps": 7}, {"size": 40}, {"seed": 1}, {"preset": "draft"}])
def test_a_picture_with_other_settings_has_another_key(
    network: Network, change: dict[str, object]
) -> None:
    before = plan.index(plan.batches(requested(network), {}))
    after = plan.index(plan.batches(requested(network, **change), {}))
    assert not before.keys() & after.keys()


def test_a_picture_of_another_checkpoint_has_another_key(network: Network) -> None:
    (work, *_) = requested(network)
    other = {**work, "network": {**work["network"], "checkpoint_sha256": "0" * 64}}
    assert plan.key(work, "conv2d0:1") != plan.key(other, "conv2d0:1")
