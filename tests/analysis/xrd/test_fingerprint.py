"""Fingerprints are near where patterns are alike, and say what is not known to be the sample's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from analysis.conformance import check_agent
from analysis.errors import BadPattern
from analysis.insight import Insight
from analysis.xrd.agents.fingerprint import Fingerprint, make, unit_roots
from instruments.measurement import Measurement
from tests.analysis.xrd.patterns import FloatArray, measurement

TWO_THETA = np.arange(20.0, 70.0, 0.04)
PEAKS = {"first": ((30.0, 1.0), (45.0, 0.5), (55.0, 0.7)), "second": ((34.0, 0.8), (50.0, 1.0))}
WITHIN = {"q": (1.6, 4.5)}


def intensity(name: str, *, shift: float = 0.0, height: float = 1000.0) -> FloatArray:
    peaks = [h * np.exp(-0.5 * ((TWO_THETA - c - shift) / 0.2) ** 2) for c, h in PEAKS[name]]
    return height * np.sum(peaks, axis=0) + 0.02 * height


def taken(mean: FloatArray, *, seed: int, **more: float | str) -> Measurement:
    counts = np.random.default_rng(seed).poisson(mean).astype(np.float64)
    return measurement(TWO_THETA, counts, **more)


def agent() -> Fingerprint:
    return make(WITHIN, Path())


def read(*measurements: Measurement) -> Insight:
    return agent().analyze(measurements, rng=np.random.default_rng(0))


def coordinates(insight: Insight) -> FloatArray:
    return np.array([e.value for e in insight.estimates.values()])


def test_it_keeps_the_contract_of_agents() -> None:
    insight = check_agent(
        agent(), [taken(intensity("first"), seed=0)], rng=np.random.default_rng(0)
    )
    assert "observed" in insight.evidence["fingerprint"].columns
    assert len(insight.estimates) == 48


def test_a_fingerprint_has_unit_length_whatever_the_counting_time() -> None:
    for height in (200.0, 20_000.0):
        found = coordinates(read(taken(intensity("first", height=height), seed=1)))
        assert np.linalg.norm(found) == pytest.approx(1.0, abs=1e-12)


def test_stds_are_the_spread_of_repeated_counts() -> None:
    mean = intensity("first", height=400.0)
    repeats = [read(taken(mean, seed=s)) for s in range(60)]
    spread = np.std([coordinates(i) for i in repeats], axis=0, ddof=1)
    told = np.mean([[e.std for e in i.estimates.values()] for i in repeats], axis=0)
    # A spread of 60 repeats is known to 9 %; normalisation takes one of 48 directions away.
    assert np.median(spread / told) == pytest.approx(1.0, abs=0.12)


def test_a_root_count_has_the_same_error_everywhere() -> None:
    mean = np.array([4.0, 100.0, 10_000.0])
    values, stds = unit_roots(mean, mean)
    assert stds / np.linalg.norm(values) == pytest.approx(0.5 / np.sqrt(mean.sum()), rel=1e-12)


def test_strained_samples_of_one_phase_are_nearer_than_those_of_two() -> None:
    first = coordinates(read(taken(intensity("first"), seed=0)))
    strained = coordinates(read(taken(intensity("first", shift=0.3), seed=1)))
    second = coordinates(read(taken(intensity("second"), seed=2)))
    assert np.linalg.norm(first - strained) < 0.4 * np.linalg.norm(first - second)


def test_noise_is_noticed() -> None:
    few = read(taken(intensity("first", height=0.5), seed=0))
    many = read(taken(intensity("first", height=2000.0), seed=0))
    assert many.p_wrong is not None
    assert few.p_wrong is not None
    assert many.p_wrong < 0.02
    assert few.p_wrong > 0.3
    assert any("count longer" in r for r in few.remarks)


def test_a_pattern_without_peaks_is_all_noise() -> None:
    flat = read(taken(np.full(len(TWO_THETA), 50.0), seed=0))
    assert flat.p_wrong is not None
    assert flat.p_wrong > 0.5


def test_a_saturated_detector_is_noticed() -> None:
    full = np.minimum(intensity("first", height=5000.0), 1000.0)
    found = read(measurement(TWO_THETA, full))
    assert found.p_wrong is not None
    assert found.p_wrong > 0.3
    assert any("ceiling" in r for r in found.remarks)


def test_spikes_are_taken_out_and_told() -> None:
    clean = taken(intensity("first"), seed=3)
    counts = clean.y.copy()
    counts[[200, 700, 1000]] += 60_000.0
    spiked = read(measurement(TWO_THETA, counts))
    assert spiked.quality["spiked"] > 0.5
    assert spiked.p_wrong is not None
    assert spiked.p_wrong > 0.5
    off = np.abs(coordinates(spiked) - coordinates(read(clean)))
    assert off.max() < 0.01


def test_of_several_patterns_the_clearest_counts() -> None:
    noisy = taken(intensity("second", height=1.0), seed=0)
    clear = taken(intensity("first"), seed=0)
    assert coordinates(read(noisy, clear)) == pytest.approx(coordinates(read(clear)))


def test_a_pattern_that_misses_a_part_of_the_range_is_refused() -> None:
    half = TWO_THETA > 40
    short = measurement(TWO_THETA[half], intensity("first")[half])
    with pytest.raises(BadPattern, match="measure that range"):
        read(short)


def test_a_range_must_rise() -> None:
    with pytest.raises(ValidationError, match="must rise"):
        make({"q": (3.0, 2.0)}, Path())
