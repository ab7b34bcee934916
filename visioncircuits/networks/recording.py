"""One run of a module, recorded as nodes: each call of a torch function, and where it occurred.

Most of it is one class, whose parts share the state of the run.
"""

from collections import defaultdict
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from visioncircuits.networks import in_place
from visioncircuits.networks.evaluation import evaluating
from visioncircuits.networks.function_names import READS_VALUES, SILENT, function_name, place_name
from visioncircuits.networks.graph import INPUT, OUTPUT
from visioncircuits.networks.module_calls import checkpoints_called, module_calls
from visioncircuits.networks.nested import leaves, mapped, part
from visioncircuits.networks.nodes import ModuleCall, Node, Parameter, Value

_LAYOUT_DECIDES = {
    "contiguous", "flatten", "float", "double", "half", "bfloat16", "ravel", "reshape",
    "reshape_as", "to", "type", "type_as", "unflatten", "view", "view_as",
}  # fmt: skip
"""Functions that return a copy or the same memory, depending on the layout."""


class Untraceable(Exception):
    """A part of a forward pass cannot be recorded.

    Attributes
    ----------
    scope
        The dotted path of the smallest module that contains it; "" for the network itself.
    reason
        A predicate, such as "is scripted".
    """

    def __init__(self, scope: str, reason: str) -> None:
        super().__init__(f"{scope or 'the network'} {reason}")
        self.scope, self.reason = scope, reason


@dataclass
class Record:
    """The nodes of one run.

    Attributes
    ----------
    nodes
        In the order in which they were called.
    scopes
        The module that each was called in.
    places
        Name to node.
    inner
        Names of operations inside modules without submodules.
    failure
        The error of a torch function that ended the run, if any.
    """

    nodes: list[Node]
    scopes: list[str]
    places: dict[str, int]
    inner: set[str]
    failure: Exception | None


def record(module: nn.Module, pictures: Tensor, opaque: dict[str, str]) -> Record:
    """Run a module and record what it calls.

    Parameters
    ----------
    module
        Any. It is run as in evaluation.
    pictures
        Of which only shape, dtype and device matter.
    opaque
        Paths of modules that are recorded as a single call.

    Raises
    ------
    Untraceable
        Where a part cannot be recorded.
    """
    recorder = _Recorder(module, opaque)
    with (
        torch.inference_mode(False),
        torch.set_grad_enabled(recorder.recording),
        torch.random.fork_rng(devices=_devices(pictures)),
        evaluating(module),
    ):
        leaf = torch.rand_like(pictures, memory_format=torch.contiguous_format).requires_grad_()
        inputs = leaf.clone()
        recorder.begin(inputs)
        if "" in opaque:
            raise Untraceable("", opaque[""])
        with module_calls(module, recorder), checkpoints_called(), recorder:
            try:
                module(inputs)
            except (RuntimeError, ValueError) as error:
                if error is not recorder.failure or isinstance(error, torch.OutOfMemoryError):
                    raise  # not torch's: an error of the module's own
            else:
                recorder.failure = None  # whatever the module tried and caught
    scopes = recorder.scopes
    for indices in in_place.outdated_uses(recorder.nodes, recorder.shared):
        scope = _common(*(scopes[index] for index in indices))
        raise Untraceable(scope, "changes in place what it goes on using under another name")
    return Record(recorder.nodes, scopes, recorder.places, recorder.insides, recorder.failure)


@dataclass
class _Call:
    """A module while it runs."""

    path: str
    first: int


class _Recorder(TorchFunctionMode):
    """Records each call of a torch function, and the modules around it."""

    def __init__(self, module: nn.Module, opaque: dict[str, str]) -> None:
        super().__init__()
        self.opaque = opaque
        # gradients of what was made in inference mode fail, and nothing shows it beforehand
        self.recording = not any(parameter.is_inference() for parameter in module.parameters())
        self.nodes: list[Node] = []
        self.scopes: list[str] = []
        self.places: dict[str, int] = {}
        self.insides: set[str] = set()
        # a tensor's newest version: its node
        self.at: MutableMapping[Tensor, int] = WeakTensorKeyDictionary()
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
        self.shared: list[tuple[int, int]] = []  # see `in_place.outdated_uses`

    def begin(self, inputs: Tensor) -> None:
        """Add the input's node."""
        shape = tuple(inputs.shape)
        self.nodes.append(Node(INPUT, _identity, (), {}, varies=True, shape=shape))
        self.scopes.append("")
        self.places[INPUT] = 0
        self._set(inputs, 0)

    @property
    def scope(self) -> str:
        return self.stack[-1].path if self.stack else ""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if self.paused:
            return func(*args, **kwargs)
        name = function_name(func)
        taken = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        if name in READS_VALUES and any(self._from_input(t) for t in taken):
            raise Untraceable(self.scope, f"reads values ({name})")
        before = in_place.versions(taken)
        template = self._template((args, kwargs)) if name not in SILENT else None
        try:
            result = func(*args, **kwargs)
        except (RuntimeError, ValueError) as error:
            self.failure = error
            raise
        if template is None:
            return result
        changed = in_place.changed(before)
        made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        if not made and not changed:
            return result
        if len(changed) > 1 or any(id(tensor) in self.known for tensor in changed):
            raise Untraceable(self.scope, f"changes tensors in place that it keeps ({name})")
        if changed and not (args and changed[0] is args[0]):
            raise Untraceable(self.scope, f"writes into a tensor that it is given ({name})")
        if changed and made and made[0] is not changed[0]:
            raise Untraceable(self.scope, f"changes one tensor and returns another ({name})")
        if name == "as_strided":
            raise Untraceable(self.scope, "depends on the layout of memory (as_strided)")
        at = self._add(name, _for_any_layout(func, args), template, inplace=bool(changed))
        self._name_operation(place_name(func), at)
        if changed:
            self._share(changed[0], at)
            self.nodes[at] = replace(self.nodes[at], shape=tuple(changed[0].shape))
            self._set(changed[0], at)
            return result
        return self._results(result, at, taken)

    def _results(self, result: Any, at: int, taken: list[Tensor]) -> Any:
        """Store which node made each tensor of a result."""
        if isinstance(result, Tensor):
            if any(result is tensor for tensor in taken):  # passed through: a value of its own
                result = _identity(result)
            self._describe(at, result, taken)
            self._set(result, at)
            return result
        for path, leaf in leaves(result):
            if isinstance(leaf, Tensor):
                node = self._add("getitem", part, ((Value(at), path), {}))
                self._describe(node, leaf, taken)
                self._set(leaf, node)
                for name in [n for n, index in self.places.items() if index == at]:
                    self._place(f"{name}.{'.'.join(map(str, path))}", node, name in self.insides)
        return result

    def _add(self, name: str, function: Any, template: Any, *, inplace: bool = False) -> int:
        args, kwargs = template
        recorded = torch.is_grad_enabled() or not self.recording
        node = Node(name, function, args, kwargs, inplace=inplace, recorded=recorded)
        varies = any(self.nodes[source].varies for source in node.inputs)
        self.nodes.append(replace(node, varies=varies))
        self.scopes.append(self.scope)
        return len(self.nodes) - 1

    def _describe(self, at: int, value: Tensor, taken: list[Tensor]) -> None:
        """Store the shape of a node's value, and whether it has memory of its own."""
        where = in_place.storage(value)
        apart = all(in_place.storage(tensor) != where for tensor in taken)
        fresh = apart and self.nodes[at].name not in _LAYOUT_DECIDES
        self.nodes[at] = replace(self.nodes[at], fresh=fresh, shape=tuple(value.shape))

    def _set(self, tensor: Tensor, at: int) -> None:
        self.at[tensor] = at
        self.gradient[at] = tensor.grad_fn

    def _share(self, tensor: Tensor, at: int) -> None:
        """Store what else an operation in place has changed."""
        where = in_place.storage(tensor)
        for other, node in list(self.at.items()):
            if other is not tensor and in_place.storage(other) == where:
                self.shared.append((at, node))

    def _from_input(self, tensor: Tensor) -> bool:
        return tensor in self.at and self.nodes[self.at[tensor]].varies

    def _template(self, values: Any) -> Any:
        return mapped(values, self._reference)

    def _reference(self, leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            return leaf
        if leaf in self.at:
            at = self.at[leaf]
            recorded, now = self.gradient[at], leaf.grad_fn
            if recorded is None and now is not None:
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
        inner = call.path != "" and call.path in self.childless
        self._place(self._numbered(full), at, inner)

    def _call_name(self, path: str) -> str:
        return self._numbered(path) if path else OUTPUT

    def _numbered(self, name: str) -> str:
        """Count a name's calls; from the second on the name has a number."""
        self.calls[name] += 1
        count = self.calls[name] - 1
        return f"{name}_{count}" if count else name

    def enter(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        """Begin a module's call."""
        path = self.paths.get(id(module), "")
        if self.paused:
            self.paused += 1
        elif path in self.opaque and path:
            self.paused = 1
        if self.paused == 1:
            self.template = self._template((args, kwargs))
            self.before = in_place.versions(
                t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)
            )
        self.stack.append(_Call(path, len(self.nodes)))

    def leave(self, result: Any) -> Any:
        """End a module's call."""
        try:
            return self._left(self.stack[-1], result)
        finally:
            self.stack.pop()

    def _left(self, call: _Call, result: Any) -> Any:
        if self.paused:
            self.paused -= 1
            return None if self.paused else self._called_whole(call, result)
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
            # passed through unchanged, it is a value of its own for all that use it from here
            replaced = _identity(result)
            reference = Value(self._add("identity", _identity, ((reference,), {})))
            self._describe(reference.node, replaced, [result])
            self._set(replaced, reference.node)
        self._place(self._call_name(call.path), reference.node, False)
        return replaced

    def _called_whole(self, call: _Call, result: Any) -> Any:
        if in_place.changed(self.before):
            raise Untraceable(call.path, "changes what it is given in place")
        at = self._add(call.path, ModuleCall(call.path), self.template)
        self._place(self._call_name(call.path), at, False)
        result = self._results(result, at, [tensor for tensor, _ in self.before])
        return result if isinstance(result, Tensor) else None


def _identity(value: Any) -> Any:
    """Return a value's own memory as another tensor.

    Not `view_as`: of a batch of one it changes the stride between pictures, at which torch's
    gradient of batch normalization on CPUs is wrong.
    """
    return torch.ops.aten.alias(value) if isinstance(value, Tensor) else value


def _for_any_layout(function: Any, args: tuple[Any, ...]) -> Any:
    """Return a function that takes tensors of any layout, where this one needs contiguous ones."""
    if function is Tensor.view and len(args) > 1 and not isinstance(args[1], torch.dtype):
        return Tensor.reshape
    return Tensor.reshape_as if function is Tensor.view_as else function


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
