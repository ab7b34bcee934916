from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.quiver import Quiver

from visioncircuits.colors import decoded
from visioncircuits.errors import InputError
from visioncircuits.handwritten import (
    Label,
    Positions,
    along,
    arc,
    around,
    circuit_panel,
    contour_panel,
    curves,
    load,
    rays,
    ring,
    rule_panel,
    save,
)
from visioncircuits.networks import Network, untrained


@pytest.mark.parametrize("contour", [arc, ring, rays])
@pytest.mark.parametrize("orientation", [0.0, 210.0])
def test_dashes_are_perpendicular_to_normals_and_darkest_on_the_contour(
    contour: Callable[..., object], orientation: float
) -> None:
    target = Label("unit", orientation, radius=20.0)
    (axes,) = contour_panel(contour, target, spread=2.0).axes  # type: ignore[arg-type]
    dash, _, normal = (item for item in axes.collections if isinstance(item, Quiver))
    np.testing.assert_allclose(dash.U * normal.U + dash.V * normal.V, 0, atol=1e-9)
    positions = Positions(*(np.asarray(side).reshape(21, 21) for side in (dash.X, dash.Y)))
    distance, _ = contour(target, *positions.frame(orientation))  # type: ignore[misc]
    nearest = np.abs(distance).ravel().argmin()
    assert dash.get_alpha().ravel()[nearest] == dash.get_alpha().max()


def test_the_normal_of_an_arc_points_away_from_its_center() -> None:
    (axes,) = contour_panel(arc, Label("curve", 270.0, radius=20.0)).axes
    *_, normal = (item for item in axes.collections if isinstance(item, Quiver))
    outward = normal.X * normal.U + (normal.Y - 20.0) * normal.V  # the center is below the apex
    distance = np.hypot(normal.X, normal.Y - 20.0)
    np.testing.assert_allclose(outward, distance * np.hypot(normal.U, normal.V), rtol=1e-6)


def test_a_rule_s_kernels_are_drawn_as_it_sets_them() -> None:
    rule, target = along(arc, spread=4.0, tolerance=20.0), Label("curve", 270.0, radius=30.0)
    sources = around("line", 4, period=180.0)
    (axes,) = rule_panel(rule, sources, target, size=3).axes
    drawn = np.asarray(axes.images[0].get_array())
    kernels = np.stack([rule(source, target, Positions.grid(3, 8.0)) for source in sources])
    tile = drawn.shape[1] // 4
    for place, kernel in enumerate(kernels):
        inner = drawn[1:-1, place * tile + 3 : (place + 1) * tile - 3][4::8, 4::8]
        np.testing.assert_allclose(decoded(inner, kernels.max()), kernel, atol=0.02)
    with pytest.raises(InputError, match="no source to draw"):
        rule_panel(rule, [], target)


def test_a_circuit_shows_itself_after_it_was_read_back(tmp_path: object) -> None:
    network = load("lines")
    again = load(save(network, f"{tmp_path}/lines.safetensors"))
    assert again._repr_png_() == network._repr_png_()
    assert repr(again).endswith("mixed3a: 12 line, on cpu)")


def test_each_kind_of_each_stage_has_a_row_for_each_kind_that_it_is_made_of() -> None:
    titles = [axes.get_title(loc="left") for axes in circuit_panel(curves()).axes]
    assert [title for title in titles if title.startswith("mixed3b")] == [
        "mixed3b: early curve → curve 0°, radius 60 px",
        "mixed3b: line → curve 0°, radius 60 px",
        "mixed3b: line → line 0°",
    ]


def test_a_trained_network_has_no_circuit_to_show() -> None:
    network: Network = untrained("bvlc_googlenet")
    with pytest.raises(InputError, match="not handwritten"):
        circuit_panel(network)
