"""Small networks, each with one construct on which tracing often fails."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint


def _conv(inputs: int = 6, outputs: int = 6, kernel: int = 3, **options: Any) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, **options)


class _Parts(nn.Module):
    """A stem, a middle and a linear head; traps define what is between."""

    def __init__(self, channels: int = 3, **parts: nn.Module) -> None:
        super().__init__()
        self.stem = _conv(channels)
        for name, part in parts.items():
            self.add_module(name, part)
        self.head = nn.Linear(6, 5)

    def classified(self, x: Tensor) -> Any:
        return self.head(x.mean((2, 3)))

    def forward(self, x: Tensor) -> Any:
        return self.classified(self.middle(self.stem(x)))

    def middle(self, x: Tensor) -> Tensor:
        return x


class SharedRectifier(_Parts):
    def __init__(self) -> None:
        super().__init__(a=_conv(), b=_conv(), relu=nn.ReLU(inplace=True))

    def middle(self, x: Tensor) -> Tensor:
        x = self.relu(x)
        return self.relu(x + self.b(self.relu(self.a(x))))


class InPlaceChain(_Parts):
    def __init__(self) -> None:
        super().__init__(norm=nn.BatchNorm2d(6), relu=nn.ReLU(inplace=True), b=_conv())

    def middle(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm(x))
        x += 0.5
        x.mul_(2).clamp_(max=1.5)
        y = self.b(x)
        y += x
        return F.relu_(y)


class RectifiedUnderAnOldName(_Parts):
    """The rectifier's result is dropped: its argument has changed."""

    def __init__(self) -> None:
        super().__init__(relu=nn.ReLU(inplace=True), b=_conv())

    def middle(self, x: Tensor) -> Tensor:
        self.relu(x)
        return self.b(x) + x


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(6, 3, 3, 3) / 5)
        self.second = nn.Parameter(torch.randn(6, 12, 1, 1) / 3)
        self.matrix = nn.Parameter(torch.randn(4, 6))

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(F.conv2d(x, self.kernel, stride=2, padding=1))
        x = torch.cat([F.max_pool2d(x, 3, 1, 1), F.avg_pool2d(x, 3, 1, 1)], 1)
        x = F.elu(F.conv2d(x, self.second))
        return F.linear(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1), self.matrix)


class CalledThreeTimes(_Parts):
    def __init__(self) -> None:
        super().__init__(again=nn.Sequential(_conv(), nn.Tanh()))

    def middle(self, x: Tensor) -> Tensor:
        for _ in range(3):
            x = self.again(x)
        return x


class GivesATuple(_Parts):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem(x).relu()
        return x, self.classified(x)


class GivesADict(_Parts):
    def forward(self, x: Tensor) -> dict[str, Any]:
        x = self.stem(x).relu()
        return {"out": x, "aux": [self.classified(x), x.sigmoid()]}


class Noisy(_Parts):
    """The user left dropout and batch norm in training mode."""

    def __init__(self) -> None:
        super().__init__(norm=nn.BatchNorm2d(6), drop=nn.Dropout(0.5), b=_conv())
        self.norm.running_mean.normal_()
        self.train()

    def middle(self, x: Tensor) -> Tensor:
        return F.dropout(self.b(self.drop(self.norm(x))), 0.3, self.training)


class Tied(_Parts):
    def __init__(self) -> None:
        super().__init__(a=_conv(), b=_conv())
        self.b.weight = self.a.weight

    def middle(self, x: Tensor) -> Tensor:
        return self.b(self.a(x).relu())


class WeightNormed(_Parts):
    def __init__(self) -> None:
        super().__init__(a=nn.utils.parametrizations.weight_norm(_conv()), b=_conv())

    def middle(self, x: Tensor) -> Tensor:
        return self.b(self.a(x).relu())


class OldWeightNormed(_Parts):
    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            normed = nn.utils.weight_norm(_conv())
        super().__init__(a=normed, b=_conv())

    def middle(self, x: Tensor) -> Tensor:
        return self.b(self.a(x).relu())


class ViewFlattened(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = _conv(3, 4), nn.Linear(4 * 12 * 12, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv(x)), 2)
        return self.fc(x.view(-1, 576))


class ViewByBatch(ViewFlattened):
    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.conv(x), 2)
        return self.fc(x.view(x.size(0), -1).relu_())


class Checkpointed(_Parts):
    def __init__(self, *, reentrant: bool) -> None:
        super().__init__(a=nn.Sequential(_conv(), nn.ReLU()), b=_conv())
        self.reentrant = reentrant

    def middle(self, x: Tensor) -> Tensor:
        x = checkpoint(self.a, x, use_reentrant=self.reentrant)
        return checkpoint(lambda y: self.b(y).tanh(), x, use_reentrant=self.reentrant)


class _Cubed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grad


class _Cube(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return _Cubed.apply(x)


class OwnGradient(_Parts):
    def __init__(self) -> None:
        super().__init__(cube=_Cube(), b=_conv())

    def middle(self, x: Tensor) -> Tensor:
        return self.b(self.cube(x))


def _script(module: nn.Module) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(module)


class ScriptedPart(_Parts):
    def __init__(self) -> None:
        super().__init__(a=_script(nn.Sequential(_conv(), nn.ReLU())), b=_conv())

    def middle(self, x: Tensor) -> Tensor:
        return self.b(self.a(x))


class _Chooses(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = _conv()

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) if x.sum() > 0 else self.conv(-x)


class ChoosesInside(_Parts):
    def __init__(self) -> None:
        super().__init__(choice=_Chooses(), b=_conv())

    def middle(self, x: Tensor) -> Tensor:
        return self.b(self.choice(x))


class ChoosesAtTheTop(_Parts):
    def __init__(self) -> None:
        super().__init__(a=_conv(), b=_conv())

    def middle(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return self.b(x).relu() if bool(x.sum() > 0) else self.b(-x).relu()


class ChoosesAndGivesADict(ChoosesAtTheTop):
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"out": super().forward(x), "in": x}


class AsksForSizes(_Parts):
    def __init__(self) -> None:
        super().__init__(a=_conv(), b=_conv())

    def middle(self, x: Tensor) -> Tensor:
        if x.shape[-1] > 20 and x.shape[2] % 2 == 0:
            x = self.a(x)
        if len(x) > 100:
            raise ValueError("too many")
        return self.b(x).relu()


class Resizes(_Parts):
    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(x, size=(16, 16), mode="bilinear", align_corners=False)
        return self.classified(self.stem(x).relu())


class ByKeyword(_Parts):
    def __init__(self) -> None:
        super().__init__(a=_conv())

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(input=self.a(input=self.stem(input=x)))
        return self.head(input=x.mean(dim=(2, 3)))


class NonLocal(_Parts):
    def __init__(self) -> None:
        super().__init__(query=_conv(6, 4, 1), key=_conv(6, 4, 1), value=_conv(6, 6, 1))

    def middle(self, x: Tensor) -> Tensor:
        q, k, v = (part(x).flatten(2) for part in (self.query, self.key, self.value))
        weights = (q.transpose(1, 2) @ k).softmax(-1)
        return x + (v @ weights.transpose(1, 2)).view_as(x)


class UNet(_Parts):
    def __init__(self, *, mode: str | None = None) -> None:
        up = (
            nn.ConvTranspose2d(6, 6, 2, 2)
            if mode is None
            else nn.Upsample(scale_factor=2, mode=mode)
        )
        super().__init__(down=nn.MaxPool2d(2), deep=_conv(), up=up, out=_conv(12, 6))

    def middle(self, x: Tensor) -> Tensor:
        low = self.up(self.deep(self.down(x)).relu())
        return self.out(torch.cat([x, low], 1)).relu()


class Gated(_Parts):
    """Squeeze and excitation, with modules where torchvision calls functions."""

    def __init__(self) -> None:
        super().__init__(a=_conv(), squeeze=nn.AdaptiveAvgPool2d(1), fc=_conv(6, 6, 1), b=_conv())

    def middle(self, x: Tensor) -> Tensor:
        x = self.a(x).relu()
        return self.b(x * self.fc(self.squeeze(x)).sigmoid())


class Deep3d(_Parts):
    def __init__(self) -> None:
        super().__init__(volume=nn.Conv3d(1, 2, 3, padding=1), b=_conv(12, 6))

    def middle(self, x: Tensor) -> Tensor:
        return self.b(self.volume(x.unsqueeze(1)).flatten(1, 2).relu())


class Aliased(_Parts):
    def __init__(self) -> None:
        super().__init__(backbone=nn.Sequential(_conv(), nn.ReLU()))
        self.module = self.backbone

    def middle(self, x: Tensor) -> Tensor:
        return self.module(x)


class HandedOn(_Parts):
    """The outputs of an identity and a dropout are used under their old names too."""

    def __init__(self) -> None:
        super().__init__(same=nn.Identity(), drop=nn.Dropout(0.2), a=_conv(), relu=nn.ReLU(True))

    def middle(self, x: Tensor) -> Tensor:
        y = x + self.a(self.drop(x))
        return self.relu(y + self.same(y))


class Hooked(_Parts):
    """The user registers hooks on modules that change their inputs and outputs."""

    def __init__(self) -> None:
        super().__init__(a=_conv(), b=_conv())
        self.a.register_forward_hook(lambda _m, _i, out: out * 2)
        self.b.register_forward_pre_hook(lambda _m, inputs: (inputs[0].relu(),))

    def middle(self, x: Tensor) -> Tensor:
        return self.b(self.a(x))


class ViewChanged(_Parts):
    """A part of a tensor is changed in place through a view of it."""

    def __init__(self) -> None:
        super().__init__(a=_conv())

    def middle(self, x: Tensor) -> Tensor:
        x = self.a(x)
        x[:, :3].mul_(0.5)
        x[:, 3:, ::2] += 1
        return x


class Looped(_Parts):
    """Lists, generators and numbers that Python computes."""

    def __init__(self) -> None:
        super().__init__(convs=nn.ModuleList(_conv() for _ in range(3)))

    def middle(self, x: Tensor) -> Tensor:
        def outputs() -> Iterator[Tensor]:
            for index, conv in enumerate(self.convs):
                yield conv(x) / (index + 1)

        return torch.stack(list(outputs())).sum(0) * float(x.shape[-1]) ** -0.5


class IdentityBeforeNorm(_Parts):
    """An identity before batch normalization, whose gradient depends on the layout of memory."""

    def __init__(self) -> None:
        super().__init__(same=nn.Identity(), norm=nn.BatchNorm2d(6), b=_conv())

    def middle(self, x: Tensor) -> Tensor:
        return self.b(self.norm(self.same(x)))


class _SameConv(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        over = [
            max((-(-size // 2) - 1) * 2 + kernel - size, 0)
            for size, kernel in zip(x.shape[-2:], self.weight.shape[-2:], strict=True)
        ]
        x = F.pad(x, [over[1] // 2, over[1] - over[1] // 2, over[0] // 2, over[0] - over[0] // 2])
        return F.conv2d(x, self.weight, self.bias, self.stride)


class PaddedBySize(_Parts):
    """TensorFlow's SAME padding, computed from the size at run time."""

    def __init__(self) -> None:
        super().__init__(a=_SameConv(6, 6, 3, 2), b=_SameConv(6, 6, 5, 2))

    def middle(self, x: Tensor) -> Tensor:
        return self.b(self.a(x).relu())


class _StandardizedConv(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        flat = self.weight.reshape(1, self.out_channels, -1)
        weight = F.batch_norm(flat, None, None, training=True, momentum=0.0)
        return F.conv2d(x, weight.reshape_as(self.weight), self.bias, padding=1)


class StandardizedWeights(_Parts):
    """Weights are normalized in every pass, by the function that normalizes batches."""

    def __init__(self) -> None:
        super().__init__(a=_StandardizedConv(6, 6, 3), b=_conv())

    def middle(self, x: Tensor) -> Tensor:
        return self.b(self.a(x).relu())


class GatedAcrossUnits(_Parts):
    """A gate by a convolution along the units, given its positions before it multiplies."""

    def __init__(self) -> None:
        super().__init__(a=_conv(), gate=nn.Conv1d(1, 1, 3, padding=1, bias=False), b=_conv())

    def middle(self, x: Tensor) -> Tensor:
        x = self.a(x)
        y = self.gate(x.mean((2, 3)).view(x.shape[0], 1, -1))
        return self.b(x * y.sigmoid().view(x.shape[0], -1, 1, 1).expand_as(x))


class _Kept(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(20))
        self.order = torch.arange(6)
        self.kept: dict[str, Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        if not self.kept:
            self.kept["bias"] = self.table[self.order].view(1, 6, 1, 1)
        return x + self.kept["bias"]


class KeepsAtFirst(_Parts):
    """The first run computes what later ones reuse."""

    def __init__(self) -> None:
        super().__init__(bias=_Kept(), b=_conv())

    def middle(self, x: Tensor) -> Tensor:
        return self.b(self.bias(x))


class _Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.near, self.far = _conv(), _conv(stride=2)

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.near(x).relu(), self.far(x).relu()]


class ListInside(_Parts):
    """A module inside returns a list, as between the branches of HRNet."""

    def __init__(self) -> None:
        super().__init__(two=_Two(), b=_conv())

    def middle(self, x: Tensor) -> Tensor:
        fine, coarse = self.two(x)
        return self.b(fine) + F.interpolate(coarse, fine.shape[-2:])


def _normed(units: int = 6) -> nn.BatchNorm2d:
    """A batch norm that changes what it is given."""
    norm = nn.BatchNorm2d(units)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.3, 2)
    nn.init.uniform_(norm.weight, -2, 2)
    nn.init.normal_(norm.bias)
    return norm


class NormedAndReadTwice(_Parts):
    """A convolution whose result is taken by a batch norm and by a sum."""

    def __init__(self) -> None:
        super().__init__(a=_conv(bias=False), norm=_normed(), b=_conv())

    def middle(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return self.b((self.norm(x) + x).relu())


class NormedInTwoWays(_Parts):
    """A convolution that is called twice, each time followed by a batch norm of its own."""

    def __init__(self) -> None:
        super().__init__(a=_conv(), first=_normed(), second=_normed())

    def middle(self, x: Tensor) -> Tensor:
        return self.second(self.a(self.first(self.a(x)).relu())).relu()


class NormedTwice(_Parts):
    """Two batch norms in a row, without parameters, with a rectifier in place, and a sum after."""

    def __init__(self) -> None:
        plain = nn.BatchNorm2d(6, affine=False)
        plain.running_mean.normal_()
        super().__init__(a=_conv(), first=_normed(), second=plain, b=_conv(), relu=nn.ReLU(True))

    def middle(self, x: Tensor) -> Tensor:
        y = self.second(self.first(self.a(x)))
        y = y + self.relu(self.b(x))
        return self.relu(y) + x


class Residual(_Parts):
    """Sums of two convolutions, of one with itself, and of values of other shapes."""

    def __init__(self) -> None:
        one, two, three, four = (_conv(bias=False) for _ in range(4))
        super().__init__(
            one=one, two=two, three=three, four=four, norm=_normed(), shortcut=_normed()
        )

    def middle(self, x: Tensor) -> Tensor:
        y = self.norm(self.one(x))
        y += self.shortcut(self.two(x))
        y = y.relu_()
        z = self.three(y)
        z = (z + z).relu()
        return torch.add(self.four(z), z.mean((2, 3), keepdim=True)).relu() + 1


class Strides(_Parts):
    """Convolutions with strides, dilation, groups, and padding of several kinds."""

    def __init__(self) -> None:
        super().__init__(
            first=nn.Conv2d(3, 6, (5, 4), stride=3, padding=2),
            second=nn.Conv2d(6, 6, 3, padding="same", groups=3),
            third=nn.Conv2d(6, 6, (1, 3), stride=(1, 2), padding=(0, 4), dilation=(1, 2)),
            fourth=nn.Conv2d(6, 6, 1, padding=2),
            fifth=nn.Conv2d(6, 6, 3, padding=1, padding_mode="reflect"),
            norm=_normed(),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(self.first(x).relu()).relu()
        x = self.norm(self.fourth(self.third(x).relu())).relu()
        return self.classified(self.fifth(x).relu())


class HookedNorm(_Parts):
    """Hooks of the user's on a convolution before a batch norm, and on the batch norm."""

    def __init__(self) -> None:
        super().__init__(a=_conv(), norm=_normed(), b=_conv(), second=_normed())
        self.a.register_forward_hook(lambda _m, _i, out: out.clamp(max=1))
        self.second.register_forward_pre_hook(lambda _m, inputs: (inputs[0] * 2,))

    def middle(self, x: Tensor) -> Tensor:
        return self.second(self.b(self.norm(self.a(x)).relu())).relu()


TRAPS: dict[str, Callable[[], nn.Module]] = {
    "a shared rectifier": SharedRectifier,
    "chains in place": InPlaceChain,
    "rectified under an old name": RectifiedUnderAnOldName,
    "functions for everything": Functional,
    "a module called three times": CalledThreeTimes,
    "a tuple": GivesATuple,
    "a dict": GivesADict,
    "training mode": Noisy,
    "tied weights": Tied,
    "weight norm": WeightNormed,
    "weight norm of old": OldWeightNormed,
    "x.view(-1, n)": ViewFlattened,
    "x.view(batch, -1)": ViewByBatch,
    "checkpoints": lambda: Checkpointed(reentrant=False),
    "reentrant checkpoints": lambda: Checkpointed(reentrant=True),
    "a gradient of its own": OwnGradient,
    "a scripted part": ScriptedPart,
    "scripted": lambda: _script(nn.Sequential(_conv(3), nn.ReLU(), _conv())),
    "a choice inside": ChoosesInside,
    "a choice at the top": ChoosesAtTheTop,
    "a choice and a dict": ChoosesAndGivesADict,
    "conditions on sizes": AsksForSizes,
    "resizing its input": Resizes,
    "keywords": ByKeyword,
    "a non-local block": NonLocal,
    "a U-Net": UNet,
    "a U-Net of nearest neighbors": lambda: UNet(mode="nearest"),
    "a bilinear U-Net": lambda: UNet(mode="bilinear"),
    "a gate": Gated,
    "three dimensions": Deep3d,
    "an alias": Aliased,
    "values handed on": HandedOn,
    "hooks of the user's": Hooked,
    "a view changed in place": ViewChanged,
    "lists and numbers": Looped,
    "an identity before a batch norm": IdentityBeforeNorm,
    "padding by size": PaddedBySize,
    "standardized weights": StandardizedWeights,
    "a gate across units": GatedAcrossUnits,
    "kept at the first run": KeepsAtFirst,
    "a list inside": ListInside,
    "normed and read twice": NormedAndReadTwice,
    "a convolution with two norms": NormedInTwoWays,
    "normed twice": NormedTwice,
    "residual sums": Residual,
    "strides": Strides,
    "hooks around a norm": HookedNorm,
    "one channel": lambda: _Parts(1),
    "four channels": lambda: _Parts(4),
    "thirteen channels": lambda: _Parts(13),
    "channels last": lambda: SharedRectifier().to(memory_format=torch.channels_last),
    "float64": lambda: SharedRectifier().double(),
    "float16": lambda: InPlaceChain().half(),
    "bfloat16": lambda: SharedRectifier().bfloat16(),
}
