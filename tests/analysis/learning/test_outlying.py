"""p-values keep their promise, and distances know what is far."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.learning.embedding import fit_cloud
from analysis.learning.outlying import area_under_curve, known


def test_false_alarms_stay_below_the_level_on_average() -> None:
    """Over many calibrations a known case has p ≤ 0.05 at most 5 % of the time."""
    rng = np.random.default_rng(0)
    alarms = [
        known(rng.standard_cauchy(60)).p_value(rng.standard_cauchy(40)) <= 0.05 for _ in range(200)
    ]
    assert 0.03 < np.mean(alarms) <= 0.055  # 3/61 is expected; 8000 draws scatter by 0.003


def test_the_strangest_has_the_smallest_p_value() -> None:
    scale = known(np.arange(19.0))
    assert scale.p_value([100.0, -1.0]) == pytest.approx([1 / 20, 1.0])


def test_few_known_cases_are_refused() -> None:
    with pytest.raises(ValueError, match="19 or more"):
        known(np.zeros(18))


def test_area_under_the_curve_counts_ties_half() -> None:
    assert area_under_curve([0, 1], [1, 2]) == pytest.approx(0.875)


def test_distance_is_one_within_and_large_without() -> None:
    rng = np.random.default_rng(1)
    mixing = rng.normal(size=(6, 6))
    inside = rng.normal(size=(4000, 6)) @ mixing
    cloud = fit_cloud(inside)
    assert np.mean(cloud.distance(inside) ** 2) == pytest.approx(1.0, abs=0.3)  # shrunk covariance
    far = cloud.mean + 5 * np.abs(inside).max(axis=0)
    assert cloud.distance(far[None])[0] > 5
