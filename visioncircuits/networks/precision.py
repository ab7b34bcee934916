"""The precision that convolutions are computed in."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}
"""What convolutions can be computed in."""


def computing(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """Compute in a precision meanwhile; float32 is never rounded to ten bits."""
    dtype = PRECISIONS[precision]
    if dtype:
        return torch.autocast(device.type, dtype=dtype)
    if device.type != "cuda":
        return nullcontext()
    flags = torch.backends.cudnn  # which rounds float32 to ten bits unless it is forbidden
    return flags.flags(
        enabled=flags.enabled,
        benchmark=flags.benchmark,
        deterministic=flags.deterministic,
        allow_tf32=False,
    )


def returned(values: Any, precision: str) -> Any:
    """Return tensors that were computed in reduced precision as float32."""
    if PRECISIONS[precision] is None or not isinstance(values, Tensor):
        return values
    return values.float()
