"""Networks that state a variance: the loss is least where the variance is right."""

from __future__ import annotations

import math

import pytest
import torch

from analysis.learning.heteroscedastic import gaussian_loss, pooled, split


def outputs(mean: float, variance: float, n: int = 20_000) -> torch.Tensor:
    return torch.tensor([[mean, math.log(variance)]]).repeat(n, 1)


@pytest.fixture
def targets() -> torch.Tensor:
    return 1.0 + 0.5 * torch.randn(20_000, 1, generator=torch.Generator().manual_seed(0))


def test_the_loss_is_least_at_the_true_mean_and_variance(targets: torch.Tensor) -> None:
    ones = torch.ones_like(targets)

    def loss(mean: float, variance: float) -> float:
        return float(gaussian_loss(outputs(mean, variance), targets, ones, beta=0.0))

    best = loss(1.0, 0.25)
    assert all(loss(m, v) > best for m, v in ((1.2, 0.25), (0.8, 0.25), (1.0, 0.5), (1.0, 0.12)))


def test_the_loss_is_the_negative_log_likelihood(targets: torch.Tensor) -> None:
    told = gaussian_loss(outputs(0.9, 0.3), targets, torch.ones_like(targets), beta=0.0)
    normal = torch.distributions.Normal(0.9, math.sqrt(0.3))
    likelihood = normal.log_prob(targets).mean() + 0.5 * math.log(2 * math.pi)
    assert float(told) == pytest.approx(-float(likelihood), abs=1e-5)


def test_targets_that_do_not_count_change_nothing(targets: torch.Tensor) -> None:
    said = outputs(0.9, 0.3)
    counted = (torch.arange(len(targets)) % 2 == 0).float()[:, None]
    spoilt = torch.where(counted > 0, targets, 1e3)
    one = gaussian_loss(said, targets, counted, beta=0.5)
    assert float(gaussian_loss(said, spoilt, counted, beta=0.5)) == float(one)


def test_members_that_disagree_are_less_sure_together() -> None:
    agree = pooled([outputs(1.0, 0.1, 1), outputs(1.0, 0.1, 1)])
    apart = pooled([outputs(0.0, 0.1, 1), outputs(2.0, 0.1, 1)])
    assert float(agree[1]) == pytest.approx(0.1)
    assert float(apart[0]) == 1.0
    assert float(apart[1]) == pytest.approx(1.1)
    assert float(apart[2]) == pytest.approx(1.0)


def test_variances_stay_finite() -> None:
    _, log_variance = split(torch.tensor([[0.0, 1e6], [0.0, -1e6]]))
    assert torch.isfinite(log_variance.exp()).all()
