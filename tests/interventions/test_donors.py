import numpy as np
import torch

from visioncircuits.handwritten import gabors
from visioncircuits.interventions import Nearest, Ridge
from visioncircuits.interventions.donors import combined
from visioncircuits.networks import untrained


def test_a_fit_recovers_kernels_that_made_the_units() -> None:
    generator = torch.Generator().manual_seed(0)
    sources = (
        torch.rand(12, 4, 14, 14, generator=generator)
        * torch.tensor([1, 10, 0.1, 1])[:, None, None]
    )
    for width in (1, 3):
        kernels = torch.randn(2, 4, width, width, generator=generator)
        family = combined(sources, kernels) + 7
        found = Ridge(gabors(wavelengths=(10.0,)), "energies", width, 1e-6).fit(sources, family)
        torch.testing.assert_close(found, kernels, atol=0.02, rtol=0.02)


def test_a_fit_at_one_place_is_numpys_ridge() -> None:
    generator = torch.Generator().manual_seed(0)
    sources, family = (torch.rand(3, units, 5, 5, generator=generator) for units in (6, 2))
    found = Ridge(gabors(wavelengths=(10.0,)), "energies", penalty=0.3).fit(sources, family)
    rows, wanted = (x.transpose(0, 1).flatten(1).numpy().astype(float).T for x in (sources, family))
    spread = rows.std(0, ddof=1)
    rows, wanted = (rows - rows.mean(0)) / spread, wanted - wanted.mean(0)
    gram = rows.T @ rows / len(rows) + 0.3 * np.eye(6)
    expected = (np.linalg.solve(gram, rows.T @ wanted / len(rows)) / spread[:, None]).T
    np.testing.assert_allclose(found[:, :, 0, 0], expected, atol=1e-5)


def test_the_nearest_unit_is_never_one_of_the_family() -> None:
    values = torch.rand(2, 480, 4, 4, generator=torch.Generator().manual_seed(0))
    values[:, 9] = values[:, 7] + 0.1 * values[:, 8]
    found = Nearest(untrained("bvlc_googlenet"), "mixed3b_pre_relu", (7,)).fit(
        values, values[:, [7]]
    )
    assert found[0, :, 0, 0].nonzero().tolist() == [[9]]
