"""The comparison of measuring strategies: what scans cost, and when a path stops."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from adaptive.scanners import AERIS, RecordedScanner, SimulatedScanner, thinned
from adaptive.simulated import MINOR, TWO_THETA, draw_sample
from adaptive.strategies import Step
from adaptive.thresholds import stopped

from analysis.physics.structures import structure
from analysis.xrd.radiation import CU_K_ALPHA
from tests.analysis.xrd.patterns import measurement


def test_the_recorded_scans_take_what_their_files_say() -> None:
    # Start and end of the 2-min and the 8-min scans are 125 and 487 s apart, in whole seconds.
    assert AERIS.seconds(n_points=2071, counting_time=10.965) == pytest.approx(125, abs=1)
    assert AERIS.seconds(n_points=8282, counting_time=12.495) == pytest.approx(487, abs=1)


def test_a_recorded_scan_gives_each_count_once() -> None:
    x = np.round(np.arange(10.0, 60.0, 0.02), 6)
    counts = np.random.default_rng(0).poisson(100.0, len(x)).astype(float)
    scanner = RecordedScanner(
        measurement(x, counts, counting_time=8.0), rng=np.random.default_rng(1)
    )
    half = scanner.scan(low=20.0, high=30.0, speed=scanner.full_speed / 2)
    assert half is not None
    assert half.settings["counting_time"] == 4.0
    assert half.y.mean() == pytest.approx(50.0, abs=2.0)
    assert scanner.left(low=20.0, high=30.0) == pytest.approx(scanner.full_speed / 2)
    assert scanner.scan(low=25.0, high=40.0, speed=scanner.full_speed) is None


def test_a_thinned_scan_is_a_shorter_one() -> None:
    x = np.arange(10.0, 60.0, 0.02)
    whole = measurement(x, np.full(len(x), 200.0), counting_time=8.0)
    short = thinned(whole, 0.25, rng=np.random.default_rng(0))
    assert short.settings["counting_time"] == 2.0
    assert short.y.mean() == pytest.approx(50.0, abs=1.0)


def test_a_simulated_sample_scans_with_its_own_rate() -> None:
    crystals = [structure(n) for n in ("corundum", "quartz", "halite", "rutile", "fluorite")]
    sample = draw_sample(crystals, CU_K_ALPHA, fast_time=2.0, seed=3)
    assert sample.minor
    assert not sample.minor & sample.major
    assert 0 < MINOR[0] < MINOR[1] < 0.1
    scanner = SimulatedScanner(TWO_THETA, sample.rate, rng=np.random.default_rng(0))
    scan = scanner.scan(low=20.0, high=60.0, speed=1e4)
    assert scan is not None
    inside = (TWO_THETA >= 20.0) & (TWO_THETA <= 60.0)
    time = float(scan.settings["counting_time"])
    assert scan.y.sum() == pytest.approx(sample.rate[inside].sum() * time, rel=0.02)


def test_a_path_stops_where_its_thresholds_say() -> None:
    path = [
        Step(70.0, (1,), 0.6, 0.3, {}),
        Step(100.0, (1, 2), 0.9, 0.05, {}),
        Step(150.0, (1, 2), 0.995, 0.002, {}),
        Step(200.0, (1, 2), 0.999, None, {}),
    ]
    assert stopped(path, sure=0.8, least_gain=0.01).seconds == 100.0
    assert stopped(path, sure=0.99, least_gain=0.01).seconds == 150.0
    assert stopped(path, sure=1.0, least_gain=0.1).seconds == 100.0
    assert stopped(path, sure=1.0, least_gain=0.0).seconds == 200.0
