"""Networks that say how sure they are: a mean and a variance for every target.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

LOWEST, HIGHEST = -10.0, 4.0
"""Logarithms of the smallest and largest variance, targets being of order one."""


def split(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return means and logarithms of variances, (n, k) each, from outputs (n, 2 k)."""
    mean, log_variance = outputs.chunk(2, dim=1)
    return mean, log_variance.clamp(LOWEST, HIGHEST)


def gaussian_loss(outputs: Tensor, targets: Tensor, counted: Tensor, *, beta: float) -> Tensor:
    """Return the mean negative log likelihood of the targets that count, each weighted by var^β.

    β = 0 is the likelihood itself; β = 0.5 keeps targets that are fitted badly at first from being
    given up (Seitzer et al. 2022, arXiv:2203.09168).

    Parameters
    ----------
    outputs : (n, 2 k) as `split` takes them.
    targets : (n, k).
    counted : (n, k) 1 where a target counts, 0 where it means nothing.
    """
    mean, log_variance = split(outputs)
    loss = 0.5 * (log_variance + (targets - mean) ** 2 * torch.exp(-log_variance))
    weight = counted * torch.exp(beta * log_variance.detach())
    return (loss * weight).sum() / counted.sum().clamp_min(1.0)


def pooled(outputs: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean, variance and disagreement of an ensemble, (n, k) each.

    The mixture of the members' normal distributions has the mean of their means, and a variance of
    the mean variance and the variance of their means, which is the disagreement
    (Lakshminarayanan, Pritzel & Blundell 2017, arXiv:1612.01474).
    """
    told = [split(one) for one in outputs]
    means = torch.stack([mean for mean, _ in told])
    within = torch.stack([log_variance.exp() for _, log_variance in told]).mean(dim=0)
    apart = means.var(dim=0, correction=0)
    return means.mean(dim=0), within + apart, apart
