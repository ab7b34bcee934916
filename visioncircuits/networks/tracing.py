"""A module's forward pass, written down as a graph of torch's functions.

The module runs twice, on two and on three pictures, under a `TorchFunctionMode` that notes every
call of a torch function. What differs between the two runs is the size of the batch, so that the
graph holds for any. What Python does around the calls (loops, conditions on sizes, lists) is
followed by running it, and needs no support of its own: `torch.fx` refuses conditions on sizes,
`torch.export` takes seconds a size and loses the layer of functions at which gradients are
replaced. A part that cannot be written down, because it looks at values or hides what it does
from torch (scripted functions, gradients of its own), stays a call of its smallest module.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from threading import RLock
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.checkpoint import CheckpointFunction
from torch.utils.weak import WeakTensorKeyDictionary

from visioncircuits.networks.evaluation import evaluating
from visioncircuits.networks.graph import (
    INPUT,
    OUTPUT,
    Batch,
    Graph,
    Module,
    Node,
    Parameter,
    Value,
    mapped,
    part,
)

BATCHES = 2, 3
_READS_VALUES = {
    "__bool__", "__complex__", "__contains__", "__float__", "__index__", "__int__",
    "equal", "is_nonzero", "item", "numpy", "tolist", "allclose",
}  # fmt: skip
_SILENT = {"_set_grad_enabled", "__hash__", "__repr__", "__format__"}
_AUGMENTED = {
    "add", "div", "floordiv", "floor_divide", "matmul", "mod", "mul", "pow", "remainder", "sub",
    "truediv",
}  # fmt: skip
"""Functions that Python has an operator for."""
_LAYOUT_DECIDES = {
    "contiguous", "flatten", "float", "double", "half", "bfloat16", "ravel", "reshape",
    "reshape_as", "to", "type", "type_as", "unflatten", "view", "view_as",
}  # fmt: skip
"""Functions that give a copy or the same memory, as it happens."""


class Untraceable(Exception):
    """A part of a forward pass cannot be written down.

    Attributes
    ----------
    scope
        The dotted path of the smallest module that it is in; "" for the network itself.
    reason
        Half a sentence.
    """

    def __init__(self, scope: str, reason: str) -> None:
        super().__init__(f"{scope or 'the network'} {reason}")
        self.scope, self.reason = scope, reason


def trace(module: nn.Module, pictures: Tensor) -> Graph:
    """Write down what a module does with pictures of one size.

    Nothing of the module is changed: not its training mode, buffers, hooks, gradients or layout,
    nor torch's generators.

    Parameters
    ----------
    module
        Any module. It is followed as in evaluation.
    pictures
        What it takes, preprocessed: `(1, channels, height, width)`; only shape, dtype and device
        matter.

    Returns
    -------
    Graph
        Modules that could not be followed are single nodes of it; where a function of torch's
        fails, as on a picture too small for it, what comes before that is there.

    Examples
    --------
    >>> graph = trace(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), torch.zeros(1, 3, 8, 8))
    >>> list(graph.places)
    ['input', '0.conv2d', '0', '1.relu', '1', 'output']
    """
    opaque = dict.fromkeys(_scripted(module), "is scripted")
    while True:
        try:
            first, second = (
                _record(module, pictures.expand(batch, -1, -1, -1), opaque) for batch in BATCHES
            )
            return _unified(module, first, second, opaque)
        except Untraceable as found:
            if found.scope in opaque:  # as one call it does not fit either: the next one up
                parent = found.scope.rpartition(".")[0]
                if not found.scope:
                    raise
                opaque[parent] = found.reason
            else:
                opaque[found.scope] = found.reason


@dataclass
class _Call:
    """A module while it runs."""

    path: str
    first: int


@dataclass
class _Record:
    """What one run noted."""

    nodes: list[Node]
    places: dict[str, int]
    inner: set[str]
    scopes: list[str]
    failure: Exception | None


class _Recorder(TorchFunctionMode):
    """Note each call of a torch function, and the modules around it."""

    def __init__(self, module: nn.Module, opaque: dict[str, str]) -> None:
        super().__init__()
        self.opaque = opaque
        # what was made in inference mode cannot be differentiated, nor that be noticed
        self.recording = not any(parameter.is_inference() for parameter in module.parameters())
        self.nodes: list[Node] = []
        self.scopes: list[str] = []
        self.places: dict[str, int] = {}
        self.insides: set[str] = set()
        self.at = WeakTensorKeyDictionary()  # a tensor's newest version: its node
        self.gradient: dict[int, Any] = {}
        self.stack: list[_Call] = []
        self.paused = 0
        self.failure: Exception | None = None
        self.paths = {id(child): path for path, child in module.named_modules()}
        self.childless = {
            path for path, child in module.named_modules() if not any(child.children())
        }
        tensors = chain(
            module.named_parameters(remove_duplicate=False),
            module.named_buffers(remove_duplicate=False),
        )
        self.known: dict[int, Any] = {}
        for name, tensor in tensors:
            self.known.setdefault(id(tensor), Parameter(name))
        self.calls: dict[str, int] = defaultdict(int)
        self.hazards: list[tuple[int, int]] = []

    @property
    def scope(self) -> str:
        return self.stack[-1].path if self.stack else ""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if self.paused:
            return func(*args, **kwargs)
        name = _name(func)
        taken = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        if name in _READS_VALUES and any(self._from_input(t) for t in taken):
            raise Untraceable(self.scope, f"looks at values ({name})")
        versions = [_version(tensor) for tensor in taken]
        template = self._template((args, kwargs)) if name not in _SILENT else None
        try:
            result = func(*args, **kwargs)
        except (RuntimeError, ValueError) as error:
            self.failure = error
            raise
        if template is None:
            return result
        pairs = zip(taken, versions, strict=True)
        changed = list({id(t): t for t, version in pairs if _version(t) != version}.values())
        made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        if not made and not changed:
            return result
        if len(changed) > 1 or any(id(tensor) in self.known for tensor in changed):
            raise Untraceable(self.scope, f"changes tensors in place that it keeps ({name})")
        if changed and not (args and changed[0] is args[0]):
            raise Untraceable(self.scope, f"writes into a tensor that it is given ({name})")
        if changed and made and made[0] is not changed[0]:
            raise Untraceable(self.scope, f"changes one tensor and gives another ({name})")
        if name == "as_strided":
            raise Untraceable(self.scope, "depends on the layout of memory (as_strided)")
        at = self._note(name, _any_layout(func, args), template, inplace=bool(changed))
        self._name_operation(_place_name(func), at)
        if changed:
            self._changed(changed[0], at)
            self.nodes[at] = replace(self.nodes[at], shape=tuple(changed[0].shape))
            self._set(changed[0], at)
            return result
        return self._results(result, at, taken)

    def _results(self, result: Any, at: int, taken: list[Tensor]) -> Any:
        """Remember which node made each tensor of a result."""
        if isinstance(result, Tensor):
            if any(result is tensor for tensor in taken):  # handed on: a value of its own
                result = result.view_as(result)
            self._made(at, result, taken)
            self._set(result, at)
            return result
        for path, leaf in leaves(result):
            if isinstance(leaf, Tensor):
                place = self._note("getitem", part, ((Value(at), path), {}))
                self._made(place, leaf, taken)
                self._set(leaf, place)
                for name in [n for n, index in self.places.items() if index == at]:
                    self._place(f"{name}.{'.'.join(map(str, path))}", place, name in self.insides)
        return result

    def _made(self, at: int, value: Tensor, taken: list[Tensor]) -> None:
        """Note what a node's value is like."""
        where = _storage(value)
        apart = all(_storage(tensor) != where for tensor in taken)
        fresh = apart and self.nodes[at].name not in _LAYOUT_DECIDES
        self.nodes[at] = replace(self.nodes[at], fresh=fresh, shape=tuple(value.shape))

    def _set(self, tensor: Tensor, at: int) -> None:
        self.at[tensor] = at
        self.gradient[at] = tensor.grad_fn

    def _note(self, name: str, function: Any, template: Any, *, inplace: bool = False) -> int:
        args, kwargs = template
        recorded = torch.is_grad_enabled() or not self.recording
        node = Node(name, function, args, kwargs, inplace=inplace, recorded=recorded)
        varies = any(self.nodes[source].varies for source in node.inputs)
        self.nodes.append(replace(node, varies=varies))
        self.scopes.append(self.scope)
        return len(self.nodes) - 1

    def _changed(self, tensor: Tensor, at: int) -> None:
        """Remember what else an operation in place has changed."""
        where = _storage(tensor)
        for other, node in list(self.at.items()):
            if other is not tensor and _storage(other) == where:
                self.hazards.append((at, node))

    def _from_input(self, tensor: Tensor) -> bool:
        return tensor in self.at and self.nodes[self.at[tensor]].varies

    def _template(self, values: Any) -> Any:
        return mapped(values, self._reference)

    def _reference(self, leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            return leaf
        if leaf in self.at:
            at = self.at[leaf]
            noted, now = self.gradient[at], leaf.grad_fn
            if noted is None and now is not None:
                raise Untraceable(self.scopes[at], f"has a gradient of its own ({now.name()})")
            return Value(at)
        if id(leaf) in self.known:
            return self.known[id(leaf)]
        if leaf.grad_fn is not None:
            raise Untraceable(self.scope, "computes with something other than torch's functions")
        return leaf

    def _place(self, name: str, at: int, inner: bool) -> None:
        if name not in self.places:
            self.places[name] = at
            if inner:
                self.insides.add(name)

    def _name_operation(self, name: str, at: int) -> None:
        if not self.stack:
            return
        call = self.stack[-1]
        full = f"{call.path}.{name}" if call.path else name
        self.calls[full] += 1
        numbered = full if self.calls[full] == 1 else f"{full}_{self.calls[full] - 1}"
        self._place(numbered, at, call.path != "" and call.path in self.childless)

    def enter(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        """A module begins."""
        path = self.paths.get(id(module), "")
        if self.paused:
            self.paused += 1
        elif path in self.opaque and path:
            self.paused = 1
        if self.paused == 1:
            self.template = self._template((args, kwargs))
            self.before = [
                (t, _version(t)) for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)
            ]
        self.stack.append(_Call(path, len(self.nodes)))

    def leave(self, result: Any) -> Any:
        """A module ends."""
        try:
            return self._left(self.stack[-1], result)
        finally:
            self.stack.pop()

    def _left(self, call: _Call, result: Any) -> Any:
        if self.paused:
            self.paused -= 1
            if self.paused:
                return None
            if any(_version(tensor) != version for tensor, version in self.before):
                raise Untraceable(call.path, "changes what it is given in place")
            at = self._note(call.path, Module(call.path), self.template)
            taken = [tensor for tensor, _ in self.before]
            name = self._call_name(call.path)
            self._place(name, at, False)
            if isinstance(result, Tensor):
                return self._results(result, at, taken)
            self._results(result, at, taken)
            return None
        if not isinstance(result, Tensor):
            name = self._call_name(call.path)
            for path, leaf in leaves(result):
                if isinstance(leaf, Tensor):
                    reference = self._reference(leaf)
                    if isinstance(reference, Value):
                        self._place(".".join([name, *map(str, path)]), reference.node, False)
            return None
        reference = self._reference(result)
        replaced = None
        if not isinstance(reference, Value) or reference.node < call.first:
            # Handed on as it was, it is a value of its own for those who use it from here.
            replaced = result.view_as(result)
            reference = Value(self._note("identity", _identity, ((reference,), {})))
            self._made(reference.node, replaced, [result])
            self._set(replaced, reference.node)
        self._place(self._call_name(call.path), reference.node, False)
        return replaced

    def _call_name(self, path: str) -> str:
        if not path:
            return OUTPUT
        self.calls[path] += 1
        count = self.calls[path] - 1
        return f"{path}_{count}" if count else path


def _record(module: nn.Module, pictures: Tensor, opaque: dict[str, str]) -> _Record:
    """Run a module and note what it does."""
    recorder = _Recorder(module, opaque)
    with (
        torch.inference_mode(False),
        torch.set_grad_enabled(recorder.recording),
        torch.random.fork_rng(devices=_devices(pictures)),
        evaluating(module),
    ):
        leaf = torch.rand_like(pictures, memory_format=torch.contiguous_format).requires_grad_()
        given = leaf.clone()
        recorder.nodes.append(Node(INPUT, _identity, (), {}, varies=True, shape=tuple(given.shape)))
        recorder.scopes.append("")
        recorder.places[INPUT] = 0
        recorder._set(given, 0)
        if "" in opaque:
            raise Untraceable("", opaque[""])
        with _calls(module, recorder), _unchecked(), recorder:
            try:
                module(given)
            except (RuntimeError, ValueError) as error:
                if error is not recorder.failure or isinstance(error, torch.OutOfMemoryError):
                    raise  # not torch's: an error of the module's own
            else:
                recorder.failure = None  # whatever the module tried and caught
    used: dict[int, int] = {}
    for index, node in enumerate(recorder.nodes):
        for source in node.inputs:
            used[source] = index
    for change, other in recorder.hazards:
        if used.get(other, -1) > change:
            scope = _common(
                recorder.scopes[change], recorder.scopes[other], recorder.scopes[used[other]]
            )
            raise Untraceable(scope, "changes in place what it goes on using under another name")
    return _Record(
        recorder.nodes, recorder.places, recorder.insides, recorder.scopes, recorder.failure
    )


def structure(module: nn.Module) -> list[Any]:
    """Give what a trace depends on beside values: the modules, their hooks."""
    return [
        (id(child), *child._forward_pre_hooks, *child._forward_hooks)
        for child in module.modules()
        if not isinstance(child, torch.jit.ScriptModule)
    ]


@contextmanager
def _unchecked() -> Iterator[None]:
    """Let reentrant activation checkpoints, which hide gradients, pass on what they call."""

    def apply(function: Any, _preserve: bool, *args: Any) -> Any:
        return function(*args)

    with _overridden(CheckpointFunction, "apply", apply):
        yield


@contextmanager
def _overridden(owner: type, name: str, function: Callable[..., Any]) -> Iterator[None]:
    """Put a method in front of an inherited one."""
    with _overriding:
        setattr(owner, name, function)
        try:
            yield
        finally:
            delattr(owner, name)


_overriding = RLock()
"""So that threads that trace do so one after the other."""


@contextmanager
def _calls(module: nn.Module, recorder: _Recorder) -> Iterator[None]:
    """Let a recorder know of module calls."""
    handles = []

    def before(child: nn.Module, args: Any, kwargs: Any) -> None:
        with torch._C.DisableTorchFunction():  # the recorder's own looks are not recorded
            recorder.enter(child, args, kwargs)

    def after(_child: nn.Module, _args: Any, result: Any) -> Any:
        with torch._C.DisableTorchFunction():
            return recorder.leave(result)

    def scripted(child: nn.Module, *args: Any, **kwargs: Any) -> Any:  # these take no hooks
        if id(child) not in recorder.paths:
            return nn.Module.__call__(child, *args, **kwargs)
        before(child, args, kwargs)
        result = nn.Module.__call__(child, *args, **kwargs)
        replaced = after(child, args, result)
        return result if replaced is None else replaced

    try:
        for _, child in module.named_modules():
            if not isinstance(child, torch.jit.ScriptModule):
                handles.append(
                    child.register_forward_pre_hook(before, prepend=True, with_kwargs=True)
                )
                handles.append(child.register_forward_hook(after))
        with _overridden(torch.jit.RecursiveScriptModule, "__call__", scripted):
            yield
    finally:
        for handle in handles:
            handle.remove()


def _unified(module: nn.Module, first: _Record, second: _Record, opaque: dict[str, str]) -> Graph:
    """Give the graph that holds for any batch, from runs on two sizes of it."""
    for index, (one, other) in enumerate(zip(first.nodes, second.nodes, strict=False)):
        scope = first.scopes[index]
        if one.function != other.function:
            raise Untraceable(scope, "takes another way for another number of pictures")
        try:
            args, kwargs = _both((one.args, one.kwargs), (other.args, other.kwargs))
        except ValueError as error:
            raise Untraceable(scope, str(error)) from None
        first.nodes[index] = replace(one, args=args, kwargs=kwargs)
    if len(first.nodes) != len(second.nodes) or first.places != second.places:
        raise Untraceable("", "takes another way for another number of pictures")
    return Graph(
        module,
        first.nodes,
        first.places,
        frozenset(first.inner),
        dict(opaque),
        failure=first.failure,
    )


def _both(one: Any, other: Any) -> Any:
    """Merge arguments of two runs; whole numbers that differ grow with the batch."""
    if type(one) is not type(other):
        raise ValueError("is given another kind of value for another number of pictures")
    if isinstance(one, Value | Parameter | Tensor | nn.Module):
        same = one is other if isinstance(one, Tensor) else one == other
        if not same:
            raise ValueError("uses a tensor that torch's functions did not make")
        return one
    if isinstance(one, slice):
        return slice(*_both([one.start, one.stop, one.step], [other.start, other.stop, other.step]))
    if isinstance(one, tuple | list):
        if len(one) != len(other):
            raise ValueError("takes another way for another number of pictures")
        merged = [_both(a, b) for a, b in zip(one, other, strict=True)]
        return merged if isinstance(one, list) else tuple(merged)
    if isinstance(one, dict):
        return {key: _both(value, other[key]) for key, value in one.items()}
    if isinstance(one, int) and not isinstance(one, bool) and one != other:
        return Batch(other - one, one - BATCHES[0] * (other - one))
    if isinstance(one, int | float | str) and one != other and one == one:
        raise ValueError("computes with a number that depends on how many pictures there are")
    return one


def leaves(values: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Give the leaves of a nested result, and the way to each."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield from leaves(value, (*path, key))
    elif isinstance(values, tuple) and hasattr(values, "_fields"):
        for key in values._fields:
            yield from leaves(getattr(values, key), (*path, key))
    elif isinstance(values, tuple | list):
        for key, value in enumerate(values):
            yield from leaves(value, (*path, key))
    else:
        yield path, values


def _identity(value: Any) -> Any:
    return value.view_as(value) if isinstance(value, Tensor) else value


def _scripted(module: nn.Module, path: str = "") -> Iterator[str]:
    """Give the outermost scripted modules."""
    if isinstance(module, torch.jit.ScriptModule):
        yield path
        return
    for name, child in module.named_children():
        yield from _scripted(child, f"{path}.{name}" if path else name)


def _any_layout(function: Any, args: tuple[Any, ...]) -> Any:
    """Give a function for tensors of any layout, where one asks for rows one after another."""
    if function is Tensor.view and len(args) > 1 and not isinstance(args[1], torch.dtype):
        return Tensor.reshape
    return Tensor.reshape_as if function is Tensor.view_as else function


def _spelled(function: Any) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    return getattr(function.__self__, "__name__", "get") if name == "__get__" else name


def _name(function: Any) -> str:
    name = _spelled(function)
    if name in _READS_VALUES or name in _SILENT:
        return name
    plain = name.strip("_")
    reflected = name.startswith(("__r", "__i")) and plain[1:] in _AUGMENTED
    return plain[1:] if reflected else plain


def _place_name(function: Any) -> str:
    """Name a function as torchvision does; torch does not tell `x += y` from `x.add_(y)`."""
    name, spelled = _name(function), _spelled(function)
    named = spelled.endswith("_") and not spelled.endswith("__") and name not in _AUGMENTED
    return f"{name}_" if named else name


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


def _common(*scopes: str) -> str:
    parts = [scope.split(".") if scope else [] for scope in scopes]
    shared = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return ".".join(shared)


def _devices(tensor: Tensor) -> Sequence[int]:
    cuda = tensor.device.type == "cuda" and torch.cuda.is_available()
    return [tensor.device.index or 0] if cuda else []
