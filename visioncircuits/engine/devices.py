"""The GPUs of this machine, and their assignment to workers."""

import os
from collections.abc import Sequence

VISIBLE = "CUDA_VISIBLE_DEVICES"


def gpus() -> tuple[str, ...]:
    """List the GPUs that this process may use, as in `CUDA_VISIBLE_DEVICES`."""
    listed = os.environ.get(VISIBLE)
    if listed is None:
        import torch

        return tuple(map(str, range(torch.cuda.device_count())))
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def own(slot: int, devices: Sequence[str]) -> dict[str, str]:
    """Return the environment variables with which a worker uses its own GPU, and no other.

    Parameters
    ----------
    slot
        The worker's index; a worker that replaces it has the same.
    devices
        From `gpus`. More workers than these share them evenly; without any, no variable is set.

    Examples
    --------
    >>> own(2, ["4", "7"])
    {'CUDA_VISIBLE_DEVICES': '4'}
    >>> own(2, [])
    {}
    """
    return {VISIBLE: devices[slot % len(devices)]} if devices else {}
