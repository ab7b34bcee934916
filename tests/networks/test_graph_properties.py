"""Random small graphs: `Graph.run` is compared with an interpreter without optimizations."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from visioncircuits.errors import InputError
from visioncircuits.networks.edits import Change, Edit, Replacement, Rewiring
from visioncircuits.networks.tracing import trace

KINDS = [
    "conv",
    "conv",
    "shared",
    "relu",
    "relu in place",
    "rectifier",
    "pool",
    "cat",
    "add",
    "add in place",
]
CHANGES: list[Callable[[Tensor], Tensor]] = [
    torch.zeros_like,
    lambda values: values * 0.5 + 1,
    lambda values: values.flip(1),
    lambda values: values,
]


@dataclass(frozen=True)
class Operation:
    """A line of a program; its inputs are lines before it, 0 the picture."""

    kind: str
    inputs: tuple[int, ...]
    conv: int = 0


@dataclass(frozen=True)
class Program:
    lines: tuple[Operation, ...]
    convs: tuple[int, ...]
    widths: tuple[int, ...]

    @property
    def names(self) -> list[str]:
        """The place of each line, by torchvision's rule."""
        plain = {"relu in place": "relu_", "pool": "max_pool2d", "add in place": "add"}
        calls: Counter[str] = Counter()
        found = ["input"]
        for line in self.lines:
            name = plain.get(line.kind, line.kind)
            if line.kind in ("conv", "shared"):
                name = f"convs.{line.conv}"
            found.append(f"{name}_{calls[name]}" if calls[name] else name)
            calls[name] += 1
        return found


@st.composite
def programs(draw: st.DrawFn) -> Program:
    lines: list[Operation] = []
    widths, convs = [3], []
    for _ in range(draw(st.integers(2, 9))):
        kind = draw(st.sampled_from(KINDS))
        first = draw(st.integers(max(0, len(widths) - 4), len(widths) - 1))
        same = [n for n, width in enumerate(widths) if width == widths[first]]
        shared = [n for n, width in enumerate(convs) if width == widths[first]]
        if kind == "shared" and not shared:
            kind = "conv"
        if kind in ("conv", "shared"):
            if kind == "conv":
                convs.append(widths[first])
            index = len(convs) - 1 if kind == "conv" else draw(st.sampled_from(shared))
            lines.append(Operation(kind, (first,), index))
            widths.append(4)
        elif kind in ("cat", "add", "add in place"):
            among = range(len(widths)) if kind == "cat" else same
            second = draw(st.sampled_from(among))
            lines.append(Operation(kind, (first, second)))
            widths.append(widths[first] + (widths[second] if kind == "cat" else 0))
        else:
            lines.append(Operation(kind, (first,)))
            widths.append(widths[first])
    return Program(tuple(lines), tuple(convs), tuple(widths))


class Running(nn.Module):
    """A program as a module that works in place where it specifies that."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.program = program
        self.convs = nn.ModuleList(nn.Conv2d(width, 4, 3, padding=1) for width in program.convs)
        self.rectifier = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        values = [x]
        for line in self.program.lines:
            one, *others = (values[n] for n in line.inputs)
            match line.kind:
                case "conv" | "shared":
                    values.append(self.convs[line.conv](one))
                case "relu":
                    values.append(F.relu(one))
                case "relu in place":
                    values.append(torch.relu_(one))
                case "rectifier":
                    values.append(self.rectifier(one))
                case "pool":
                    values.append(F.max_pool2d(one, 3, 1, 1))
                case "cat":
                    values.append(torch.cat([one, *others], 1))
                case "add":
                    values.append(one + others[0])
                case "add in place":
                    one += others[0]
                    values.append(one)
        return values[-1] * 1


def _interpreted(
    module: Running, picture: Tensor, change: Callable[[int, Tensor], Tensor]
) -> list[Tensor]:
    """Compute every line from copies; a change in place makes a new value."""
    program = module.program
    values = [change(0, picture.clone())]
    newest = {0: 0}
    for at, line in enumerate(program.lines, 1):
        # a value under all its names: those of the values that were changed in place into it
        one, *others = (values[newest[n]].clone() for n in line.inputs)
        match line.kind:
            case "conv" | "shared":
                conv = module.convs[line.conv]
                value = F.conv2d(one, conv.weight, conv.bias, padding=1)
            case "relu" | "relu in place" | "rectifier":
                value = one.clamp(min=0)
            case "pool":
                padded = F.pad(one, (1, 1, 1, 1), value=-torch.inf)
                value = padded.unfold(2, 3, 1).unfold(3, 3, 1).amax((-1, -2))
            case "cat":
                value = torch.cat([one, *others], 1)
            case _:
                value = one + others[0]
        values.append(change(at, value))
        newest[at] = at
        if line.kind in ("relu in place", "rectifier", "add in place"):
            old = newest[line.inputs[0]]
            newest = {n: at if now == old else now for n, now in newest.items()}
    return values


@dataclass(frozen=True)
class Run:
    program: Program
    edits: tuple[tuple[int, int], ...]  # line, and which change; beyond the list: a replacement
    edge: tuple[int, int, int] | None
    read: tuple[int, ...]
    units: dict[int, tuple[int, ...]]


@st.composite
def runs(draw: st.DrawFn) -> Run:
    program = draw(programs())
    line = st.integers(0, len(program.lines))
    edits = draw(st.lists(st.tuples(line, st.integers(0, len(CHANGES))), max_size=3))
    edge = draw(st.none() | st.tuples(line, line, st.integers(0, len(CHANGES) - 1)))
    units = {
        at: tuple(draw(st.lists(st.integers(0, program.widths[at] - 1), min_size=1, max_size=4)))
        for at in draw(st.lists(line, max_size=3, unique=True))
    }
    read = draw(st.lists(line, max_size=3))
    return Run(program, tuple(edits), edge, tuple(read), units)


def _merge(now: Tensor, changed: Tensor) -> Tensor:
    return now + 2 * (changed - now)


def _by_hand(
    module: Running, run: Run, picture: Tensor, values: Sequence[Tensor]
) -> list[Tensor] | None:
    """Return every line's value; None where the edge does not exist."""

    def edited(at: int, value: Tensor) -> Tensor:
        for (line, kind), replaced in zip(run.edits, values, strict=True):
            if line == at:
                value = replaced if kind == len(CHANGES) else CHANGES[kind](value)
        return value

    base = _interpreted(module, picture, edited)
    if run.edge is None:
        return base
    source, target, kind = run.edge
    if not 0 <= source < target:
        return None
    swapped = CHANGES[kind](base[source])

    def with_source(replaced: Tensor) -> Callable[[int, Tensor], Tensor]:
        return lambda at, value: replaced if at == source else edited(at, value)

    given = {line: v for (line, kind), v in zip(run.edits, values, strict=True)
             if kind == len(CHANGES)}  # fmt: skip
    nothing = torch.full_like(base[source], torch.nan)  # reaches whatever depends on it
    reached = _interpreted(
        module, picture, lambda at, value: nothing if at == source else given.get(at, value)
    )
    if not reached[target].isnan().any():
        return None
    merged = _merge(base[target], _interpreted(module, picture, with_source(swapped))[target])
    return _interpreted(
        module, picture, lambda at, value: merged if at == target else edited(at, value)
    )


@settings(deadline=None, max_examples=150)
@given(run=runs(), batch=st.integers(1, 4))
def test_a_run_returns_what_an_interpreter_computes_line_by_line(run: Run, batch: int) -> None:
    torch.manual_seed(0)
    module = Running(run.program).double()
    picture = torch.randn(batch, 3, 5, 4, dtype=torch.float64)
    names, widths = run.program.names, run.program.widths
    graph = trace(module, picture[:1])
    assert set(names) <= graph.places.keys()
    given = [torch.randn(batch, widths[at], 5, 4, dtype=torch.float64) for at, _ in run.edits]
    changes: list[Change] = [
        Replacement(names[at], values) if kind == len(CHANGES) else Edit(names[at], CHANGES[kind])
        for (at, kind), values in zip(run.edits, given, strict=True)
    ]
    if run.edge:
        source, target, kind = run.edge
        changes.append(Rewiring(names[source], CHANGES[kind], names[target], _merge))
    with torch.no_grad():
        expected = _by_hand(module, run, picture, given)
        before = picture.clone()
        try:
            whole, some = graph.run(
                picture,
                [names[at] for at in run.read],
                units={names[at]: units for at, units in run.units.items()},
                changes=changes,
            )
        except InputError:
            assert expected is None
            return
    assert torch.equal(picture, before)
    assert expected is not None
    for at in run.read:
        torch.testing.assert_close(whole[names[at]], expected[at])
    for at, units in run.units.items():
        torch.testing.assert_close(some[names[at]], expected[at][:, list(units)])


@settings(deadline=None, max_examples=50)
@given(run=runs())
def test_gradients_are_those_of_the_lines(run: Run) -> None:
    torch.manual_seed(0)
    module = Running(run.program).double()
    picture = torch.randn(2, 3, 5, 4, dtype=torch.float64, requires_grad=True)
    names = run.program.names
    found, _ = trace(module, picture[:1].detach()).run(picture, [names[-1]])
    expected = _interpreted(module, picture, lambda _, value: value)[-1]
    (one,) = torch.autograd.grad(found[names[-1]].square().sum(), picture, allow_unused=True)
    (other,) = torch.autograd.grad(expected.square().sum(), picture, allow_unused=True)
    assert one is not None
    assert other is not None
    torch.testing.assert_close(one, other)
