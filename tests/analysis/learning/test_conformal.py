"""Calibrated intervals hold 90 % of fresh cases, group by group."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.learning.conformal import FEWEST, coverage, fit_factors


def cases(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return errors, stated deviations and groups; below 1 deviations are half of what is true."""
    rng = np.random.default_rng(seed)
    group = rng.uniform(0, 2, n)
    std = rng.uniform(0.5, 2.0, n)
    return rng.normal(0.0, std * np.where(group < 1, 2.0, 1.0)), std, group


def test_each_group_gets_its_own_factor() -> None:
    error, std, group = cases(4000, seed=0)
    factors = fit_factors(error, std, group, edges=(1.0,))
    # The 90 % quantile of 2000 normal cases has a relative standard error of about 2 %.
    assert factors.factors == pytest.approx((2.0, 1.0), rel=0.08)


def test_fresh_cases_are_held() -> None:
    error, std, group = cases(4000, seed=0)
    factors = fit_factors(error, std, group, edges=(1.0,))
    error, std, group = cases(4000, seed=1)
    for part in (group < 1, group >= 1):
        held = coverage(error[part], std[part] * factors.of(group[part]))
        # Binomial standard error 0.007, twice: of calibration and of test.
        assert held == pytest.approx(0.9, abs=0.03)
    assert coverage(error, std) < 0.85


def test_heavy_tails_are_held_too() -> None:
    rng = np.random.default_rng(2)
    one, two = rng.standard_t(2, 3000), rng.standard_t(2, 3000)
    ones = np.ones(3000)
    factors = fit_factors(one, ones, ones, edges=())
    assert coverage(two, factors.of(ones)) == pytest.approx(0.9, abs=0.03)


def test_a_small_group_takes_the_factor_of_all() -> None:
    error, std, group = cases(400, seed=0)
    group[:5] = 5.0
    factors = fit_factors(error, std, group, edges=(1.0, 4.0))
    whole = fit_factors(error, std, group, edges=())
    assert factors.factors[2] == whole.factors[0]


def test_too_few_cases_are_refused() -> None:
    few = np.ones(FEWEST - 1)
    with pytest.raises(ValueError, match="give 30 or more"):
        fit_factors(few, few, few, edges=())
