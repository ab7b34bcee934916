from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from visioncircuits import datasets, engine, interventions
from visioncircuits.datasets import Photographs
from visioncircuits.errors import InputError
from visioncircuits.interventions import (
    Donor,
    Nearest,
    Ridge,
    Transplant,
    score_transplant,
)
from visioncircuits.interventions.calibration import Scale
from visioncircuits.interventions.scoring import classes_of, values_of
from visioncircuits.interventions.transplant_scores import scored
from visioncircuits.networks import (
    Direction,
    Network,
    Preprocessing,
    imagenet_classes,
    load,
    untrained,
    wrap,
)

SIZE = 32
FAMILY = ("1:1", "1:4", "1:6")
DONORS = ("0:1", "0:4", "0:6")
CURVES = ("mixed3b:321", "mixed3b:335", "mixed3b:413")
OTHERS = ("1:0", "1:2", "1:3")


def small(seed: int, classes: Sequence[str] | None = imagenet_classes()) -> Network:
    """A network of eight units at 16x16 places, and a thousand classes."""
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 5, 2, 2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Linear(128, 1000),
    )
    with torch.no_grad():
        module[4].weight.mul_(20)
    return wrap(module, Preprocessing(), size=SIZE, name=f"small {seed}", classes=classes)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Photographs:
    folder, generator = tmp_path_factory.mktemp("photographs"), np.random.default_rng(0)
    for name in ("n01440764_a", "n01443537_b", "n01484850_c", "n01491361_d", "n01494475_e"):
        coarse = generator.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((40, 40)).save(folder / f"{name}.png")
    return datasets.photographs(folder)


def operation(network: Network, **donors: Donor) -> Transplant:
    return Transplant(network, FAMILY, donors, {"others": OTHERS})


class TestScale:
    def test_a_donor_comes_to_fire_as_often_and_as_strongly(self) -> None:
        donors = torch.randn(5, 3, 8, 8)
        family = (torch.randn(5, 3, 8, 8) - torch.tensor([0.0, 1.0, 2.0])[:, None, None]).relu() * 9
        scaled = Scale.between(donors, family)(donors)
        for unit in range(3):
            fired, wanted = scaled[:, unit], family[:, unit]
            assert (fired > 0).sum() == (wanted > 0).sum()
            assert float(fired.mean()) == pytest.approx(float(wanted.mean()), rel=1e-5)

    def test_the_unit_itself_comes_back_as_it_was(self) -> None:
        before = torch.randn(4, 2, 6, 6) - 1
        torch.testing.assert_close(
            Scale.between(before, before.relu())(before),
            before.relu(),
            atol=0.15,  # the threshold is the strongest value that did not fire, not 0
            rtol=0.1,
        )

    def test_an_inactive_unit_stays_inactive_and_one_always_active_is_matched(self) -> None:
        donors = torch.randn(1, 2, 4, 4)
        family = torch.stack([torch.zeros(4, 4), torch.ones(4, 4)])[None]
        scaled = Scale.between(donors, family)(donors)
        assert not scaled[:, 0].any()
        assert float(scaled[:, 1].mean()) == pytest.approx(1.0)


class TestPerform:
    def test_scores_are_those_of_the_edited_activations(
        self, pictures: Photographs, tmp_path: Path
    ) -> None:
        network = small(0)
        found = score_transplant(operation(network), pictures, store=engine.Store(tmp_path))
        seen = pictures.pictures(SIZE)
        for condition, units in (("original", ()), ("zero", (1, 4, 6)), ("others", (0, 2, 3))):
            values = network.activations(seen, ["1"])["1"].clone()
            values[:, list(units)] = 0
            measured = network.module[2:](values)
            expected = nn.functional.cross_entropy(
                measured, torch.tensor(pictures.labels), reduction="none"
            )
            ours = found["cross_entropy"].sel(condition=condition).values
            np.testing.assert_allclose(ours, expected.detach().numpy(), rtol=1e-4, atol=1e-4)
        assert not found["divergence"].sel(condition="original").values.any()

    def test_removals_are_to_zero_to_the_mean_and_to_the_maps_of_another_photograph(
        self, pictures: Photographs, tmp_path: Path
    ) -> None:
        network, store = small(0), engine.Store(tmp_path)
        found = score_transplant(operation(network), pictures, store=store)
        values = network.activations(pictures.pictures(SIZE), ["1"])["1"]
        works = [work for work in store.finished() if work["task"] == "scores"]
        partners = {
            n: p for w in works for n, p in zip(w["photographs"], w["partners"], strict=True)
        }
        assert sorted(partners.values()) == sorted(pictures.names)
        assert all(name != partner for name, partner in partners.items())
        rows = [pictures.names.index(partners[name]) for name in pictures.names]
        means = [values[1 - place % 2 :: 2].mean((0, 2, 3)) for place in range(5)]
        for condition, put in (("resample", values[rows]), ("mean", torch.stack(means))):
            changed = values.clone()
            whole = put if put.ndim == 4 else put[:, :, None, None].expand_as(values)
            changed[:, [1, 4, 6]] = whole[:, [1, 4, 6]]
            expected = nn.functional.cross_entropy(
                network.module[2:](changed), torch.tensor(pictures.labels), reduction="none"
            )
            ours = found["cross_entropy"].sel(condition=condition).values
            np.testing.assert_allclose(ours, expected.detach().numpy(), rtol=1e-4, atol=1e-4)

    def test_a_fitted_donor_is_fitted_on_the_other_half(
        self, pictures: Photographs, tmp_path: Path
    ) -> None:
        network = small(0)
        donors = {
            "fitted": Ridge(network, "0", penalty=1e-6),
            "another": Nearest(network, "0", but=(1, 4, 6)),
        }
        found = score_transplant(
            Transplant(network, FAMILY, donors), pictures, store=engine.Store(tmp_path)
        )
        share = interventions.repair(found, over="zero")["divergence"].sel(bound="mean")
        assert float(share.sel(condition="fitted")) > 0.9 > float(share.sel(condition="another"))

    def test_a_family_put_in_its_own_place_repairs_nearly_all(
        self, pictures: Photographs, tmp_path: Path
    ) -> None:
        network = small(0)
        donors = {"itself": Donor(network, DONORS), "another": Donor(small(1), DONORS)}
        found = score_transplant(
            operation(network, **donors), pictures, store=engine.Store(tmp_path)
        )
        share = interventions.repair(found, over="zero")["divergence"].sel(bound="mean")
        assert float(share.sel(condition="itself")) > 0.9
        assert float(share.sel(condition="another")) < 0.8

    def test_scales_come_from_photographs_that_are_not_scored_with_them(
        self, pictures: Photographs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        learnt: list[set[str]] = []
        between = Scale.between.__func__
        read = Photographs.read

        def note(self: Photographs, name: str, size: int) -> torch.Tensor:
            seen.add(name)
            return read(self, name, size)

        def remember(cls: type[Scale], *maps: torch.Tensor) -> Scale:
            learnt.append(set(seen))
            seen.clear()
            return between(cls, *maps)

        seen: set[str] = set()
        monkeypatch.setattr(Photographs, "read", note)
        monkeypatch.setattr(Scale, "between", classmethod(remember))
        network = small(0)
        store = engine.Store(tmp_path)
        score_transplant(operation(network, it=Donor(network, DONORS)), pictures, store=store)
        works = [work for work in store.finished() if work["task"] == "scores"]
        assert learnt == [set(pictures.names[0::2]), set(pictures.names[1::2])]
        for work in works:
            assert not set(work["scaled"]) & set(work["photographs"])

    def test_an_interrupted_run_goes_on(
        self, pictures: Photographs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        network, store = small(0), engine.Store(tmp_path)
        before = score_transplant(operation(network), pictures, store=store)
        monkeypatch.setattr("visioncircuits.interventions.transplant_scores.values_of", None)
        done: list[int] = []
        again = scored(operation(network), pictures, store=store, advance=done.append)
        assert again.identical(before)
        assert sum(done) == len(pictures)

    def test_other_photographs_of_the_same_names_are_scored_again(
        self, pictures: Photographs, tmp_path: Path
    ) -> None:
        network, store = small(0), engine.Store(tmp_path / "store")
        before = score_transplant(operation(network), pictures, store=store)
        (tmp_path / "turned").mkdir()
        for item in pictures.items:
            with Image.open(item.path) as image:
                image.rotate(180).save(tmp_path / "turned" / item.path.name)
        turned = datasets.photographs(tmp_path / "turned")
        after = score_transplant(operation(network), turned, store=store)
        fresh = score_transplant(operation(network), turned, store=engine.Store(tmp_path / "fresh"))
        assert after.identical(fresh)
        assert not after.equals(before)

    def test_what_does_not_fit_is_refused_before_the_work(
        self, pictures: Photographs, tmp_path: Path
    ) -> None:
        network, store = small(0), engine.Store(tmp_path)
        with pytest.raises(InputError, match="3 units need as many donors; few has 2"):
            score_transplant(
                operation(network, few=Donor(network, DONORS[:2])), pictures, store=store
            )
        last = list(network.layers)[-1]
        flat = Donor(network, [f"{last}:{unit}" for unit in (1, 4, 6)])
        with pytest.raises(InputError, match="has no positions"):
            score_transplant(operation(network, flat=flat), pictures, store=store)
        with pytest.raises(InputError, match="removes units of another layer"):
            score_transplant(
                Transplant(network, FAMILY, {}, {"others": DONORS}), pictures, store=store
            )
        with pytest.raises(InputError, match="is a direction"):
            score_transplant(
                Transplant(network, Direction("1", (1.0,) * 8), {}), pictures, store=store
            )
        with pytest.raises(InputError, match="4 photographs or more, not 3"):
            score_transplant(operation(network), pictures.part(range(3)), store=store)
        assert not list(tmp_path.iterdir())


class TestClasses:
    """Labels are held against logits only where these are known to stand for the same."""

    def test_logits_of_unknown_meaning_are_not_scored(self, pictures: Photographs) -> None:
        with pytest.raises(InputError, match="classes of small 0's logits are not known"):
            classes_of(small(0, None), pictures)

    def test_inception5h_with_1008_logits_is_not_scored(self, pictures: Photographs) -> None:
        with pytest.raises(InputError, match="untrained inceptionv1's logits are not known"):
            classes_of(untrained("inceptionv1"), pictures)

    def test_in_another_order_classes_are_found_by_name(self, pictures: Photographs) -> None:
        reverse = small(0, imagenet_classes()[::-1])
        assert (classes_of(reverse, pictures) == 999 - torch.arange(5)).all()

    def test_names_without_as_many_logits_are_not_scored(self, pictures: Photographs) -> None:
        module = nn.Sequential(nn.Conv2d(3, 10, 5), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        network = wrap(module, Preprocessing(), size=SIZE, classes=imagenet_classes())
        with pytest.raises(InputError, match=r"gives \(10,\) values a picture"):
            classes_of(network, pictures)
        numbered = datasets.photographs(torch.rand(2, 3, SIZE, SIZE), labels=[3, 10])
        with pytest.raises(InputError, match="not a logit for each of 11 classes"):
            classes_of(wrap(module, Preprocessing(), size=SIZE), numbered)

    def test_networks_that_name_them_are_scored(
        self, checkpoints: Path, pictures: Photographs
    ) -> None:
        squeezed = load(
            "torchvision:squeezenet1_1", checkpoint=checkpoints / "squeezenet1_1.safetensors"
        )
        for network in (small(0), untrained("bvlc_googlenet"), squeezed):
            assert classes_of(network, pictures).tolist() == [0, 1, 2, 3, 4]

    def test_other_labels_of_the_same_photographs_are_scored_again(self, tmp_path: Path) -> None:
        shown, store, scores = torch.rand(4, 3, SIZE, SIZE), engine.Store(tmp_path), []
        for labels in ([0, 1, 2, 3], [3, 2, 1, 0]):
            some = datasets.photographs(shown, labels=labels)
            scores.append(score_transplant(operation(small(0)), some, store=store))
        assert not scores[0]["cross_entropy"].equals(scores[1]["cross_entropy"])
        assert (scores[0]["divergence"].values == scores[1]["divergence"].values).all()


def test_scores_are_torchs() -> None:
    logits, original = torch.randn(2, 20, 50).unbind(0)
    labels = torch.randint(50, (20,))
    entropy, divergence, top1, top5 = values_of(logits, original, labels)
    expected = nn.functional.cross_entropy(logits, labels, reduction="none")
    np.testing.assert_allclose(entropy, expected.numpy(), rtol=1e-5)
    kl = nn.functional.kl_div(
        logits.log_softmax(1), original.log_softmax(1), reduction="none", log_target=True
    )
    np.testing.assert_allclose(divergence, kl.sum(1).numpy(), rtol=1e-4, atol=1e-6)
    assert (top1 == (logits.argmax(1) == labels).numpy()).all()
    assert (top5 == (logits.topk(5).indices == labels[:, None]).any(1).numpy()).all()
