"""What holds for every method: gradients, constraint, and codes after training as in it."""

import pytest
import torch

from visioncircuits.dictionaries import (
    L1,
    BatchTopK,
    BlockTopK,
    Grassmannian,
    GroupLasso,
    Method,
    Settings,
    TopK,
    train,
)
from visioncircuits.errors import InputError

METHODS = {
    "TopK": TopK(3),
    "BatchTopK": BatchTopK(3),
    "L1": L1(0.1),
    "L1 tied": L1(0.1, tied=True),
    "BlockTopK": BlockTopK(2, 3),
    "Grassmannian": Grassmannian(2, 3),
    "Grassmannian tied": Grassmannian(2, 3, tied=True),
    "GroupLasso": GroupLasso(0.1, 3),
}
UNITS, ATOMS = 6, 12

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


def started(method: Method) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    given = method.start(UNITS, ATOMS, generator) | {"offset": torch.rand(UNITS)}
    for name in {"encoder", "bias"} & {*given}:
        given[name] = given[name] + 0.1 * torch.randn(given[name].shape)
    if "thresholds" in given:
        given["thresholds"] += 0.3
    return {name: tensor.double().requires_grad_() for name, tensor in given.items()}


def activations(samples: int = 40) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(samples, UNITS, generator=generator, dtype=torch.float64)


@every_method
def test_what_is_gathered_is_what_the_rules_codes_give(method: Method) -> None:
    given = started(method)
    projections = method.project(activations(), given)
    coded = method.coded(projections, given)
    codes = method.rule(given, projections.detach())(projections)
    torch.testing.assert_close(coded.reconstruction, codes @ given["decoder"])
    blocks = (codes != 0).reshape(len(codes), -1, method.block_size).any(2).any(0)
    assert torch.equal(coded.used, blocks)


@every_method
def test_gradients_are_those_of_dense_algebra(method: Method) -> None:
    given = started(method)
    goal = torch.randn(40, UNITS, dtype=torch.float64)

    def gradients(reconstruction: torch.Tensor) -> dict[str, torch.Tensor]:
        loss = (reconstruction - goal).square().sum()
        found = torch.autograd.grad(loss, [*given.values()])
        return dict(zip(given, found, strict=True))

    encoder = given["decoder" if method.tied else "encoder"]
    projections = (activations() - given["offset"]) @ encoder.T + given.get("bias", 0)
    rule = method.rule(given, projections.detach())
    if isinstance(method, GroupLasso):  # whose rule has the thresholds of the end
        object.__setattr__(rule, "thresholds", given["thresholds"])
    expected = gradients(rule(projections) @ given["decoder"] + given["offset"])
    projections = method.project(activations(), given)
    own = gradients(method.coded(projections, given).reconstruction + given["offset"])
    for name, gradient in own.items():
        torch.testing.assert_close(gradient, expected[name], msg=lambda m, n=name: f"{n}: {m}")


@every_method
def test_atoms_have_length_1_after_training_and_bytes_follow_from_the_seed(method: Method) -> None:
    settings = Settings(steps=30, batch=64, seed=3, dead_after=5)
    values = torch.randn(300, UNITS, generator=torch.Generator().manual_seed(2))
    one, two = (train(values, "layer", method, atoms=ATOMS, settings=settings) for _ in range(2))
    torch.testing.assert_close(one.atoms.norm(dim=1), torch.ones(ATOMS))
    assert torch.equal(one.atoms, two.atoms)
    assert torch.equal(one.encoder, two.encoder)
    assert one.block_size == method.block_size
    codes = one.encode(values)
    again = torch.cat([one.encode(row[None]) for row in values[:5]])
    torch.testing.assert_close(again, codes[:5])


def test_grassmannian_blocks_are_the_q_of_a_qr_decomposition() -> None:
    method, drawn = Grassmannian(1, 3), torch.randn(6, 8)
    given = {"decoder": drawn.clone()}
    method.constrain(given)
    for before, after in zip(drawn.split(3), given["decoder"].split(3), strict=True):
        q, r = torch.linalg.qr(before.T)
        torch.testing.assert_close(after.T, q * r.diagonal().sign(), rtol=1e-4, atol=1e-5)


def test_batch_topk_has_k_codes_on_average() -> None:
    values = torch.randn(2000, UNITS)
    settings = Settings(steps=50, batch=128)
    found = train(values, "layer", BatchTopK(3), atoms=ATOMS, settings=settings)
    counts = (found.encode(values) > 0).sum(1).float()
    assert abs(counts.mean() - 3) < 0.2
    assert counts.std() > 0


def test_what_a_method_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="k must be a whole number of 1 or more, not 0"):
        TopK(0)
    with pytest.raises(InputError, match="penalty must be a finite number above 0"):
        L1(0)
    with pytest.raises(InputError, match="a multiple of 3 atoms, 6 or more, not 10"):
        train(torch.rand(50, 4), "layer", BlockTopK(2, 3), atoms=10)
    with pytest.raises(InputError, match="32 or more, not 8"):
        train(torch.rand(50, 4), "layer", TopK(32), atoms=8)
