"""The simulated diffractometer counts as a counter does."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from instruments import Bench, CommandRefused, Measure, Measurement, Outcome, Sample, VirtualClock
from instruments.execution import Executor
from instruments.simulated.detector import Detector
from instruments.simulated.diffractometer import DiffractometerDevice
from instruments.simulated.diffractometer_settings import DiffractometerSettings
from instruments.simulated.specimen import Optics, Specimen, air_scatter, amorphous_halo

NOW = datetime(2026, 1, 1, tzinfo=UTC)

STILL = {"ageing": 0.0, "ripple": 0.0, "air": 0.0, "dark": 0.0}
"""No drift and no background."""


def flat(sample: Sample) -> Specimen:
    """A specimen that scatters alike at every angle, so that counts are easy to predict."""
    if "temperature" not in sample.recipe:
        raise ValueError(f"nobody knows what sample {sample.id} is")
    return Specimen(lambda two_theta, optics: np.ones_like(two_theta), 0.0, 0.0)


def make(seed: int = 1, **given_settings) -> Executor:
    bench = Bench(VirtualClock(), Path(), seed)
    checked = DiffractometerSettings.model_validate({**STILL, **given_settings})
    device = DiffractometerDevice("xrd", checked, truth=flat, clock=bench.clock, seed=seed)
    return Executor("xrd", checked.capabilities(), bench.clock, device)


def sample(number: int = 0, **recipe) -> Sample:
    return Sample(
        id=f"c/{number}",
        number=number,
        recipe=recipe or {"temperature": 600.0},
        made_by="furnace",
        simulated=True,
        started=NOW,
        finished=NOW,
    )


async def run(instrument: Executor, number: int = 0, *, attempt: int = 1, **scan) -> Outcome:
    await instrument.connect()
    command = Measure(
        measurement_id=f"c/{number}/xrd/{attempt}", sample=sample(number), settings=scan
    )
    return await instrument.execute(f"c/{number}/measure/{attempt}", command)


async def scan_of(instrument: Executor, number: int = 0, **scan) -> Measurement:
    outcome = await run(instrument, number, **scan)
    assert isinstance(outcome.value, Measurement), outcome
    return outcome.value


async def test_counts_scatter_as_poisson_says():
    curve = await scan_of(make(peak_rate=200.0), counting_time=1.0)
    n = curve.n_points
    # Standard errors of mean and of variance/mean for Poisson counts; five of them.
    assert curve.y.mean() == pytest.approx(200.0, abs=5 * np.sqrt(200.0 / n))
    assert curve.y.var() / curve.y.mean() == pytest.approx(1.0, abs=5 * np.sqrt(2.0 / n))
    assert np.array_equal(curve.sigma, np.sqrt(np.maximum(curve.y, 1.0)))


@pytest.mark.parametrize("factor", [2.0, 8.0])
async def test_counting_longer_counts_more_and_scatters_less(factor):
    short = await scan_of(make(peak_rate=500.0), counting_time=0.5)
    long = await scan_of(make(peak_rate=500.0), counting_time=0.5 * factor)
    assert long.y.mean() / short.y.mean() == pytest.approx(factor, rel=0.01)
    relative = [curve.y.std() / curve.y.mean() for curve in (short, long)]
    assert relative[0] / relative[1] == pytest.approx(np.sqrt(factor), rel=0.08)


async def test_two_scans_of_one_sample_differ_by_noise_and_one_repeated_does_not():
    first, again, second = (
        await scan_of(make(), attempt=1),
        await scan_of(make(), attempt=1),
        await scan_of(make(), attempt=2),
    )
    assert np.array_equal(first.y, again.y)
    assert not np.array_equal(first.y, second.y)


async def test_a_scan_takes_its_points_times_its_counting_time():
    instrument = make(overhead=100.0, move=0.05)
    scan = {"two_theta_min": 20.0, "two_theta_max": 60.0, "step": 0.02, "counting_time": 2.0}
    outcome = await run(instrument, **scan)
    seconds = (outcome.finished - outcome.started).total_seconds()
    assert seconds == pytest.approx(2001 * 2.05 + 100.0, abs=30.0)
    assert isinstance(outcome.value, Measurement)
    assert outcome.value.n_points == 2001
    assert outcome.value.x[[0, -1]] == pytest.approx([20.0, 60.0])


async def test_the_settings_of_a_scan_are_recorded_with_defaults_and_wavelength():
    curve = await scan_of(make(), counting_time=0.25)
    assert curve.settings["counting_time"] == 0.25
    assert curve.settings["step"] == 0.02
    assert curve.settings["wavelength"] == pytest.approx(1.54059, abs=1e-5)
    assert (curve.x_name, curve.x_unit, curve.y_name, curve.technique) == (
        "two_theta",
        "deg",
        "counts",
        "xrd",
    )


async def test_a_detector_that_overflows_clips_and_flags():
    curve = await scan_of(make(peak_rate=2e6, saturation=1e5), counting_time=0.1)
    assert curve.flags == ("saturated",)
    assert curve.y.max() == 1e4
    assert (await scan_of(make())).flags == ()


async def test_an_open_attenuator_saturates():
    curve = await scan_of(make(faults={"saturated": 1.0}))
    assert "saturated" in curve.flags


def test_dead_time_loses_counts_at_high_rates_only():
    detector = Detector(dead_time=1e-6, saturation=1e9, dark=0.0)
    rng = np.random.default_rng(0)
    for rate, seen in ((1e3, 999.0), (1e6, 5e5)):
        counts, saturated = detector.count(np.full(4000, rate), counting_time=1.0, rng=rng)
        assert counts.mean() == pytest.approx(seen, abs=5 * np.sqrt(seen / 4000))
        assert not saturated


async def test_a_closed_shutter_leaves_dark_counts_and_a_flag():
    curve = await scan_of(make(faults={"shutter_closed": 1.0}, dark=4.0), counting_time=1.0)
    assert curve.flags == ("shutter_closed",)
    assert curve.y.mean() == pytest.approx(4.0, abs=5 * np.sqrt(4.0 / curve.n_points))


@pytest.mark.parametrize("fault", ["jam", "misplaced_sample", "timeout"])
async def test_a_fault_ends_the_scan_under_its_name(fault):
    outcome = await run(make(faults={fault: 1.0}))
    assert (outcome.settled, outcome.fault, outcome.value) == ("failed", fault, None)


async def test_the_tube_ages_by_experiment():
    instrument = make(ageing=1e-3)
    young, old = await scan_of(instrument, 0), await scan_of(instrument, 200)
    assert old.y.mean() / young.y.mean() == pytest.approx(0.999**200, rel=0.01)


@pytest.mark.parametrize(
    ("scan", "message"),
    [
        ({"two_theta_min": 60.0, "two_theta_max": 40.0}, "less than a step above"),
        ({"two_theta_min": 5.0, "two_theta_max": 155.0, "step": 0.002}, "at most 20001"),
        ({"counting_time": 0.0}, "below the limit"),
        ({"two_theta_max": 170.0}, "above the limit"),
        ({"colour": "blue"}, "no setting of this instrument"),
    ],
)
def test_a_scan_that_cannot_be_made_is_refused(scan, message):
    command = Measure(measurement_id="c/0/xrd/1", sample=sample(), settings=scan)
    with pytest.raises(CommandRefused, match=message):
        make().check(command)


def test_a_sample_that_nobody_can_describe_is_refused():
    command = Measure(measurement_id="c/0/xrd/1", sample=sample(pressure=1.0))
    with pytest.raises(CommandRefused, match="nobody knows what sample c/0 is"):
        make().check(command)


def test_air_scatter_falls_and_the_halo_of_titania_stands_near_27_degrees():
    two_theta = np.linspace(10.0, 100.0, 901)
    assert np.all(np.diff(air_scatter(two_theta)) < 0)
    halo = amorphous_halo(two_theta, wavelength=1.5406)
    assert two_theta[np.argmax(halo)] == pytest.approx(27.7, abs=0.5)


def test_settings_refuse_what_they_do_not_know():
    with pytest.raises(ValidationError):
        DiffractometerSettings.model_validate({"colour": "blue"})


async def test_each_instrument_has_its_own_zero_error_and_each_mounting_its_height():
    seen: list[Optics] = []

    def watching(sample: Sample) -> Specimen:
        def bragg(two_theta, optics):
            seen.append(optics)
            return np.ones_like(two_theta)

        return Specimen(bragg, 0.0, 0.0)

    for seed in (1, 1, 2):
        checked = DiffractometerSettings()
        clock = VirtualClock()
        device = DiffractometerDevice("xrd", checked, truth=watching, clock=clock, seed=seed)
        instrument = Executor("xrd", checked.capabilities(), clock, device)
        await run(instrument, attempt=len(seen))
    assert seen[0].zero_shift == seen[1].zero_shift != seen[2].zero_shift
    assert seen[0].displacement != seen[1].displacement
