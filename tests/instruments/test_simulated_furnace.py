"""The simulated furnace takes its time, its materials and its faults as a furnace does."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from instruments import Bench, CommandRefused, Outcome, Sample, Synthesize, VirtualClock
from instruments.execution import Executor
from instruments.simulated.furnace import FurnaceDevice
from instruments.simulated.furnace_settings import FurnaceSettings


def make(clock: VirtualClock | None = None, *, seed: int = 1, **given_settings) -> Executor:
    bench = Bench(clock or VirtualClock(), Path(), seed)
    checked = FurnaceSettings.model_validate(given_settings)
    device = FurnaceDevice("furnace", checked, clock=bench.clock, seed=seed)
    return Executor("furnace", checked.capabilities(), bench.clock, device)


def command(number: int = 0, **recipe) -> Synthesize:
    return Synthesize(
        sample_id=f"c/{number}", number=number, recipe={"temperature": 650.0, **recipe}
    )


async def run(furnace: Executor, asked: Synthesize, attempt: int = 1) -> Outcome:
    await furnace.connect()
    return await furnace.execute(f"c/{asked.number}/synthesize/{attempt}", asked)


def sample_of(outcome: Outcome) -> Sample:
    assert isinstance(outcome.value, Sample), outcome
    return outcome.value


async def test_a_fifteen_hour_ramp_passes_in_virtual_time():
    clock = VirtualClock()
    furnace = make(clock)
    start = clock.now()
    outcome = await run(furnace, command(temperature=925.0, ramp=1.0, dwell=0.5))
    hours = (clock.now() - start).total_seconds() / 3600
    assert outcome.settled == "succeeded"
    assert 15.0 < hours < 22.0


@settings(max_examples=25, deadline=None)
@given(
    temperature=st.floats(350, 1000),
    dwell=st.floats(0.1, 48),
    ramp=st.floats(0.5, 20),
    dopant=st.floats(0, 8),
    seed=st.integers(0, 2**32),
)
def test_duration_and_consumption_are_within_a_tenth_of_the_estimate(
    temperature, dwell, ramp, dopant, seed
):
    furnace = make(seed=seed)
    asked = command(temperature=temperature, dwell=dwell, ramp=ramp, dopant=dopant)
    estimated = furnace.check(asked)
    outcome = asyncio.run(run(furnace, asked))
    seconds = (outcome.finished - outcome.started).total_seconds()
    assert seconds == pytest.approx(estimated.seconds, rel=0.1)
    for name in ("gel", "crucible", "electricity"):
        assert outcome.consumed[name] == pytest.approx(estimated.consumed[name], rel=0.1)
    # The balance has a floor of about 0.005 mol %, which matters for the smallest doses only.
    assert outcome.consumed.get("Fe", 0.0) == pytest.approx(
        estimated.consumed.get("Fe", 0.0), rel=0.1, abs=0.004
    )


async def test_the_recipe_is_recorded_as_executed_with_units():
    sample = sample_of(await run(make(), command(dopant=2.0)))
    assert sample.simulated
    assert sample.recipe["temperature"] != 650.0
    assert sample.recipe["temperature"] == pytest.approx(650.0, abs=2.5)
    assert sample.recipe["dopant"] == pytest.approx(2.0, abs=0.15)
    assert sample.recipe["dwell"] == pytest.approx(2.0, rel=0.02)
    assert sample.recipe["dopant_element"] == "Fe"
    assert sample.units["temperature"] == "degC"
    assert set(sample.recipe) == {a.name for a in make().describe().accepts}


async def test_without_dopant_none_is_weighed():
    sample = sample_of(await run(make(), command()))
    assert sample.recipe["dopant"] == 0.0
    assert not {"Fe", "Al"} & set(sample.consumed)


async def test_without_spread_the_recipe_is_exact():
    asked = command(dopant=2.0, dwell=3.0, ramp=7.0)
    sample = sample_of(await run(make(spread=0.0), asked))
    assert {name: sample.recipe[name] for name in asked.recipe} == asked.recipe


async def test_gel_and_crucibles_are_used_as_estimated():
    furnace = make(stock={"gel": 2.5})
    assert {c.name: c.stock for c in furnace.describe().consumables}["gel"] == 2.5
    estimated = furnace.check(command(0)).consumed
    outcome = await run(furnace, command(0))
    for name in ("gel", "crucible"):
        assert outcome.consumed[name] == pytest.approx(estimated[name]) == 1.0


@pytest.mark.parametrize(
    "recipe",
    [
        {"temperature": 1200.0},
        {"temperature": "hot"},
        {"ramp": 0.0},
        {"dopant": -1.0},
        {"dopant_element": "Xe"},
        {"humidity": 1.0},
    ],
)
def test_what_the_furnace_cannot_do_is_refused_before_it_heats(recipe):
    with pytest.raises(CommandRefused):
        make().check(command(**recipe))


def test_limits_of_the_lab_file_narrow_the_device():
    furnace = make(limits={"temperature": (400, 700), "dwell": (3, 6)})
    furnace.check(command(dwell=4.0))
    with pytest.raises(CommandRefused, match="above the limit 700"):
        furnace.check(command(temperature=800.0, dwell=4.0))
    with pytest.raises(CommandRefused, match="dwell is missing"):
        furnace.check(command())


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"temperature": (400, 1700)}, "beyond the device"),
        ({"pressure": (0, 1)}, "limits names pressure"),
        ({"temperature": (700, 400)}, "700 above 400"),
    ],
)
def test_limits_that_do_not_fit_the_device_are_refused(limits, message):
    with pytest.raises(ValidationError, match=message):
        FurnaceSettings.model_validate({"limits": limits})


def test_an_unknown_consumable_is_refused():
    with pytest.raises(ValidationError, match="no such consumable: gold"):
        FurnaceSettings.model_validate({"prices": {"gold": 60.0}})


@pytest.mark.parametrize(
    ("fault", "lost", "state"),
    [
        ("jam", {"gel": 0.5}, "idle"),
        ("empty_reagent", {}, "idle"),
        ("timeout", {}, "idle"),
        ("heater_dead", {"gel": 1.0, "crucible": 1.0}, "fault"),
        ("thermocouple_open", {"gel": 1.0, "crucible": 1.0}, "fault"),
    ],
)
async def test_a_fault_ends_the_command_under_its_name(fault, lost, state):
    furnace = make(faults={fault: 1.0})
    outcome = await run(furnace, command())
    assert (outcome.settled, outcome.fault) == ("failed", fault)
    assert dict(outcome.consumed) == lost
    assert (await furnace.status()).state == state


async def test_after_a_dead_heater_the_furnace_works_again_once_it_is_reset():
    furnace = make(faults={"heater_dead": {"experiments": [0]}})
    assert (await run(furnace, command(0))).fault == "heater_dead"
    with pytest.raises(CommandRefused, match="reset it first"):
        furnace.check(command(1))
    await furnace.reset()
    assert (await run(furnace, command(1))).settled == "succeeded"


async def test_the_same_fault_strikes_the_same_commands_again():
    async def faults(seed: int) -> list[str]:
        furnace = make(faults={"jam": 0.3, "timeout": 0.3}, seed=seed)
        return [(await run(furnace, command(n))).fault for n in range(12)]

    first = await faults(5)
    assert first == await faults(5)
    assert {"jam", "timeout", ""} >= set(first) > {""}
    assert first != await faults(6)


async def test_a_hot_furnace_is_waited_for_and_the_estimate_knows():
    clock = VirtualClock()
    furnace = make(clock)
    cold = furnace.check(command(1)).seconds
    task = asyncio.create_task(run(furnace, command(0)))
    await clock.sleep(3 * 3600.0)  # dosing 0.25 h, ramp 2.1 h: it holds the plateau now
    assert (await furnace.read())["temperature"].value == pytest.approx(650.0, abs=2.5)
    assert await furnace.stop() == "halted"
    assert (await task).settled == "aborted"
    await furnace.reset()
    hot = furnace.check(command(1)).seconds
    assert hot - cold > 3600.0
    outcome = await run(furnace, command(1))
    assert (outcome.finished - outcome.started).total_seconds() == pytest.approx(hot, rel=0.1)
    assert (await furnace.read())["temperature"].value <= 61.0
