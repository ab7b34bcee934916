"""A dictionary encodes, decodes, is saved and read, and refuses what it cannot."""

from pathlib import Path

import pytest
import torch

from visioncircuits.dictionaries import Dictionary, NonNegative, Normalization, ShrunkBlocks, pca
from visioncircuits.dictionaries.rules import Largest, Rule
from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, untrained


def dictionary(rule: Rule, atoms: int = 6, units: int = 4) -> Dictionary:
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(atoms, units, generator=generator)
    return Dictionary(
        "mixed3a",
        torch.nn.functional.normalize(drawn, dim=1),
        torch.randn(units, atoms, generator=generator),
        torch.randn(atoms, generator=generator),
        rule,
        torch.rand(atoms, generator=generator),
        torch.randn(units, generator=generator),
        method="drawn",
        record={"seed": 0},
    )


RULES = [Largest(2), ShrunkBlocks(torch.rand(3), 2), NonNegative(torch.eye(6), sweeps=7)]


@pytest.mark.parametrize("rule", RULES, ids=["numbers", "tensor", "both"])
def test_what_was_saved_is_read_with_the_same_bytes(rule: Rule, tmp_path: Path) -> None:
    made = dictionary(rule)
    path = made.save(tmp_path / "a.safetensors")
    read = Dictionary.load(path)
    assert read.save(tmp_path / "b.safetensors").read_bytes() == path.read_bytes()
    activations = torch.randn(5, 4)
    assert torch.equal(read.encode(activations), made.encode(activations))
    assert (read.layer, read.method, dict(read.record)) == ("mixed3a", "drawn", {"seed": 0})
    assert type(read.rule) is type(rule)


def test_it_moves_with_its_rule() -> None:
    moved = dictionary(ShrunkBlocks(torch.rand(3), 2)).to("meta")
    assert moved.atoms.is_meta
    assert moved.rule.thresholds.is_meta


def test_codes_are_encoded_and_decoded_by_the_formula() -> None:
    made, activations = dictionary(Largest(6)), torch.randn(5, 4)
    codes = (activations @ made.encoder + made.bias).relu() * made.gain
    torch.testing.assert_close(made.encode(activations), codes)
    torch.testing.assert_close(made.decode(codes), codes @ made.atoms + made.center)


def test_half_precision_is_encoded_in_full() -> None:
    activations = torch.randn(5, 4).half()
    made = dictionary(Largest(2))
    assert torch.equal(made.encode(activations), made.encode(activations.float()))


def test_atoms_are_directions_that_a_network_takes() -> None:
    network = untrained("bvlc_googlenet")
    units = network.layer("conv2d0").units
    found = pca(torch.rand(50, units), "conv2d0", atoms=3)
    feature = found.features[2]
    assert isinstance(network.feature(feature), Direction)
    assert str(feature) == "conv2d0:atom 2"
    pictures = torch.rand(1, 3, 32, 32)
    maps = network.activations(pictures, ["conv2d0"])["conv2d0"]
    torch.testing.assert_close(
        torch.einsum("bchw,c->bhw", maps, feature.vector(units)),
        torch.einsum("bchw,c->bhw", maps, found.atoms[2]),
    )


@pytest.mark.parametrize("kind", ["none", "scale", "units"])
def test_normalization_is_undone(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    activations = 3 + 5 * torch.rand(200, 4, generator=generator) * torch.tensor([1.0, 2, 0, 9])
    normalization = Normalization.of(activations, kind)
    values = normalization.applied(activations)
    decoder = torch.nn.functional.normalize(torch.randn(6, 4, generator=generator), dim=1)
    encoder = torch.randn(6, 4, generator=generator)
    bias, offset = torch.randn(6, generator=generator), torch.randn(4, generator=generator)
    codes = Largest(2)((values - offset) @ encoder.T + bias)
    expected = (codes @ decoder + offset) * normalization.scale + normalization.center

    found = normalization.undone(
        "layer", decoder=decoder, encoder=encoder, bias=bias, offset=offset,
        rule=Largest(2), method="drawn", record={},
    )  # fmt: skip
    own = found.encode(activations)
    assert torch.equal(own > 0, codes > 0)
    torch.testing.assert_close(found.decode(own), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found.atoms.norm(dim=1), torch.ones(6))
    lengths = (decoder * normalization.scale).norm(dim=1)
    torch.testing.assert_close(own, codes * lengths, rtol=1e-4, atol=1e-4)


def test_normalizations_are_what_they_are_called() -> None:
    activations = torch.rand(500, 4) * torch.tensor([1.0, 2, 0, 9]) + 1
    scaled = Normalization.of(activations, "scale").applied(activations)
    torch.testing.assert_close(scaled.norm(dim=1).mean(), torch.tensor(2.0))
    single = Normalization.of(activations, "units").applied(activations)
    torch.testing.assert_close(single.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    expected = torch.tensor([1.0, 1, 0, 1])  # a constant unit stays constant
    torch.testing.assert_close(single.std(0, correction=0), expected)
    kept = Normalization.of(activations, "units", centered=False).applied(activations)
    assert (kept >= 0).all()


def test_mistakes_are_met(tmp_path: Path) -> None:
    made = dictionary(Largest(2))
    with pytest.raises(InputError, match=r"4 units of mixed3a has no codes for activations of 5"):
        made.encode(torch.rand(2, 5))
    with pytest.raises(InputError, match=r"name it \.safetensors"):
        made.save(tmp_path / "a.pt")
    with pytest.raises(InputError, match="there is no file"):
        Dictionary.load(tmp_path / "b.safetensors")
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"no")
    with pytest.raises(InputError, match="holds no dictionary"):
        Dictionary.load(other)
    with pytest.raises(InputError, match="6 atoms are no blocks of 4"):
        dictionary(ShrunkBlocks(torch.zeros(2), 4))
