"""Scans of different ranges, steps and counting times become one pattern."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import BadPattern
from analysis.physics.structures import structure
from analysis.xrd.aligning import aligned, displacement
from analysis.xrd.forward import PhaseState, pattern
from analysis.xrd.radiation import CU_K_ALPHA
from analysis.xrd.splicing import Spliced, splice
from instruments.measurement import Measurement
from tests.analysis.xrd.patterns import measurement

RATE = 40.0
"""Counts per second and degree, everywhere."""


def scan(low: float, high: float, *, step: float, time: float, seed: int = 0) -> Measurement:
    """Return a scan of a flat pattern that a line detector saw, `time` seconds a point."""
    x = low + step * np.arange(round((high - low) / step) + 1)
    y = np.random.default_rng(seed).poisson(RATE * time, len(x)).astype(float)
    return measurement(x, y, identifier=f"s/xrd/{low}-{time}", counting_time=time)


def spliced(*scans: Measurement, least_step: float = 0.022) -> Spliced:
    return splice(scans, radiation=CU_K_ALPHA, least_step=least_step)


def test_equal_grids_add_counts_and_times() -> None:
    first, second = (scan(20, 60, step=0.04, time=t, seed=k) for k, t in enumerate((1.0, 5.0)))
    found = spliced(first, second)
    np.testing.assert_allclose(found.two_theta, first.x, atol=1e-9)
    np.testing.assert_allclose(found.counts, first.y + second.y, rtol=1e-9)
    np.testing.assert_allclose(found.exposure, 6.0)


def test_a_fine_scan_keeps_its_counts_on_a_coarse_grid() -> None:
    coarse, fine = scan(20, 60, step=0.04, time=1.0), scan(30, 40, step=0.013, time=2.0, seed=1)
    found = spliced(coarse, fine)
    # Cells cut channels at the two ends of the fine scan: one coarse cell's worth may differ.
    assert found.counts.sum() == pytest.approx(coarse.y.sum() + fine.y.sum(), abs=3 * RATE * 8)
    inside = (found.two_theta > 30.1) & (found.two_theta < 39.9)
    # Each coarse cell gathers 0.04 / 0.013 fine channels of 2 s besides its own second.
    np.testing.assert_allclose(found.exposure[inside], 1.0 + 2.0 * 0.04 / 0.013, rtol=1e-6)


def test_sigma_is_that_of_one_scan_as_long_as_all_together() -> None:
    scatter = []
    for k in range(20):
        parts = (scan(20, 60, step=0.04, time=t, seed=10 * k + i) for i, t in enumerate((1.0, 3.0)))
        data = spliced(*parts).fit_range()
        scatter.append((data.counts - RATE * 4.0) / data.sigma)
    # 20 000 points: the standard deviation is known to 0.5 %; sigma from five cells adds a little.
    assert np.std(scatter) == pytest.approx(1.0, abs=0.03)


def test_a_segment_is_as_sure_as_its_own_counting_time() -> None:
    data = spliced(
        scan(20, 60, step=0.04, time=1.0), scan(30, 40, step=0.04, time=24.0, seed=1)
    ).fit_range()
    within = (data.two_theta > 31) & (data.two_theta < 39)
    outside = (data.two_theta < 29) | (data.two_theta > 41)
    # 25 times the counting time, a fifth of the sigma; medians of 200 noisy sigmas, to 5 %.
    ratio = np.median(data.sigma[within]) / np.median(data.sigma[outside])
    assert ratio == pytest.approx(0.2, rel=0.05)


def test_a_gap_between_scans_stays_unmeasured() -> None:
    found = spliced(scan(20, 30, step=0.04, time=1.0), scan(50, 60, step=0.04, time=1.0))
    gap = (found.two_theta > 30.1) & (found.two_theta < 49.9)
    assert gap.sum() > 400
    assert not found.measured[gap].any()
    assert len(found.fit_range().two_theta) == found.measured.sum()


def test_fine_channels_are_joined_as_far_as_is_asked() -> None:
    assert spliced(scan(20, 60, step=0.01, time=1.0), least_step=0.045).step == pytest.approx(0.04)


def peaks(low: float, high: float, *, height: float, time: float, seed: int) -> Measurement:
    """Return a scan of corundum that stands `height` degrees of displacement too high."""
    x = np.arange(low, high, 0.04)
    bragg = pattern(x, [PhaseState(structure("corundum"), size=500.0)], displacement=height)
    rate = 5.0 + 40.0 * bragg / 0.8
    y = np.random.default_rng(seed).poisson(rate * time).astype(float)
    return measurement(x, y, identifier=f"s/xrd/{seed}", counting_time=time)


@pytest.mark.parametrize("height", [-0.08, 0.03, 0.0])
def test_a_sample_mounted_anew_is_brought_to_the_same_height(height: float) -> None:
    first = peaks(20, 70, height=0.0, time=4.0, seed=0)
    second = peaks(34, 46, height=height, time=16.0, seed=1)
    found = displacement(second, 16.0, first, 4.0)
    # In steps of 0.005°, from peaks 0.1° wide with some thousand counts.
    assert found == pytest.approx(height, abs=0.006)
    unmoved = aligned([first, second], [4.0, 16.0])
    assert unmoved[0] is first
    np.testing.assert_allclose(
        second.x - unmoved[1].x, found * np.cos(np.radians(second.x) / 2), atol=1e-9
    )


def test_scans_without_peaks_or_overlap_stay_where_they_are() -> None:
    flat = [scan(20, 60, step=0.04, time=t, seed=k) for k, t in enumerate((1.0, 4.0))]
    assert displacement(flat[1], 4.0, flat[0], 1.0) == 0.0
    apart = scan(62, 70, step=0.04, time=1.0)
    assert displacement(apart, 1.0, flat[0], 1.0) == 0.0


def test_several_scans_must_say_how_long_they_counted() -> None:
    silent = measurement(np.arange(20.0, 60.0, 0.04), np.full(1000, 50.0))
    assert spliced(silent).reference == 1.0
    with pytest.raises(BadPattern, match="how long it counted"):
        spliced(silent, silent)


def test_scaled_counts_are_refused() -> None:
    x = np.arange(20.0, 60.0, 0.04)
    scaled = measurement(x, np.full(1000, 50.0), sigma=np.full(1000, 0.7), counting_time=1.0)
    with pytest.raises(BadPattern, match="raw counts"):
        spliced(scaled)


def test_nothing_and_too_little_are_refused() -> None:
    with pytest.raises(BadPattern, match="no measurement"):
        splice([], radiation=CU_K_ALPHA)
    with pytest.raises(BadPattern, match="longer range"):
        spliced(scan(20, 24, step=0.04, time=1.0))
