"""The simulated instruments keep the contract that every driver keeps."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from instruments import Bench, Measure, Sample, Synthesize, VirtualClock
from instruments.conformance import CHECKS, Trial, name_of
from orchestrator.twin import diffractometer, furnace

CLOCK = VirtualClock()
BENCH = Bench(CLOCK, Path(), seed=11)

SAMPLE = Sample(
    id="c/0",
    number=0,
    recipe={"temperature": 640.0, "dwell": 2.0, "ramp": 5.0, "dopant": 1.0},
    made_by="furnace",
    simulated=True,
    started=datetime(2026, 1, 1, tzinfo=UTC),
    finished=datetime(2026, 1, 1, 9, tzinfo=UTC),
)


def recipe(**changes) -> Synthesize:
    return Synthesize(sample_id="c/0", number=0, recipe={"temperature": 640.0, **changes})


def scan(**settings) -> Measure:
    return Measure(measurement_id="c/0/xrd/1", sample=SAMPLE, settings=settings)


FURNACE = Trial(
    make=lambda: furnace("furnace", {}, BENCH),
    good=recipe(dopant=1.5),
    bad=(recipe(temperature=1400.0), recipe(dopant="much"), recipe(pressure=2.0)),
    clock=CLOCK,
    world=lambda command: _nothing(),
    factor=1.1,
)
DIFFRACTOMETER = Trial(
    make=lambda: diffractometer("xrd", {}, BENCH),
    good=scan(counting_time=0.2),
    bad=(scan(step=0.0), scan(two_theta_min=70.0, two_theta_max=30.0), scan(colour="blue")),
    clock=CLOCK,
    world=lambda command: _nothing(),
    factor=1.1,
)


async def _nothing() -> None:
    """Nothing outside takes part in a simulated command."""


@pytest.mark.parametrize("trial", [FURNACE, DIFFRACTOMETER], ids=["furnace", "diffractometer"])
@pytest.mark.parametrize("check", CHECKS, ids=name_of)
async def test_the_simulated_instrument(check, trial):
    await check(trial)
