"""What an action is worth: known answers, and choices that a chemist would make."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from planners.actions.belief import Belief, extra_variance
from planners.actions.gains import expected_best, nodes


def test_two_known_alternatives_gain_by_the_loss_function_of_the_normal_distribution() -> None:
    ahead, slope = 0.3, 0.7
    gain = expected_best(np.array([ahead, 0.0]), np.array([0.0, slope])) - ahead
    u = ahead / slope
    assert gain == pytest.approx(slope * (norm.pdf(u) - u * norm.cdf(-u)), rel=1e-9)


@given(st.integers(0, 10_000))
def test_the_expected_best_line_is_what_many_outcomes_average_to(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 9))
    means, slopes = rng.standard_normal(n), np.round(rng.standard_normal(n), 1)
    z = nodes(1)
    drawn = (means[:, None] + slopes[:, None] * z[:, 0]).max(axis=0).mean()
    # 128 cells of equal weight miss what lies beyond 2.66 standard deviations.
    assert expected_best(means, slopes) == pytest.approx(drawn, abs=0.01)
    assert expected_best(means, slopes) >= means.max() - 1e-12


@given(st.integers(0, 10_000))
def test_forgetting_an_outcome_undoes_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((4, 4))
    before = Belief(rng.standard_normal(4), root @ root.T + 0.1 * np.eye(4))
    value, variance = (
        float(rng.standard_normal()),
        float(rng.uniform(0.1, 2.0)) * before.variance[1],
    )
    after = before.told(1, value, variance).without(1, value, variance)
    # The guard of beliefs that are no exact posterior acts where a reading told nearly all.
    if variance / (before.variance[1] + variance) > 0.05:
        assert after.mean == pytest.approx(before.mean, abs=1e-6)
        assert after.covariance == pytest.approx(before.covariance, abs=1e-6)


def test_an_extra_outcome_takes_the_variance_of_two_to_that_of_both() -> None:
    assert 1 / (1 / 0.5 + 1 / extra_variance(0.5, 0.2)) == pytest.approx(0.2)
    assert extra_variance(0.5, 0.5) == np.inf
