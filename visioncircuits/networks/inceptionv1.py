"""InceptionV1 in two variants: Google's inception5h and BVLC's GoogLeNet.

Source: Szegedy et al., "Going Deeper with Convolutions" (2015); the graph of inception5h, the
network of the Circuits thread; BVLC's `deploy.prototxt`.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from visioncircuits.networks.layer_graph import Concat, LayerGraph, Step
from visioncircuits.networks.normalization import LocalResponseNorm
from visioncircuits.networks.padding import SameConv2d, SameMaxPool2d

MODULES = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
POOL_BEFORE = {"3a": "maxpool1", "4a": "maxpool4", "5a": "maxpool10"}


@dataclass(frozen=True)
class Widths:
    """The numbers of units of an inception module's convolutions."""

    one: int
    three_bottleneck: int
    three: int
    five_bottleneck: int
    five: int
    pool: int


@dataclass(frozen=True)
class Variant:
    """What distinguishes two trained variants of the same architecture."""

    same_padding: bool
    lrn_size: int
    lrn_alpha: float
    lrn_beta: float
    lrn_k: float
    mixed4a_3x3: int
    mixed5a_5x5_bottleneck: int
    classes: int

    def widths(self) -> dict[str, Widths]:
        """Return the widths of the nine inception modules."""
        return {
            "3a": Widths(64, 96, 128, 16, 32, 32),
            "3b": Widths(128, 128, 192, 32, 96, 64),
            "4a": Widths(192, 96, self.mixed4a_3x3, 16, 48, 64),
            "4b": Widths(160, 112, 224, 24, 64, 64),
            "4c": Widths(128, 128, 256, 24, 64, 64),
            "4d": Widths(112, 144, 288, 32, 64, 64),
            "4e": Widths(256, 160, 320, 32, 128, 128),
            "5a": Widths(256, 160, 320, self.mixed5a_5x5_bottleneck, 128, 128),
            "5b": Widths(384, 192, 384, 48, 128, 128),
        }


VARIANTS = {
    "inceptionv1": Variant(
        same_padding=True,
        lrn_size=11,
        lrn_alpha=11e-4,
        lrn_beta=0.5,
        lrn_k=2.0,
        mixed4a_3x3=204,
        mixed5a_5x5_bottleneck=48,
        classes=1008,
    ),
    "bvlc_googlenet": Variant(
        same_padding=False,
        lrn_size=5,
        lrn_alpha=1e-4,
        lrn_beta=0.75,
        lrn_k=1.0,
        mixed4a_3x3=208,
        mixed5a_5x5_bottleneck=32,
        classes=1000,
    ),
}


class GlobalAverage(nn.Module):
    """The mean over all positions."""

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels"]:
        """Average."""
        return x.mean((2, 3))


def inceptionv1(variant: Variant) -> LayerGraph:
    """Build InceptionV1, its parameters untrained.

    Layers are named as in Google's graph: `conv2d0` … `mixed5b`, `avgpool0`, `logits`, the
    branches `mixed3b_1x1`, `_3x3`, `_5x5`, `_pool_reduce`, the bottlenecks
    `mixed3b_5x5_bottleneck`, and `_pre_relu` for each before its rectifier. It takes inputs of
    32 px and more.

    Examples
    --------
    >>> import torch
    >>> network = inceptionv1(VARIANTS["bvlc_googlenet"])
    >>> network(torch.zeros(1, 3, 64, 64)).shape
    torch.Size([1, 1000])
    """
    nodes: dict[str, Step] = {}

    def conv(
        name: str, source: str, channels: int, width: int, kernel: int, stride: int = 1
    ) -> str:
        if stride > 1 and variant.same_padding:
            operation: nn.Module = SameConv2d(channels, width, kernel, stride)
        else:
            operation = nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2)
        nodes[f"{name}_pre_relu"] = Step(operation, (source,))
        nodes[name] = Step(nn.ReLU(), (f"{name}_pre_relu",))
        return name

    def maxpool(name: str, source: str) -> str:
        same = variant.same_padding
        pool = SameMaxPool2d() if same else nn.MaxPool2d(3, 2, ceil_mode=True)
        nodes[name] = Step(pool, (source,))
        return name

    def norm(name: str, source: str, channels: int) -> str:
        operation = LocalResponseNorm(
            channels,
            size=variant.lrn_size,
            alpha=variant.lrn_alpha,
            beta=variant.lrn_beta,
            k=variant.lrn_k,
        )
        nodes[name] = Step(operation, (source,))
        return name

    at = conv("conv2d0", "input", 3, 64, 7, 2)
    at = norm("localresponsenorm0", maxpool("maxpool0", at), 64)
    at = conv("conv2d1", at, 64, 64, 1)
    at = conv("conv2d2", at, 64, 192, 3)
    at = norm("localresponsenorm1", at, 192)

    channels = 192
    for name, w in variant.widths().items():
        if name in POOL_BEFORE:
            at = maxpool(POOL_BEFORE[name], at)
        mixed = f"mixed{name}"
        nodes[f"{mixed}_pool"] = Step(nn.MaxPool2d(3, 1, padding=1), (at,))
        three = conv(f"{mixed}_3x3_bottleneck", at, channels, w.three_bottleneck, 1)
        five = conv(f"{mixed}_5x5_bottleneck", at, channels, w.five_bottleneck, 1)
        branches = (
            conv(f"{mixed}_1x1", at, channels, w.one, 1),
            conv(f"{mixed}_3x3", three, w.three_bottleneck, w.three, 3),
            conv(f"{mixed}_5x5", five, w.five_bottleneck, w.five, 5),
            conv(f"{mixed}_pool_reduce", f"{mixed}_pool", channels, w.pool, 1),
        )
        nodes[f"{mixed}_pre_relu"] = Step(Concat(), tuple(f"{b}_pre_relu" for b in branches))
        nodes[mixed] = Step(Concat(), branches)
        at, channels = mixed, w.one + w.three + w.five + w.pool

    nodes["avgpool0"] = Step(GlobalAverage(), (at,))
    nodes["logits"] = Step(nn.Linear(channels, variant.classes), ("avgpool0",))
    return LayerGraph(nodes, output="logits")
