"""PCA, NMF and ICA are those of numpy and scikit-learn, in the layer's own units."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import NMF, FastICA

from visioncircuits.dictionaries import agreement, ica, nmf, pca
from visioncircuits.errors import InputError


@pytest.fixture(scope="module")
def activations() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    sources = torch.rand(400, 6, generator=generator) ** 3
    mixing = torch.rand(6, 6, generator=generator)
    return sources @ mixing * torch.tensor([1.0, 2, 3, 4, 5, 6])


def test_pca_is_the_singular_value_decomposition(activations: torch.Tensor) -> None:
    found = pca(activations, "layer", atoms=3)
    values = activations.double().numpy()
    mean = values.mean(0)
    _, strength, directions = np.linalg.svd(values - mean, full_matrices=False)
    np.testing.assert_allclose(np.abs((found.atoms.numpy() * directions[:3]).sum(1)), 1, atol=1e-4)
    expected = mean + (values - mean) @ directions[:3].T @ directions[:3]
    np.testing.assert_allclose(found.decode(found.encode(activations)), expected, atol=1e-3)
    shares = strength[:3] ** 2 / (strength**2).sum()
    np.testing.assert_allclose(found.record["explained"], shares, atol=1e-4)


@pytest.mark.parametrize("normalization", ["none", "scale", "units"])
def test_as_many_components_as_units_give_the_activations_back(
    activations: torch.Tensor, normalization: str
) -> None:
    for found in (
        pca(activations, "layer", atoms=6, normalization=normalization),
        ica(activations, "layer", atoms=6, normalization=normalization),
    ):
        torch.testing.assert_close(
            found.decode(found.encode(activations)), activations, rtol=1e-3, atol=1e-3
        )
        torch.testing.assert_close(found.atoms.norm(dim=1), torch.ones(6))


def test_nmf_is_scikit_learns(activations: torch.Tensor) -> None:
    found = nmf(activations, "layer", atoms=3, iterations=500)
    own = NMF(3, init="nndsvda", max_iter=500, random_state=0)
    codes = own.fit_transform(activations.numpy())
    lengths = np.linalg.norm(own.components_, axis=1)
    np.testing.assert_allclose(found.atoms, own.components_ / lengths[:, None], atol=1e-5)
    reconstruction = found.decode(found.encode(activations))
    error = (reconstruction - activations).square().sum()
    theirs = ((codes @ own.components_ - activations.numpy()) ** 2).sum()
    assert 0.95 * theirs < error <= 1.001 * theirs  # ours solves for the codes to the end


def test_nmf_of_units_by_their_scale_is_undone(activations: torch.Tensor) -> None:
    found = nmf(activations, "layer", atoms=3, normalization="units")
    scale = activations.numpy().std(0)
    own = NMF(3, init="nndsvda", max_iter=1000, random_state=0)
    own.fit(activations.numpy() / scale)
    directions = own.components_ * scale
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    np.testing.assert_allclose(found.atoms, directions, atol=1e-4)
    assert (found.encode(activations) >= 0).all()
    assert (found.center == 0).all()


def test_ica_is_scikit_learns(activations: torch.Tensor) -> None:
    found = ica(activations, "layer", atoms=6, seed=3)
    own = FastICA(6, whiten="unit-variance", max_iter=1000, random_state=3).fit(activations.numpy())
    mixing = own.mixing_ / np.linalg.norm(own.mixing_, axis=0)
    np.testing.assert_allclose(found.atoms, mixing.T, atol=1e-3)


def test_ica_finds_independent_sources() -> None:
    generator = torch.Generator().manual_seed(0)
    sources = (torch.rand(3000, 4, generator=generator) < 0.1).float()
    mixing = torch.rand(4, 6, generator=generator)
    found = ica(sources @ mixing, "layer", atoms=4)
    assert agreement(mixing, torch.cat([found.atoms, -found.atoms])) > 0.99


def test_what_did_not_converge_states_it(activations: torch.Tensor) -> None:
    assert "not converged" in repr(ica(activations, "layer", atoms=4, iterations=1))
    assert "not converged" in repr(nmf(activations, "layer", atoms=4, iterations=1))


def test_what_cannot_be_factorized_is_refused(activations: torch.Tensor) -> None:
    with pytest.raises(InputError, match="0 or more"):
        nmf(activations - 1, "layer", atoms=2)
    with pytest.raises(InputError, match="400 activations of 6 units have no 7"):
        pca(activations, "layer", atoms=7)
    with pytest.raises(InputError, match="unknown normalization 'unit'"):
        pca(activations, "layer", atoms=2, normalization="unit")
    with pytest.raises(InputError, match="not finite"):
        pca(activations / 0, "layer", atoms=2)
