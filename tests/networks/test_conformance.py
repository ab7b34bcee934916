"""Every kind of network, compared with plain runs of its module.

The oracles do not use the library: hooks on a second copy of the module, which record and change
the results of calls; torch.fx, as in torchvision's feature extraction, for the functions between
modules; autograd, for receptive fields.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, fx, nn
from torchvision import models
from torchvision.models import feature_extraction

from tests.networks.traps import TRAPS
from visioncircuits.environment import variable
from visioncircuits.networks import Network, Preprocessing, load, wrap
from visioncircuits.networks.edits import Edit
from visioncircuits.networks.fixed_parameters import parameters_fixed
from visioncircuits.networks.graph import Graph


@dataclass(eq=False)
class Case:
    """A network, and how to make a second one of the same parameters."""

    make: Callable[[], nn.Module]
    size: tuple[int, int] = (64, 64)
    channels: int = 3
    # Whether receptive fields may be too large: strides that are not whole numbers, and attention
    # within windows, for which the whole picture is returned.
    loose: bool = False

    def build(self) -> nn.Module:
        torch.manual_seed(3)
        return self.make()

    @cached_property
    def module(self) -> nn.Module:
        return self.build()

    @cached_property
    def network(self) -> Network:
        plain = Preprocessing(channels=self.channels)
        return wrap(self.module, plain, size=max(self.size))

    @cached_property
    def plain(self) -> nn.Module:
        """The copy that is run directly."""
        module = self.build()
        for child in module.modules():
            child.training = False
        return module

    @property
    def dtype(self) -> torch.dtype:
        return next(self.module.parameters()).dtype

    @property
    def tolerance(self) -> float:
        """The allowed error from rounding, relative to the largest value."""
        return {torch.float64: 1e-11, torch.float32: 1e-4}.get(self.dtype, 3e-2)

    def pictures(self, batch: int) -> Tensor:
        generator = torch.Generator().manual_seed(batch)
        return torch.rand(batch, self.channels, *self.size, generator=generator).to(self.dtype)

    @property
    def places(self) -> list[str]:
        """All places of one tensor that depend on the picture."""
        graph = self.network._traces.graph(self.size)
        if not isinstance(graph, Graph):
            return list(graph.places[1:])
        return [name for name, at in graph.places.items() if graph.nodes[at].varies and at
                and graph.nodes[at].shape]  # fmt: skip

    @property
    def layers(self) -> list[str]:
        known = {*self.places}
        return [name for name in self.network.layers_at(self.size) if name in known]

    def read(self, pictures: Tensor, places: list[str], *changes: Edit) -> dict[str, Tensor]:
        return self.network.activations(pictures, places, changes=changes)

    def close(self, one: Tensor, other: Tensor, what: str) -> None:
        assert one.shape == other.shape, what
        scale = other.abs().max().clamp(min=1e-3) if other.numel() else 1.0
        off = (one.double() - other.double()).abs().max() / scale if other.numel() else 0.0
        assert off <= self.tolerance, (what, float(off))


def _some(values: list[str], count: int) -> list[str]:
    """Return some items of a list, evenly spread, the last included."""
    step = max(1, len(values) // count)
    return values[::-1][::step][:count]


def _tensors(values: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    if isinstance(values, Tensor):
        yield name, values
    elif hasattr(values, "_asdict"):
        yield from _tensors(values._asdict(), name)
    elif isinstance(values, dict | list | tuple):
        for key, value in values.items() if isinstance(values, dict) else enumerate(values):
            yield from _tensors(value, f"{name}.{key}")


def _versions(args: Any) -> list[tuple[Tensor, int]]:
    return [(t, t._version) for t in args if isinstance(t, Tensor)]


def _zeroed(out: Tensor, given: list[tuple[Tensor, int]]) -> Tensor:
    """Set a value to zero: under its old name too, where it was changed in place."""
    changed = any(out is t and t._version > version for t, version in given)
    return out.zero_() if changed else torch.zeros_like(out)


@torch.no_grad()
def _by_hooks(module: nn.Module, pictures: Tensor, zeroed: str = "") -> dict[str, Tensor]:
    """Return a copy of the result of every call of a module, with one of them set to zero."""
    found: dict[str, Tensor] = {}
    calls: Counter[str] = Counter()
    given: dict[str, Any] = {}
    handles = []

    def before(path: str, _module: nn.Module, args: Any) -> None:
        given[path] = _versions(args)

    def after(path: str, _module: nn.Module, _args: Any, out: Any) -> Any:
        name = f"{path}_{calls[path]}" if calls[path] else path
        calls[path] += 1
        if name == zeroed:
            out = _zeroed(out, given[path])
        for key, value in _tensors(out, name):
            if key == zeroed != name:
                value.zero_()  # a part of what it returns
        found.update((key, value.clone()) for key, value in _tensors(out, name))
        return out

    for path, child in module.named_modules():
        if path and not isinstance(child, torch.jit.ScriptModule):
            handles.append(child.register_forward_pre_hook(partial(before, path)))
            handles.append(child.register_forward_hook(partial(after, path)))
    try:
        output = module(pictures.clone())
    finally:
        for handle in handles:
            handle.remove()
    return found | dict(_tensors(output, "output"))


OPERATORS = {
    "truediv": "div", "mod": "remainder", "add_": "add", "mul_": "mul", "sub_": "sub",
    "div_": "div",
}  # fmt: skip


OTHERWISE_NAMED = "|".join(
    (
        r"stochastic_depth$",  # returns its input, without a torch function
        r"stochastic_depth_\d+$",
        r"shifted_window_attention",  # torchvision has fx not trace these two
        r"_get_relative_position_bias|_patch_merging_pad",
        r"encoder_layer_\d+\.ln(_1)?$",  # for torchvision the modules ln_1 and ln_2 are calls
    )
)


class _Followed(fx.Interpreter):
    """A module with the names of torchvision's feature extraction."""

    def __init__(self, module: nn.Module) -> None:
        tracer = feature_extraction.NodePathTracer()
        self.traced = tracer.trace(module)
        self.names = tracer.node_to_qualname
        super().__init__(fx.GraphModule(module, self.traced))

    def follow(self, pictures: Tensor, zeroed: str = "") -> dict[str, Tensor]:
        self.found: dict[str, Tensor] = {}
        self.zeroed = zeroed
        with torch.no_grad():
            output = self.run(pictures.clone())
        return self.found | dict(_tensors(output, "output"))

    def called(self, node: fx.Node) -> str:
        """Return a node's name; torch has the same name for several ways of writing an operator."""
        scope, dot, name = self.names.get(node, "").rpartition(".")
        plain, number = re.fullmatch(r"(.*?)(_\d+)?", name).groups()
        return f"{scope}{dot}{OPERATORS.get(plain, plain)}{number or ''}"

    def run_node(self, n: fx.Node) -> Any:
        given = _versions(self.fetch_args_kwargs_from_env(n)[0])
        result = super().run_node(n)
        name = self.called(n)
        # What torchvision calls an item of a result, the library calls `chunk.0`.
        last = name.rpartition(".")[2]
        known = "getitem" not in last and last != "forward"  # that of a scripted module
        if n.op.startswith("call") and isinstance(result, Tensor) and known:
            if name == self.zeroed:
                result = _zeroed(result, given)
            self.found[name] = result.clone()
        return result


@cache
def _followed(case: Case) -> _Followed | None:
    """Return the oracle for functions; None where torch.fx cannot trace the module."""
    try:
        return _Followed(case.plain)
    except Exception:  # a module can raise any exception on what is not a tensor
        return None


def reads(case: Case) -> None:
    """Every place of every batch has the value of a plain run."""
    for batch in (2, 1, 5):
        pictures = case.pictures(batch)
        found = case.read(pictures, case.places)
        expected = _by_hooks(case.plain, pictures)
        if batch == 2:
            for name in expected.keys() - {*case.network._traces.graph(case.size).places}:
                found |= case.read(pictures, [name])  # inside of what could not be traced
        for name in expected.keys() & found.keys():
            case.close(found[name], expected[name], name)
        for alias, name in case.network._traces.aliases.items():
            if name in found:
                assert torch.equal(case.read(pictures, [alias])[alias], found[name])


BEYOND_FX = {
    "a choice and a dict",
    "a choice at the top",
    "a choice inside",
    "a view changed in place",
    "conditions on sizes",
    "lists and numbers",
    "padding by size",
    "scripted",
}
"""What torch.fx cannot trace, so that there is no oracle for the names of its functions."""


def names(case: Case) -> None:
    """Functions have torchvision's names and values."""
    followed = _followed(case)
    assert followed is not None, "torch.fx cannot trace it"
    pictures = case.pictures(2)
    expected = followed.follow(pictures)
    graph = case.network._traces.graph(case.size)
    closed = tuple(f"{path}." for path in graph.opaque)  # no names within what cannot be traced
    expected = {
        name: value
        for name, value in expected.items()
        if not re.search(OTHERWISE_NAMED, name) and not name.startswith(closed)
    }
    assert expected.keys() <= {*graph.places}
    found = case.read(pictures, case.places)
    for name in expected.keys() & found.keys():
        case.close(found[name], expected[name], name)


def rewrites(case: Case) -> None:
    """Replacing a place by its copy changes no bit of any place."""
    pictures = case.pictures(2)
    before = case.read(pictures, case.places)
    for place in _some(case.places, 6):
        after = case.read(pictures, case.places, Edit(place, torch.clone))
        for name, value in before.items():
            assert torch.equal(after[name], value), (place, name)


def zeroes(case: Case) -> None:
    """Setting a place to zero changes the outputs as in a plain run."""
    pictures = case.pictures(2)
    places = case.places
    calls = _some([n for n in _by_hooks(case.plain, pictures) if not n.startswith("output")], 5)
    followed = _followed(case)
    functions = [*followed.follow(pictures)] if followed else []
    functions = [n for n in functions if n in places and not re.search(OTHERWISE_NAMED, n)]
    outputs = [name for name in places if name.startswith("output")]
    for place, oracle in (
        *((name, partial(_by_hooks, case.plain)) for name in calls),
        *(
            (name, followed.follow)
            for name in _some(functions, 5)
            if followed and "output" not in name
        ),
    ):
        expected = oracle(pictures, place)
        found = case.read(pictures, [*outputs, place], Edit(place, torch.zeros_like))
        assert not found[place].any()
        for name in outputs:
            case.close(found[name], expected[name], f"{name} with {place} zeroed")


def selects(case: Case) -> None:
    """Selected units have the layer's values, under any change at any place."""
    pictures = case.pictures(2)
    layers = case.layers
    edits = _some(layers, 3)
    for layer in _some(layers, 4):
        width = case.network.layers_at(case.size)[layer].units
        units = torch.tensor([width - 1, 0, width // 2, 0])
        for place in [None, layer, *edits]:
            changes = [Edit(place, lambda v: v * 0.5 + v.flip(1))] if place else []
            whole = case.read(pictures, [layer], *changes)[layer][:, units]
            _, some = case.network._run(pictures, [], {layer: units.tolist()}, changes)
            case.close(some[layer], whole, f"{layer} with {place} changed")


def fuses(case: Case) -> None:
    """With parameters fixed, places, units and gradients are as they are without, under edits."""
    layers = case.layers
    differentiable = case.dtype in (torch.float32, torch.float64)
    chosen = _some(layers, 5)
    for place in [None, *_some(layers, 2)]:
        changes = [Edit(place, lambda v: v * 0.5 + v.flip(1))] if place else []
        for layer in chosen:
            width = case.network.layers_at(case.size)[layer].units
            units = {layer: [width - 1, 0]}
            plain = case.network._run(case.pictures(2), [layer], {}, changes)[0][layer]
            with parameters_fixed():
                for batch in (2, 1, 2):  # the last has all it needs of the parameters already
                    pictures = case.pictures(batch)
                    whole, _ = case.network._run(pictures, [layer], {}, changes)
                    _, some = case.network._run(pictures, [], units, changes)
                    what = f"{layer} with {place} changed"
                    case.close(some[layer], whole[layer][:, units[layer]], what)
                    if batch == 2:
                        case.close(whole[layer], plain, what)
        if differentiable:
            _close_gradients(case, chosen[0], changes)


def _close_gradients(case: Case, layer: str, changes: list[Edit]) -> None:
    """Compare gradients of smooth sums: those of single neurons jump where a rectifier does."""
    found = []
    for context in (nullcontext, parameters_fixed):
        pictures = case.pictures(2).requires_grad_()
        with context():
            values, _ = case.network._run(pictures, [layer], {}, changes)
            loss = values[layer].square().mean()
            if not loss.requires_grad:
                return
            found.append(torch.autograd.grad(loss, pictures, allow_unused=True)[0])
    if found[0] is not None:
        difference, size = (found[0] - found[1]).norm(), found[0].norm()
        assert difference <= 0.05 * size + 1e-12, (layer, float(difference), float(size))


def crops(case: Case) -> None:
    """Windows of layers, at corners, borders and inside, have the layers' values, under edits."""
    known = case.network.layers_at(case.size)
    layers = [name for name in case.layers if len(known[name].shape) == 2]
    pictures = case.pictures(2)
    for place in [None, *_some(layers, 3)[1:2]]:
        changes = [Edit(place, lambda v: v * 0.5 + v.flip(1) + v.flip(2))] if place else []
        for layer in _some(layers, 3):
            whole = case.read(pictures, [layer], *changes)[layer]
            height, width = known[layer].shape
            units = {layer: [known[layer].units - 1, 0]}
            for context, rows, columns in (
                (nullcontext, range(1), range(width - 1, width)),
                (parameters_fixed, range(height // 2, height // 2 + 1), range(width // 2 + 1)),
                (parameters_fixed, range(height // 3, height), range(width // 2, width)),
            ):
                expected = whole[:, :, rows.start : rows.stop, columns.start : columns.stop]
                what = f"{rows} and {columns} of {layer} with {place} changed"
                with context():
                    part, _ = case.network._run(pictures, [layer], {}, changes, (rows, columns))
                    case.close(part[layer], expected, what)
                    _, some = case.network._run(pictures, [], units, changes, (rows, columns))
                    case.close(some[layer], expected[:, units[layer]], what)


def fields(case: Case) -> None:
    """Receptive fields are the pixels that gradients reach, with gates constant."""
    with _doubled(case) as network:
        layers = network.layers_at(case.size)
        pictures = case.pictures(1).double().requires_grad_()
        gates = [
            n for n, layer in layers.items() if layer.shape == (1, 1) and layer.stride == (0, 0)
        ]
        constant = [Edit(name, torch.detach) for name in gates]
        chosen = _some([n for n in layers if n not in gates and layers[n].shape], 6)
        found = network.activations(pictures, chosen, changes=constant)
        for name in chosen:
            layer, values = layers[name], found[name]
            if not values.requires_grad:  # a gate, given the positions of what it multiplies
                continue
            row, column = (places // 2 for places in layer.shape)
            loss = values[:, :, row, column].square().sum()
            (gradient,) = torch.autograd.grad(loss, pictures, retain_graph=True)
            reached = gradient.abs().sum((0, 1)) > 0
            for axis, place, pixels in ((0, row, reached.any(1)), (1, column, reached.any(0))):
                first = layer.offset[axis] + layer.stride[axis] * place
                last = first + layer.receptive_field[axis] - 1
                span = max(first, 0), min(last, case.size[axis] - 1)
                ends = pixels.nonzero().flatten().tolist()
                assert span[0] <= ends[0], (name, axis, span, ends[0], ends[-1])
                assert ends[-1] <= span[1], (name, axis, span, ends[0], ends[-1])
                slack = case.size[axis] if case.loose else max(2, (span[1] - span[0]) // 3)
                assert ends[0] - span[0] <= slack, (name, axis, span, ends[0], ends[-1])
                assert span[1] - ends[-1] <= slack, (name, axis, span, ends[0], ends[-1])


@contextmanager
def _doubled(case: Case) -> Iterator[Network]:
    """Return the network in double precision, where no gradient is lost to rounding."""
    module = case.build().double()
    yield wrap(module, Preprocessing(channels=case.channels), size=max(case.size))


def _state(module: nn.Module) -> dict[str, Any]:
    """Return the whole state of a module."""
    state: dict[str, Any] = {"random": torch.random.get_rng_state().tolist()}
    for path, child in module.named_modules():
        state[path] = [*vars(child)] if not isinstance(child, torch.jit.ScriptModule) else []
        state[f"{path}.training"] = child.training
        for kind in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks"):
            state[f"{path}.{kind}"] = list(vars(child).get(kind, ()))
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        state[f"{name}!"] = id(tensor), tensor.stride(), tensor.requires_grad, tensor._version
        state[f"{name}="] = tensor.detach().clone(), tensor.grad
    return state


def leaves_alone(case: Case) -> None:
    """A module, its outputs and torch's generator stay as they were."""
    module = case.build()
    next(iter(module.parameters())).requires_grad_(False)
    network = wrap(module, Preprocessing(channels=case.channels), size=max(case.size))
    before, pictures = _state(module), case.pictures(2).requires_grad_()
    layers = list(network.layers_at(case.size))
    values = network.activations(pictures, layers[-1:])[layers[-1]]
    network.unit_activations(pictures, {layers[-1]: torch.tensor([0])})
    with network.changing(Edit(layers[0], torch.zeros_like)):
        network.activations(pictures, layers[-1:])
    values.float().square().sum().backward()
    after = _state(module)
    assert before.keys() == after.keys()
    for key, value in before.items():
        same = torch.equal(value[0], after[key][0]) if key.endswith("=") else value == after[key]
        assert same, key
        assert not key.endswith("=") or after[key][1] is None, key


CHECKS = (reads, names, rewrites, zeroes, selects, fuses, crops, fields, leaves_alone)


def _slim(**options: Any) -> nn.Module:
    return models.MaxVit(
        (32, 32), stem_channels=8, partition_size=2, block_channels=[8, 16], block_layers=[1, 1],
        head_dim=4, stochastic_depth_prob=0.1, num_classes=7,
    )  # fmt: skip


FAMILIES: dict[str, Case] = {
    "alexnet": Case(models.alexnet),
    "convnext": Case(models.convnext_tiny),
    "densenet": Case(models.densenet121),
    "efficientnet": Case(models.efficientnet_b0),
    "googlenet": Case(partial(models.googlenet, init_weights=False)),
    "googlenet without aux": Case(
        partial(models.googlenet, init_weights=False, aux_logits=False), (64, 47)
    ),
    "inception": Case(partial(models.inception_v3, init_weights=False), (75, 75)),
    "maxvit": Case(_slim, (32, 32), loose=True),
    "mnasnet": Case(models.mnasnet0_5),
    "mobilenetv2": Case(models.mobilenet_v2, (33, 65)),
    "mobilenetv3": Case(models.mobilenet_v3_small),
    "regnet": Case(models.regnet_y_400mf),
    "resnet": Case(models.resnet18, (65, 33)),
    "shufflenetv2": Case(models.shufflenet_v2_x0_5),
    "squeezenet": Case(models.squeezenet1_1),
    "swin_transformer": Case(models.swin_t),
    "vgg": Case(models.vgg11_bn, (32, 32)),
    "vision_transformer": Case(
        partial(models.VisionTransformer, 32, 8, 2, 2, 16, 32, num_classes=7), (32, 32)
    ),
    "deeplab": Case(
        partial(models.segmentation.deeplabv3_mobilenet_v3_large, weights_backbone=None)
    ),
    "fcn": Case(
        partial(models.segmentation.fcn_resnet50, weights_backbone=None, aux_loss=True), (33, 33)
    ),
    **{
        name: Case(
            make,
            (24, 24) if "view(" in name else (24, 20),
            {"one": 1, "four": 4, "thirteen": 13}.get(name.split()[0], 3),
            loose=name == "resizing its input",
        )
        for name, make in TRAPS.items()
    },
}

SLOW = (
    "alexnet", "convnext", "deeplab", "densenet", "efficientnet", "fcn", "googlenet without aux",
    "inception", "maxvit", "regnet", "swin_transformer", "vgg",
)  # fmt: skip
"""Large networks, which are slow."""


@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in SLOW else ()) for n in FAMILIES]
)
def test_a_network_conforms(name: str, check: Callable[[Case], None]) -> None:
    if check is names and name in BEYOND_FX:
        assert _followed(FAMILIES[name]) is None
    else:
        check(FAMILIES[name])


SIZES = {
    "alexnet": (64, 64),
    "inception_v3": (75, 75),
    "maxvit_t": (224, 224),
    "vit_h_14": (28, 28),
}
ALL = models.list_models(module=torchvision.models)
LARGER = (
    "convnext_base", "convnext_large", "convnext_small", "densenet161", "densenet169",
    "densenet201", "efficientnet_b5", "efficientnet_b6", "efficientnet_b7", "efficientnet_v2_l",
    "efficientnet_v2_m", "regnet_x_16gf", "regnet_x_32gf", "regnet_x_8gf", "regnet_y_128gf",
    "regnet_y_16gf", "regnet_y_32gf", "regnet_y_8gf", "resnet101", "resnet152",
    "resnext101_32x8d", "resnext101_64x4d", "swin_b", "swin_s", "swin_v2_b", "swin_v2_s", "vgg16",
    "vgg16_bn", "vgg19", "vgg19_bn", "vit_h_14", "vit_l_16", "vit_l_32", "wide_resnet101_2",
)  # fmt: skip
"""What has more of the parts of another, and nothing else."""


@pytest.fixture
def _quick_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Initialize parameters in a quick way."""

    def drawn(tensor: Tensor, *_: Any, **__: Any) -> Tensor:
        with torch.no_grad():
            return tensor.uniform_(-1, 1).mul_((3 / max(1, tensor[0].numel())) ** 0.5)

    for name in (
        "trunc_normal_",
        "kaiming_normal_",
        "kaiming_uniform_",
        "xavier_uniform_",
        "normal_",
    ):
        monkeypatch.setattr(nn.init, name, drawn)


@pytest.mark.slow
@pytest.mark.usefixtures("_quick_start")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
            marks=pytest.mark.skipif(
                name in LARGER and variable("CI") is None,
                reason="has more of the parts of another; run where CI is set",
            ),
        )
        for name in ALL
    ],
)
def test_every_classifier_of_torchvision_is_read_and_edited(name: str) -> None:
    size = SIZES.get(name, (32, 32))
    options: dict[str, Any] = (
        {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    )
    if name.startswith("vit"):
        options["image_size"] = size[0]
    case = Case(partial(models.get_model, name, weights=None, **options), size)
    pictures, places = case.pictures(2), case.places
    module = case.module.eval()
    expected = _by_hooks(module, pictures)
    found = case.read(pictures, places)
    graph = case.network._traces.graph(case.size)
    closed = tuple(f"{path}." for path in graph.opaque)  # Swin V2's attention: see its reason
    assert {n for n in expected if not n.startswith(closed)} <= {*graph.places}
    for place in expected.keys() & found.keys():
        case.close(found[place], expected[place], place)
    middle = places[len(places) // 2]
    after = case.read(pictures, places, Edit(middle, torch.clone))
    assert all(torch.equal(after[place], value) for place, value in found.items())


REAL = {
    "bvlc_googlenet": "bvlc_googlenet.safetensors",
    "torchvision:squeezenet1_1": "squeezenet1_1.safetensors",
}


@pytest.mark.weights
@pytest.mark.parametrize("name", REAL)
def test_a_network_with_real_weights_conforms(name: str, checkpoints: Path) -> None:
    def make() -> nn.Module:
        return load(name, checkpoint=checkpoints / REAL[name]).module

    case = Case(make, (64, 64))
    for check in (reads, rewrites, zeroes, selects, crops):
        check(case)
