import numpy as np
import pytest
import torch

from visioncircuits import pictures
from visioncircuits.attribution import Paths, branch_contributions, path_contributions
from visioncircuits.errors import InputError
from visioncircuits.networks import Direction, Preprocessing, load, untrained, wrap
from visioncircuits.weights import contextual_weights


@pytest.fixture(scope="module")
def network(checkpoints):
    return load("bvlc_googlenet", checkpoint=checkpoints / "bvlc_googlenet.safetensors")


@pytest.fixture(scope="module")
def picture(photographs):
    return pictures.read(sorted(photographs.iterdir())[100], 128)[None]


@pytest.fixture(scope="module")
def found(network, picture):
    """A circle detector two modules above: all 256 × 480 paths."""
    (paths,) = path_contributions(network, "mixed3a", "mixed4a:58", picture, through="mixed3b")
    return paths


def by_hand(network, picture, *layers):
    """What the module itself gives at some layers, each a leaf of its own for those after it."""
    module, kept = network.module, {}

    def hook(name):
        def keep(_module, _inputs, output):
            leaf = output.detach().clone().requires_grad_()
            kept[name] = output, leaf
            return leaf

        return keep

    handles = [module.get_submodule(n).register_forward_hook(hook(n)) for n in layers]
    with torch.enable_grad():
        module(network.preprocessing(picture))
    for handle in handles:
        handle.remove()
    return kept


def test_paths_and_the_biases_on_their_way_add_up_to_the_activation(network, picture, found):
    module = network.module
    between = [p for n, p in module.named_parameters() if n.startswith(("mixed3b", "mixed4a"))]
    biases = [p for p in between if p.ndim == 1]
    for bias in biases:
        bias.requires_grad_()
    try:
        value = by_hand(network, picture, "mixed3a", "mixed4a")["mixed4a"][0]
        activation = value[0, 58][found.position]
        gradients = torch.autograd.grad(activation, biases, allow_unused=True)
    finally:
        for bias in biases:
            bias.requires_grad_(False)
    pairs = zip(gradients, biases, strict=True)
    constant = sum(float((g * b).sum()) for g, b in pairs if g is not None)
    total = float(found.contributions.sum()) + constant
    assert found.activation == pytest.approx(activation.item(), rel=1e-5)
    assert total == pytest.approx(found.activation, rel=1e-4)
    assert found.constant == pytest.approx(constant, abs=1e-4 * found.activation)
    assert np.abs(found.beside).max() < 1e-4 * found.activation  # all paths cross mixed3b


def test_each_path_is_the_product_of_two_derivatives(network, picture, found):
    kept = by_hand(network, picture, "mixed3a", "mixed3b", "mixed4a")
    value = kept["mixed4a"][0][0, 58][found.position]
    (after,) = torch.autograd.grad(value, kept["mixed3b"][1])
    between, source = kept["mixed3b"][0], kept["mixed3a"][1]
    strong = {path[1] for path, _ in found.strongest(6)}
    assert len(strong) > 1
    for unit in strong:
        index = int(unit.partition(":")[2])
        flow = (after[0, index] * between[0, index]).sum()
        (before,) = torch.autograd.grad(flow, source, retain_graph=True)
        expected = (before * source).sum((0, 2, 3)).detach()
        ours = found.contributions.sel(mixed3b=unit).values
        assert np.allclose(ours, expected, atol=1e-4 * float(expected.abs().max()))


def test_the_strongest_paths_are_the_largest_of_either_sign(found):
    listed = found.strongest(5)
    values = [abs(value) for _, value in listed]
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(float(abs(found.contributions).max()))
    (source, stop), value = listed[0]
    assert float(found.contributions.sel(mixed3a=source, mixed3b=stop)) == value


def test_paths_through_a_module_are_those_through_its_branches(network, picture, found):
    every = branch_contributions(network, "mixed3b", found.contributions)
    assert every["mixed3b"].values.tolist() == [
        f"mixed3b_{branch}" for branch in ("1x1", "3x3", "5x5", "pool_reduce")
    ]
    (some,) = path_contributions(network, "mixed3a", "mixed4a:58", picture, through="mixed3b_5x5")
    branch = every.sel(mixed3b="mixed3b_5x5")
    scale = float(abs(branch).max())
    assert np.allclose(some.contributions.sum("mixed3b_5x5"), branch, atol=1e-4 * scale)
    rest = every.sum("mixed3b") - branch
    assert np.allclose(some.beside, rest, atol=1e-4 * float(abs(rest).max()))


def test_more_stops_divide_the_same_paths(network, picture, found):
    span = network.branches("mixed3b")["mixed3b_5x5"]
    strong = span.start + int(abs(found.contributions[:, span].sum("mixed3a")).values.argmax())
    target, units = "mixed4a:58", [f"mixed3b:{strong}", "mixed3b:222", "mixed3b:7"]
    (coarse,) = path_contributions(network, "mixed3a", target, picture, through=units)
    stops = ["mixed3b_5x5_bottleneck", units]
    (fine,) = path_contributions(network, "mixed3a", target, picture, through=stops)
    assert fine.contributions.dims == ("mixed3a", "mixed3b_5x5_bottleneck", "mixed3b")
    through = fine.contributions.sum("mixed3b_5x5_bottleneck")
    one = coarse.contributions.sel(mixed3b=units[0])
    assert float(abs(one).max()) > 0
    np.testing.assert_allclose(
        through.sel(mixed3b=units[0]), one, rtol=1e-5, atol=1e-4 * float(abs(one).max())
    )
    # the others lie in branches that do not begin in that bottleneck
    assert float(abs(through.sel(mixed3b=units[1:])).max()) == 0
    total = float(fine.contributions.sum() + fine.beside.sum()) + fine.constant
    assert total == pytest.approx(fine.activation, rel=1e-4)


def test_a_normalization_counts_as_its_gain(network, picture):
    (paths,) = path_contributions(network, "conv2d1", "mixed3a:81", picture, through="conv2d2")
    (flow,) = contextual_weights(network, "conv2d1", "mixed3a:81", picture)
    summed = paths.contributions.sum("conv2d2").values
    assert np.allclose(summed, flow.contributions, atol=1e-4 * float(flow.contributions.max()))


def test_a_direction_of_any_module_is_explained_from_the_pixels():
    torch.manual_seed(5)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Conv2d(4, 2, 3)
    )
    network = wrap(module, Preprocessing(), size=16)
    picture = torch.rand(2, 3, 16, 16)
    feature = Direction("2", (1.0, -2.0))
    for n, paths in enumerate(
        path_contributions(network, "input", feature, picture, through="1", position=(3, 4))
    ):
        hidden = module[1](module[0](picture[n : n + 1]))[0, :, 3:6, 4:7]
        kernel = module[2].weight[0] - 2 * module[2].weight[1]
        of_units = (hidden * kernel).sum((1, 2)).detach()
        gates = kernel * (hidden > 0)
        constants = gates.sum((1, 2)) * module[0].bias
        assert np.allclose(
            paths.contributions.sum("input"), (of_units - constants).detach(), atol=1e-5
        )


@pytest.mark.parametrize(
    ("source", "target", "through", "message"),
    [
        ("mixed3a", "mixed4a:1", "conv2d2", "no path leads from mixed3a to conv2d2"),
        ("mixed3a", "mixed4a:1", "mixed4a", "no path leads from mixed4a to mixed4a"),
        ("mixed3a", "mixed3b:1", "mixed3b_3x3", "no path leads from mixed3b_3x3 to mixed3b:1"),
        ("mixed3a", "mixed4a:1", [Direction("mixed3b", (0.1,) * 480)], "lead through units"),
        ("mixed3a", "mixed4b:1", ["mixed3b", "mixed4a"], "62914560 paths"),
    ],
)
def test_what_are_no_paths_is_refused(source, target, through, message):
    with pytest.raises(InputError, match=message):
        path_contributions(
            untrained("bvlc_googlenet"), source, target, torch.rand(1, 3, 64, 64), through=through
        )


def test_branches_need_whole_layers_that_have_some(network, found):
    with pytest.raises(InputError, match="has no branches"):
        branch_contributions(network, "conv2d2", found.contributions)
    with pytest.raises(InputError, match="take the layer"):
        branch_contributions(network, "mixed3b", found.contributions[:, :9])


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_paths_show_the_strongest_and_are_read_back(tmp_path, suffix):
    network, picture = untrained("bvlc_googlenet"), torch.rand(1, 3, 64, 64)
    (found,) = path_contributions(network, "conv2d0", "conv2d2:9", picture, through="conv2d1")
    table = found.table(5)
    assert table.columns.tolist() == ["conv2d0", "conv2d1", "contribution"]
    for row, (units, value) in zip(table.values.tolist(), found.strongest(5), strict=True):
        assert row == [*units, value]
    assert table["conv2d0"][0] in found._repr_html_()
    again = Paths.load(found.save(tmp_path / f"found{suffix}"))
    assert again.contributions.equals(found.contributions)
    assert again.beside.equals(found.beside)
    for name in ("target", "constant", "position", "activation"):
        assert getattr(again, name) == getattr(found, name)
