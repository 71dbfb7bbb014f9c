"""A long recorded scan, dealt out, behaves as the shorter scans that were not taken."""

from __future__ import annotations

import numpy as np
import pytest

from instruments.errors import NoRecordedData
from instruments.replay.thinning import SLICES, ThinnedScan

X = np.round(np.arange(10.0, 60.0, 0.02), 6)


def recorded(rate: float = 30.0, *, seed: int = 0) -> tuple[np.ndarray, ThinnedScan]:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rate * 8.0, len(X)).astype(float)
    return counts, ThinnedScan(X, counts, counting_time=8.0, rng=rng)


def test_all_parts_together_are_the_recorded_counts() -> None:
    counts, scan = recorded()
    parts = [scan.take(low=10, high=60, counting_time=t)[1] for t in (1.0, 2.0, 5.0)]
    np.testing.assert_array_equal(sum(parts), counts)
    assert scan.remaining(low=10, high=60) == 0


def test_parts_are_poisson_and_independent() -> None:
    _, scan = recorded()
    _, first, time = scan.take(low=10, high=60, counting_time=2.0)
    _, second, _ = scan.take(low=10, high=60, counting_time=2.0)
    assert time == 2.0
    # 2500 points of 60 counts: the mean is known to 0.15, the variance to 3 %.
    assert first.mean() == pytest.approx(60.0, abs=0.6)
    assert first.var() / first.mean() == pytest.approx(1.0, abs=0.12)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.08


def test_points_are_used_up_one_by_one() -> None:
    counts, scan = recorded()
    scan.take(low=20, high=30, counting_time=6.0)
    assert scan.remaining(low=10, high=19) == 8.0
    assert scan.remaining(low=25, high=40) == 2.0
    x, rest, _ = scan.take(low=20, high=30, counting_time=2.0)
    assert (x[0], x[-1]) == (pytest.approx(20.0), pytest.approx(30.0))
    assert rest.sum() < 0.3 * counts[(X >= 20) & (X <= 30)].sum()
    with pytest.raises(NoRecordedData, match="0 s left"):
        scan.take(low=29, high=50, counting_time=1.0)


def test_times_are_rounded_to_whole_slices() -> None:
    _, scan = recorded()
    assert scan.take(low=10, high=60, counting_time=1e-3)[2] == 8.0 / SLICES


def test_nothing_is_invented() -> None:
    _, scan = recorded()
    with pytest.raises(NoRecordedData, match="nothing between"):
        scan.take(low=70, high=80, counting_time=1.0)
    with pytest.raises(ValueError, match="raw counts"):
        ThinnedScan(X, np.full(len(X), 1.5), counting_time=1.0, rng=np.random.default_rng(0))
