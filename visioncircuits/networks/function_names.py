"""The names of torch functions, in nodes and in places."""

from typing import Any

READS_VALUES = {
    "__bool__", "__complex__", "__contains__", "__float__", "__index__", "__int__",
    "equal", "is_nonzero", "item", "numpy", "tolist", "allclose",
}  # fmt: skip
"""Functions that return values of a tensor to Python."""

SILENT = {"_set_grad_enabled", "__hash__", "__repr__", "__format__"}
"""Functions that compute nothing."""

_AUGMENTED = {
    "add", "div", "floordiv", "floor_divide", "matmul", "mod", "mul", "pow", "remainder", "sub",
    "truediv",
}  # fmt: skip
"""Functions that Python has an operator for."""


def function_name(function: Any) -> str:
    """Return a function's name without underscores; as it is for those of the two sets above."""
    name = _spelled(function)
    if name in READS_VALUES or name in SILENT:
        return name
    plain = name.strip("_")
    reflected = name.startswith(("__r", "__i")) and plain[1:] in _AUGMENTED
    return plain[1:] if reflected else plain


def place_name(function: Any) -> str:
    """Name a function as torchvision does; in torch `x += y` and `x.add_(y)` look the same."""
    name, spelled = function_name(function), _spelled(function)
    named = spelled.endswith("_") and not spelled.endswith("__") and name not in _AUGMENTED
    return f"{name}_" if named else name


def _spelled(function: Any) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    return getattr(function.__self__, "__name__", "get") if name == "__get__" else name
