"""Where networks compute: on a GPU where there is one. Importing this file imports torch."""

from __future__ import annotations

import os

import torch
from torch import nn

VARIABLE = "SDLAB_DEVICE"
"""Environment variable that forces a device, such as ``cpu`` or ``cuda:1``."""


def best_device() -> torch.device:
    """Return the device of `SDLAB_DEVICE`, else a GPU if there is one, else the processor.

    Weights that were trained on a processor are the same from run to run; a GPU may sum in another
    order.

    Raises
    ------
    ValueError
        `SDLAB_DEVICE` names no device, or a GPU that is not there.
    """
    named = os.environ.get(VARIABLE)
    has_gpu = torch.cuda.is_available()
    if not named:
        return torch.device("cuda" if has_gpu else "cpu")
    try:
        device = torch.device(named)
    except RuntimeError as error:
        raise ValueError(f"{VARIABLE} is {named!r}, which is no device; try cpu or cuda") from error
    if device.type == "cuda" and not has_gpu:
        raise ValueError(f"{VARIABLE} is {named!r}, but torch sees no GPU here; try cpu")
    return device


def device_of(network: nn.Module) -> torch.device:
    """Return where a network's weights are."""
    return next(network.parameters()).device
