"""Which GPUs there are to share out, and which of them a worker gets."""

import os
from collections.abc import Sequence

VISIBLE = "CUDA_VISIBLE_DEVICES"


def gpus() -> tuple[str, ...]:
    """Name the GPUs that this process may use, as `CUDA_VISIBLE_DEVICES` names them."""
    listed = os.environ.get(VISIBLE)
    if listed is None:
        import torch

        return tuple(map(str, range(torch.cuda.device_count())))
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def own(seat: int, devices: Sequence[str]) -> dict[str, str]:
    """Give what a worker's environment must say for it to see its own GPU, and no other.

    Parameters
    ----------
    seat
        The worker's place among the workers; who replaces it takes its seat.
    devices
        From `gpus`. Where there are more workers than these they share them evenly; where there
        are none, nothing is said.

    Examples
    --------
    >>> own(2, ["4", "7"])
    {'CUDA_VISIBLE_DEVICES': '4'}
    >>> own(2, [])
    {}
    """
    return {VISIBLE: devices[seat % len(devices)]} if devices else {}
