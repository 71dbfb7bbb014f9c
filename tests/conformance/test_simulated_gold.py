"""The reactors and the total-scattering instrument keep the contract that every driver keeps."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from instruments import Bench, Measure, Sample, Synthesize, VirtualClock
from instruments.conformance import CHECKS, Trial, name_of
from orchestrator.gold_twin import robot_reactor, solution_reactor, total_scattering

CLOCK = VirtualClock()
BENCH = Bench(CLOCK, Path(), seed=11)

SOLUTION = {"pH": 7.0, "pressure": 20.0, "solvent": "Others"}
ROBOT = {
    "temperature": 30.0,
    "uv": 3,
    "uv_a": 2,
    "led": 1,
    "volume_a": 0.5,
    "volume_b": 0.1,
    "volume_c": 0.1,
    "volume_d": 0.1,
    "volume_e": 0.1,
    "volume_f": 0.1,
}
SAMPLE = Sample(
    id="c/0",
    number=0,
    recipe=SOLUTION,
    made_by="reactor",
    simulated=True,
    started=datetime(2026, 1, 1, tzinfo=UTC),
    finished=datetime(2026, 1, 1, 1, tzinfo=UTC),
)


def recipe(settings, **changes) -> Synthesize:
    return Synthesize(sample_id="c/0", number=0, recipe={**settings, **changes})


def scan(**settings) -> Measure:
    return Measure(measurement_id="c/0/pdf/1", sample=SAMPLE, settings=settings)


async def _nothing() -> None:
    """Nothing outside takes part in a simulated command."""


def trial(make, good, bad) -> Trial:
    return Trial(
        make=make, good=good, bad=bad, clock=CLOCK, world=lambda command: _nothing(), factor=1.1
    )


TRIALS = {
    "solution": trial(
        lambda: solution_reactor("reactor", {"spread": 1.0}, BENCH),
        recipe(SOLUTION),
        (
            recipe(SOLUTION, pH=15.0),
            recipe(SOLUTION, pressure="high"),
            recipe(SOLUTION, solvent="Mercury"),
            recipe(SOLUTION, temperature=20.0),
        ),
    ),
    "robot": trial(
        lambda: robot_reactor("robot", {"spread": 1.0}, BENCH),
        recipe(ROBOT),
        (
            recipe(ROBOT, temperature=65.0),
            recipe(ROBOT, uv=2.5),
            recipe(ROBOT, volume_a=0.9),
            recipe(ROBOT, speed_a=1000.0),
        ),
    ),
    "scattering": trial(
        lambda: total_scattering("beamline", {"noise": 1.0}, BENCH),
        scan(curve="g_r"),
        (
            scan(curve="chi"),
            scan(q_min=5.0, q_max=2.0),
            scan(curve="g_r", q_step=0.1, r_max=60.0),
            scan(colour="blue"),
        ),
    ),
}


@pytest.mark.parametrize("trial", TRIALS.values(), ids=TRIALS)
@pytest.mark.parametrize("check", CHECKS, ids=name_of)
async def test_the_simulated_instrument(check, trial):
    await check(trial)
