from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import visioncircuits
from visioncircuits.errors import InputError
from visioncircuits.featurevis import NO_TRANSFORMS, Settings, accentuate, caricature
from visioncircuits.networks import Network

QUICK = Settings(size=32, steps=30, transforms=NO_TRANSFORMS, redirected_relu_steps=0)


def checkerboard(contrast: float = 0.6) -> torch.Tensor:
    y, x = np.mgrid[:32, :32]
    board = torch.tensor((y // 8 + x // 8) % 2).float().expand(3, -1, -1)
    return (board - 0.5) * contrast + 0.5


def cosine(network: Network, one: torch.Tensor, other: torch.Tensor) -> float:
    edges = network.activations(torch.stack([one, other]), ["edges"])["edges"].flatten(1)
    return torch.nn.functional.cosine_similarity(edges[0], edges[1], dim=0).item()


def test_a_caricature_has_activations_similar_to_the_picture(network: Network) -> None:
    picture = checkerboard()
    found = caricature(network, "edges", picture, settings=QUICK)
    gray = torch.full_like(picture, 0.5)
    assert cosine(network, found.picture, picture) > cosine(network, gray, picture)
    assert found.history[-1] > found.history[0]
    assert found.objective == "likeness in edges"
    assert (found.picture - picture).abs().mean() > 0.05


def test_a_caricature_exaggerates_the_activations(network: Network) -> None:
    picture = checkerboard(0.1)
    found = caricature(network, "edges", picture, settings=QUICK)
    own = network.activations(picture[None], ["edges"])["edges"].square().mean().item()
    assert found.score > own


def test_a_higher_power_stays_closer_to_the_picture(network: Network) -> None:
    picture = checkerboard()
    free, close = (
        caricature(network, "edges", picture, power=power, settings=QUICK) for power in (0.0, 8.0)
    )
    assert cosine(network, close.picture, picture) > cosine(network, free.picture, picture)


def test_accentuation_starts_from_the_picture_and_stays_near_it(network: Network) -> None:
    picture = checkerboard()
    few = Settings(size=32, steps=4, transforms=NO_TRANSFORMS, rate=0.01)
    found = accentuate(network, "edges", picture, settings=few)
    own = network.activations(picture[None], ["edges"])["edges"].square().mean().item()
    assert found.history[0] == pytest.approx(own, rel=1e-3)
    assert found.score > own
    assert 0 < (found.picture - picture).abs().mean() < 0.1


def test_pictures_are_scaled_to_the_settings(network: Network) -> None:
    def ramp(size: int) -> torch.Tensor:
        return ((torch.arange(size) + 0.5) / size).expand(3, size, size)

    few = Settings(size=32, steps=2, transforms=NO_TRANSFORMS)
    one, other = (accentuate(network, "edges", ramp(size), settings=few) for size in (96, 32))
    assert one.history[0] == pytest.approx(other.history[0], rel=0.01)


def test_pictures_of_another_shape_are_refused(network: Network) -> None:
    for shape in ((3, 32, 30), (1, 32, 32)):
        for draw in (caricature, accentuate):
            with pytest.raises(InputError, match="cut it first"):
                draw(network, "edges", torch.rand(shape))
    with pytest.raises(InputError, match="'edges'"):
        caricature(network, "edge", checkerboard())


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.images
def test_a_caricature_has_the_class_of_the_photograph(checkpoints: Path, photographs: Path) -> None:
    network = visioncircuits.load(
        "bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors"
    )
    path = next(photographs.glob("*daisy.JPEG"))
    image = Image.open(path).convert("RGB")
    side = min(image.size)
    image = image.resize((224, 224), box=(0, 0, side, side))
    picture = torch.tensor(np.asarray(image)).permute(2, 0, 1).float() / 255
    settings = Settings(size=224, steps=24, redirected_relu_steps=0)
    found = caricature(network, "mixed4c", picture, settings=settings)
    logits = network(torch.stack([picture, found.picture]))
    assert logits[1].argmax() == logits[0].argmax()
