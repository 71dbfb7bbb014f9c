"""Training of a network on batches that a generator makes. Importing this file imports torch."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from analysis.learning.devices import best_device

logger = logging.getLogger(__name__)

Batch = tuple[Tensor, ...]
Loss = Callable[[Tensor, Batch], Tensor]
"""Takes outputs and the batch whose first tensor was the input; gives one number."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast a network learns.

    Attributes
    ----------
    steps : batches seen.
    rate : highest learning rate; it rises over `warm_up` steps and falls as a cosine to 0.
    weight_decay : of AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101).
    """

    steps: int
    rate: float = 2e-3
    warm_up: int = 50
    weight_decay: float = 1e-4


def train(
    network: nn.Module,
    batches: Callable[[int], Batch],
    loss: Loss,
    schedule: Schedule,
    *,
    told: Callable[[int, int], None] | None = None,
    device: torch.device | None = None,
) -> list[float]:
    """Train in place; return the loss of every step. The network ends on the processor.

    Parameters
    ----------
    batches : gives the batch of a step; the same step, the same batch.
    told : hears how many of how many steps are done.
    device : where to compute; `analysis.learning.devices.best_device` if None.

    Raises
    ------
    FloatingPointError
        The loss is not finite.
    """
    device = best_device() if device is None else device
    network.to(device)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=schedule.rate, weight_decay=schedule.weight_decay
    )
    pace = torch.optim.lr_scheduler.SequentialLR(
        optimiser,
        [
            torch.optim.lr_scheduler.LinearLR(optimiser, 0.05, total_iters=schedule.warm_up),
            torch.optim.lr_scheduler.CosineAnnealingLR(
                optimiser, max(schedule.steps - schedule.warm_up, 1)
            ),
        ],
        milestones=[schedule.warm_up],
    )
    network.train()
    course: list[float] = []
    for step in range(schedule.steps):
        batch = tuple(part.to(device) for part in batches(step))
        optimiser.zero_grad(set_to_none=True)
        value = loss(network(batch[0]), batch)
        if not torch.isfinite(value):
            raise FloatingPointError(
                f"the loss is {value.item()} at step {step + 1}; lower the learning rate or look "
                "for values that are no numbers in the training data"
            )
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        pace.step()
        course.append(float(value.item()))
        if told is not None:
            told(step + 1, schedule.steps)
    network.to("cpu").eval()
    return course
