"""The rules of ScattBO's reactors, and how the simulated devices fail, lose and err."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from instruments import Bench, Measure, Measurement, Outcome, Sample, Synthesize, VirtualClock
from instruments.execution import Executor
from instruments.simulated.gold import (
    KINDS,
    Particle,
    from_robot,
    from_solution,
    n_atoms,
    size_at,
)
from instruments.simulated.gold_batch import Accidents, grow
from instruments.simulated.reactor import ReactorDevice
from instruments.simulated.reactor_settings import (
    ReactorSettings,
    RobotReactorSettings,
    SolutionReactorSettings,
)
from instruments.simulated.scatterer import Scatterer
from instruments.simulated.total_scattering import TotalScatteringDevice
from instruments.simulated.total_scattering_settings import TotalScatteringSettings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOLUTION = {"pH": 7.0, "pressure": 20.0, "solvent": "Water"}
ROBOT = {
    "temperature": 45.0,
    "uv": 15,
    "uv_a": 7,
    "led": 7,
    "volume_a": 0.5,
    "volume_b": 0.1,
    "volume_c": 0.1,
    "volume_d": 0.1,
    "volume_e": 0.0,
    "volume_f": 0.2,
    "speed_d": 3000.0,
    "speed_e": 3000.0,
    "mixing_speed": 3000.0,
}

SAMPLE = Sample(
    id="c/0",
    number=0,
    recipe=SOLUTION,
    made_by="reactor",
    simulated=True,
    started=NOW,
    finished=NOW,
)


def reactor(settings: ReactorSettings, seed: int = 1) -> Executor:
    bench = Bench(VirtualClock(), Path(), seed)
    device = ReactorDevice("reactor", settings, clock=bench.clock, seed=seed)
    return Executor("reactor", settings.capabilities(), bench.clock, device)


async def made(settings: ReactorSettings, recipe=SOLUTION, *, number: int = 0) -> Outcome:
    maker = reactor(settings)
    await maker.connect()
    command = Synthesize(sample_id=f"c/{number}", number=number, recipe=recipe)
    return await maker.execute(f"c/{number}/synthesize/1", command)


def wave(q):
    """A scatterer with one oscillation, whose F(Q) is easy to predict."""
    return np.sin(3.0 * q) / (3.0 * q + 1e-9)


def known(sample: Sample) -> Scatterer:
    return Scatterer(s_minus_one=wave, form_factor=lambda q: 79.0 * np.exp(-0.05 * q))


async def curve_of(*, seed: int = 1, scan=None, **settings) -> Measurement:
    checked = TotalScatteringSettings.model_validate({"scaled": False, **settings})
    bench = Bench(VirtualClock(), Path(), seed)
    device = TotalScatteringDevice("b", checked, truth=known, clock=bench.clock, seed=seed)
    beamline = Executor("b", checked.capabilities(), bench.clock, device)
    await beamline.connect()
    command = Measure(measurement_id="c/0/pdf/1", sample=SAMPLE, settings=scan or {})
    value = (await beamline.execute("c/0/measure/1", command)).value
    assert isinstance(value, Measurement)
    return value


@pytest.mark.parametrize(
    ("kind", "size", "atoms"),
    [
        # magic numbers: Mackay icosahedra, octahedra n(2n² + 1)/3, blocks n³
        ("icosahedron", 2, 13),
        ("icosahedron", 7, 923),
        ("octahedron", 5, 85),
        ("octahedron", 10, 670),
        ("body-centred", 6, 216),
    ],
)
def test_clusters_have_magic_numbers_of_atoms(kind, size, atoms):
    assert n_atoms(kind, size) == atoms


@pytest.mark.parametrize(
    ("ph", "solvent", "edition", "expected"),
    [
        (0.0, "Ethanol", "2024-04", ("icosahedron", 2)),
        (14.0, "Others", "2024-04", ("octahedron", 10)),
        (7.0, "Methanol", "2024-04", ("decahedron", 6)),
        (7.0, "Methanol", "2024-11", ("decahedron", 5)),
        (7.0, "Water", "2024-11", ("body-centred", 6)),
    ],
)
def test_acidity_sets_the_size_and_the_solvent_the_kind(ph, solvent, edition, expected):
    found = from_solution(ph=ph, pressure=50.0, solvent=solvent, edition=edition)
    assert (found.kind, found.size) == expected
    assert found.length == 3.5


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "octahedron"),
        ({"volume_f": 0.21}, "body-centred"),
        ({"speed_e": 2400.0}, "decahedron"),
        ({"speed_d": 3501.0}, "decahedron"),
        ({"speed_d": 3501.0, "mixing_speed": 3501.0}, "icosahedron"),
    ],
)
def test_pumps_and_stirrer_of_the_robot_choose_the_kind(changes, expected):
    assert from_robot({**ROBOT, **changes}).kind == expected


def test_lamps_of_the_robot_set_the_size_and_its_heater_the_distance():
    assert from_robot(ROBOT).size == 10
    assert from_robot(ROBOT).length == pytest.approx(3.5)
    # 3 · 5 + 2 · 4 + 1 · 2 of 66: int(25/66 · 8) + 2
    assert from_robot({**ROBOT, "uv": 5, "uv_a": 4, "led": 2}).size == 5
    assert from_robot({**ROBOT, "uv": 0, "uv_a": 0, "led": 0, "temperature": 20.0}).size == 2


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_stay_within_what_the_rules_know(kind):
    found = [size_at(kind, share, edition="2024-04") for share in (-0.1, 0.0, 1.0, 1.1)]
    assert found == [2, 2, 10, 10]


def test_accidents_draw_the_same_numbers_whatever_their_strengths():
    wanted = Particle("icosahedron", 5, 3.0)
    weak, strong = (
        grow(wanted, Accidents(strain=s), np.random.default_rng(4)) for s in (0.001, 0.002)
    )
    assert strong.main.length - 3.0 == pytest.approx(2 * (weak.main.length - 3.0))


async def test_a_recipe_is_met_exactly_unless_a_spread_is_asked_for():
    exact = (await made(SolutionReactorSettings())).value
    near = [(await made(SolutionReactorSettings(spread=1.0), number=n)).value for n in range(80)]
    assert exact.recipe == SOLUTION
    acidity = [s.recipe["pH"] for s in near]
    # 80 draws know their standard deviation to 8 %
    assert np.std(acidity) == pytest.approx(0.02, rel=0.3)
    assert all(s.recipe["solvent"] == "Water" for s in near)


async def test_settings_are_read_back_within_what_the_device_can_do():
    recipe = {**SOLUTION, "pH": 14.0, "pressure": 0.0}
    for number in range(20):
        sample = (await made(SolutionReactorSettings(spread=1.0), recipe, number=number)).value
        assert sample.recipe["pH"] <= 14.0
        assert sample.recipe["pressure"] >= 0.0


async def test_whole_lamps_and_volumes_are_read_back_as_they_were_asked_for():
    sample = (await made(RobotReactorSettings(spread=1.0), ROBOT)).value
    assert sample.recipe["uv"] == 15
    assert sample.recipe["volume_a"] == 0.5
    assert sample.recipe["temperature"] != 45.0
    assert "solution_e" not in sample.consumed
    assert sample.consumed["solution_a"] == pytest.approx(2.5)


async def test_a_clogged_line_loses_half_of_what_it_dosed():
    outcome = await made(SolutionReactorSettings.model_validate({"faults": {"clogged": 1.0}}))
    assert (outcome.settled, outcome.fault) == ("failed", "clogged")
    assert outcome.consumed == {"gold": pytest.approx(0.025), "Water": pytest.approx(2.5)}


async def test_a_leak_strikes_while_clusters_grow_and_needs_a_reset():
    settings = SolutionReactorSettings.model_validate({"faults": {"leak": 1.0}})
    maker = reactor(settings)
    await maker.connect()
    command = Synthesize(sample_id="c/0", number=0, recipe=SOLUTION)
    outcome = await maker.execute("c/0/synthesize/1", command)
    took = (outcome.finished - outcome.started).total_seconds()
    assert outcome.fault == "leak"
    assert settings.overhead < took < settings.overhead + settings.growth
    assert (await maker.status()).state == "fault"


def test_limits_and_stock_of_the_lab_file_count():
    settings = SolutionReactorSettings.model_validate(
        {"limits": {"pH": (2, 12)}, "stock": {"gold": 1.0}, "prices": {"gold": 9.0}}
    )
    described = settings.capabilities()
    assert described.setting("pH").high == 12
    gold = next(c for c in described.consumables if c.name == "gold")
    assert (gold.stock, gold.price) == (1.0, 9.0)
    with pytest.raises(ValueError, match="no such consumable: silver"):
        SolutionReactorSettings.model_validate({"stock": {"silver": 1.0}})


async def test_without_noise_the_curve_is_what_the_sample_scatters():
    curve = await curve_of()
    assert curve.y == pytest.approx(1.0 + wave(curve.x), abs=1e-12)


async def test_a_background_not_quite_taken_off_leaves_its_shape():
    curve = await curve_of(residual=0.1, background=0.1)
    left = (curve.y - 1.0 - wave(curve.x)) * np.exp(-0.1 * curve.x)
    # the halo of the liquid falls off towards 3 1/Å; what is left has one sign and its shape
    assert np.all(left > 0) or np.all(left < 0)
    assert abs(left[0]) > 1.5 * abs(left[150])


async def test_a_wrong_scale_of_q_stretches_the_curve_by_the_same_factor_every_time():
    def factor(curve: Measurement) -> float:
        trials = np.linspace(0.99, 1.01, 401)
        off = [np.sum((curve.y - 1.0 - wave(curve.x * t)) ** 2) for t in trials]
        return float(trials[int(np.argmin(off))])

    curves = [await curve_of(seed=s, calibration=2e-3) for s in range(20)]
    factors = [factor(c) for c in curves]
    assert factor(await curve_of(seed=3, calibration=2e-3)) == factors[3]
    assert np.std(factors) == pytest.approx(2e-3, rel=0.5)


async def test_the_measurement_states_the_ranges_that_it_was_taken_with():
    scan = {"curve": "g_r", "q_min": 1.0, "q_max": 12.0}
    curve = await curve_of(scan=scan, q_damp=0.05)
    said = {n: curve.settings[n] for n in ("q_min", "q_max", "q_damp", "probe", "scale")}
    assert said == {
        "q_min": 1.0,
        "q_max": 12.0,
        "q_damp": 0.05,
        "probe": "x-ray",
        "scale": "absolute",
    }
    assert (curve.x_name, curve.x_unit, curve.y_name, curve.y_unit) == ("r", "Å", "g_r", "1/Å²")
