"""pdf.demix on short series whose phases, stretches and changes are known."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from analysis.conformance import check_collective_agent
from analysis.errors import BadPattern
from analysis.learning.decomposition.corners import unmix
from analysis.learning.decomposition.growing import STRANGE, Growing
from analysis.learning.decomposition.series import refine_series
from analysis.pdf.agents.demix import DemixSettings, make
from analysis.pdf.demixing import series_curves, series_variable
from analysis.pdf.demixing_worlds import simulate_heating
from analysis.pdf.transitions import Courses, transitions
from analysis.physics.structures import structure
from instruments.measurement import Measurement, Reading

FloatArray = NDArray[np.float64]

R = np.arange(1.5, 10.0, 0.05)
Q_MAX = 20.0
NOW = datetime(2026, 1, 1, tzinfo=UTC)
N = 12
SHARE = np.clip((np.arange(N) - 3) / 6, 0, 1)
"""Of the second phase: it begins after the fourth curve and is alone from the tenth on."""


def pattern(seed: int, stretch: float, *, width: float = 0.15) -> FloatArray:
    """Return a signed curve of peaks and dips, its distances stretched."""
    rng = np.random.default_rng(seed)
    centres, heights = rng.uniform(1.0, 12.0, 30), rng.normal(size=30)
    apart = (R / stretch - centres[:, None]) / width
    return np.asarray(heights @ np.exp(-0.5 * apart**2) / stretch**2)


def measurement(
    y: FloatArray, i: int, *, settings: dict[str, float | str] | None = None
) -> Measurement:
    return Measurement(
        id=f"s{i}/pdf/0",
        sample_id=f"s{i}",
        technique="pdf",
        x=R,
        y=y,
        sigma=None,
        x_name="r",
        x_unit="Å",
        y_name="g_r",
        y_unit="1/Å²",
        instrument="none",
        simulated=True,
        started=NOW,
        finished=NOW,
        settings={"q_max": Q_MAX, **(settings or {})},
    )


@pytest.fixture(scope="module")
def heating() -> list[Measurement]:
    rng = np.random.default_rng(0)
    series = []
    for i, share in enumerate(SHARE):
        first, second = 1 + 0.0015 * i, 1 - 0.001 * i
        y = (1 - share) * pattern(1, first) + share * pattern(2, second)
        y = y + 0.005 * rng.normal(size=len(R))
        series.append(measurement(y, i, settings={"temperature": 300.0 + 20.0 * i}))
    return series


def test_stretched_mixtures_are_taken_apart_and_changes_found(heating: list[Measurement]) -> None:
    insights = check_collective_agent(make({}, Path()), heating, rng=np.random.default_rng(0))
    assert insights[0].quality["n_phases"] == 2
    found = np.array([i.estimates["pdf.demixed_fraction.1"].value for i in insights])
    found = found if found[-1] > 0.5 else 1 - found
    np.testing.assert_allclose(found, SHARE, atol=0.02)
    cold = 1 if insights[0].estimates["pdf.demixed_fraction.1"].value > 0.5 else 2
    first, last = (insights[i].estimates[f"pdf.demixed_stretch.{cold}"].value for i in (0, 3))
    assert last / first == pytest.approx(1 + 0.0015 * 3, abs=2e-4)
    assert insights[0].quality["n_transitions"] == 2
    assert "changes at 3" in insights[0].remarks[0]


@pytest.mark.parametrize("y_name", ["f_q", "s_q"])
def test_series_over_q_are_taken_apart(y_name: str) -> None:
    r = np.arange(1.0, 25.0, 0.04)
    shares = np.stack([1 - SHARE, SHARE], axis=1)
    stretches = 1 + np.outer(np.arange(N) / (N - 1) - 0.5, [0.012, -0.008])
    world = simulate_heating(
        [structure("rutile"), structure("halite")],
        shares,
        stretches,
        rng=np.random.default_rng(0),
        noise=0.005,
        r=r,
    )
    q = np.arange(0.8, 20.0, 0.02)
    f_q = 0.04 * world.g_r @ np.sin(np.outer(r, q))
    series = [
        replace(
            measurement(R, i, settings={"temperature": 300.0 + 10.0 * i}),
            x=q,
            y=y,
            x_name="q",
            x_unit="1/Å",
            y_name=y_name,
            y_unit="1/Å" if y_name == "f_q" else "",
        )
        for i, y in enumerate(f_q if y_name == "f_q" else 1 + f_q / q)
    ]
    agent = make({"q_range": (0.8, 20.0)}, Path())
    insights = agent.analyze_together(series, rng=np.random.default_rng(0))
    assert insights[0].quality["n_phases"] == 2
    found = np.array([i.estimates["pdf.demixed_fraction.1"].value for i in insights])
    found = found if found[-1] > 0.5 else 1 - found
    # Atoms move more when hot, which weakens curves at large Q and is not modelled there.
    np.testing.assert_allclose(found, SHARE, atol=0.08)
    cold = 1 if insights[0].estimates["pdf.demixed_fraction.1"].value > 0.5 else 2
    first, last = (insights[i].estimates[f"pdf.demixed_stretch.{cold}"].value for i in (0, 3))
    assert last / first == pytest.approx(stretches[3, 0] / stretches[0, 0], abs=2e-4)


def test_fractions_are_doubted_where_no_curve_is_pure(heating: list[Measurement]) -> None:
    def doubt(series: list[Measurement]) -> float:
        insights = make({}, Path()).analyze_together(series, rng=np.random.default_rng(0))
        told = [i.p_wrong for i in insights]
        assert all(p is not None for p in told)
        return float(np.mean([p for p in told if p is not None]))

    cold, hot = heating[0].y, heating[-1].y
    impure = [
        replace(m, y=0.5 * m.y + 0.25 * (cold + hot), settings=dict(m.settings)) for m in heating
    ]
    assert doubt(heating) < 0.3
    assert doubt(impure) > doubt(heating)


def test_a_further_curve_takes_less_than_a_tenth_of_a_second(heating: list[Measurement]) -> None:
    data = series_curves(heating, x_range=(1.5, 10.0))
    before = unmix(data.model, data.curves[:-1], most_phases=3, n_phases=2).series
    growing = Growing(before, data.curves[:-1])
    begun = time.process_time()
    fit, strange = growing.add(data.curves[-1])
    assert time.process_time() - begun < 0.1
    assert strange < STRANGE
    assert fit.weights.max() / fit.weights.sum() > 0.97
    _, strange = growing.add(data.curves[0][::-1])
    assert strange > STRANGE


def test_known_patterns_and_weights_stay(heating: list[Measurement]) -> None:
    data = series_curves(heating, x_range=(1.5, 10.0))
    known = replace(data.model, patterns=data.curves[:1])
    series = unmix(known, data.curves, most_phases=2, n_phases=2, n_frozen=1).series
    np.testing.assert_array_equal(series.model.patterns[0], data.curves[0])
    held = np.full((N, 2), np.nan)
    held[:, 1] = SHARE
    again = refine_series(data.curves, series, n_turns=2, held=held)
    np.testing.assert_allclose(again.weights[:, 1], SHARE)
    # The other is free and finds the rest.
    np.testing.assert_allclose(again.weights[:, 0], 1 - SHARE, atol=0.03)


def plainly(values: FloatArray) -> Courses:
    """Return numbers that are known equally well everywhere."""
    return Courses(values, np.ones_like(values), np.zeros(values.shape[1]))


def test_a_jump_is_placed_and_a_smooth_course_has_none() -> None:
    rng = np.random.default_rng(3)
    x = np.arange(40.0)
    smooth = np.stack([0.02 * x + 0.0005 * x**2, -0.01 * x], axis=1)
    noise = 0.02 * rng.normal(size=smooth.shape)
    assert transitions(x, plainly(smooth + noise)) == []
    (one,) = transitions(x, plainly(smooth + noise + 0.4 * (x > 25.0)[:, None]))
    assert one.place == pytest.approx(25.5, abs=0.5)
    assert one.probability > 0.95


def test_a_kink_is_found_less_surely_than_a_jump() -> None:
    x = np.arange(40.0)
    noise = 0.03 * np.random.default_rng(4).normal(size=(40, 1))
    (one,) = transitions(x, plainly(np.maximum(x - 18.0, 0)[:, None] / 22 + noise))
    assert abs(one.place - 18.0) < 3 * one.std + 0.5
    assert one.std > 0.3


def test_temperature_comes_from_settings_readings_or_names() -> None:
    y = pattern(1, 1.0)
    stated = [measurement(y, i, settings={"temperature": 10.0 * i}) for i in range(3)]
    assert series_variable(stated, None)[1].tolist() == [0, 10, 20]
    read = [
        replace(m, settings={}, readings={"pressure": Reading(2.0, 0.1, "GPa")}) for m in stated
    ]
    with pytest.raises(BadPattern, match="the same pressure"):
        series_variable(read, "pressure")
    named = [
        replace(m, settings={}, source={"file": f"x_ramp2_{k:03d}_T{450 + k:.2f}C_q.chi"})
        for k, m in enumerate(stated)
    ]
    assert series_variable(named, None)[1].tolist() == [450, 451, 452]
    kelvin = [replace(m, settings={}, sample_id=f"a2b_{150 + k}K") for k, m in enumerate(stated)]
    assert series_variable(kelvin, None)[1].tolist() == [150, 151, 152]
    nameless = [replace(m, settings={}) for m in stated]
    assert series_variable(nameless, None)[1].tolist() == [0, 1, 2]


def test_a_known_phase_comes_from_a_file_and_is_the_first(
    heating: list[Measurement], tmp_path: Path
) -> None:
    np.savetxt(tmp_path / "pure.gr", np.column_stack([R, pattern(2, 1.0)]))
    agent = make({"known": ["pure.gr"], "n_phases": 2}, tmp_path)
    insights = agent.analyze_together(heating, rng=np.random.default_rng(0))
    found = [i.estimates["pdf.demixed_fraction.1"].value for i in insights]
    np.testing.assert_allclose(found, SHARE, atol=0.02)


def test_what_cannot_be_demixed_is_refused(heating: list[Measurement]) -> None:
    agent = make({}, Path())
    rng = np.random.default_rng(0)
    with pytest.raises(BadPattern, match="at least 6"):
        agent.analyze(heating[:4], rng=rng)
    with pytest.raises(BadPattern, match="one kind"):
        agent.analyze([replace(heating[0], y_name="s_q"), *heating[1:]], rng=rng)
    with pytest.raises(BadPattern, match="Q_max"):
        agent.analyze([replace(m, settings={}) for m in heating], rng=rng)
    with pytest.raises(BadPattern, match="no number"):
        make({"along": "time"}, Path()).analyze(heating, rng=rng)
    with pytest.raises(ValidationError, match="twice its start"):
        DemixSettings(r_range=(5.0, 6.0))
