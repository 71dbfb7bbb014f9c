"""What --dry-run foretells is what the twin then takes, and it can be read in 80 columns."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cli.gantt import gantt
from orchestrator.control import run_campaign
from orchestrator.forecast import look_ahead
from orchestrator.sharing.schedule import Schedule, Step, expected_schedule, lay_out
from orchestrator.store import Store
from planners.baselines import make_random
from tests.orchestrator import bakery

OVENS = ("oven-1", "oven-2")
HOUR = 3600.0

work = st.lists(
    st.lists(
        st.builds(
            Step,
            st.sampled_from([OVENS, ("oven-1",), ("meter",)]),
            st.floats(min_value=1.0, max_value=1e5),
        ),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=12,
)


@given(work, st.integers(1, 5))
def test_every_step_is_laid_out_once_in_order_and_no_instrument_twice(
    steps: list[list[Step]], in_flight: int
) -> None:
    schedule = lay_out(steps, in_flight=in_flight)
    for number, own in enumerate(steps):
        bars = [b for b in schedule.bars if b.number == number]
        assert len(bars) == len(own)
        assert all(bar.instrument in step.needs for bar, step in zip(bars, own, strict=True))
        assert all(a.end <= b.start for a, b in pairwise(bars))
    for name in schedule.instruments:
        bars = [b for b in schedule.bars if b.instrument == name]
        assert all(a.end <= b.start for a, b in pairwise(bars))
        assert schedule.utilisation(name) <= 1 + 1e-9


@given(work)
def test_one_in_flight_takes_the_sum_of_all_steps(steps: list[list[Step]]) -> None:
    total = sum(step.seconds for own in steps for step in own)
    assert abs(lay_out(steps, in_flight=1).seconds - total) < 1e-6 * total


def test_two_ovens_halve_the_time_that_one_meter_allows() -> None:
    steps = [[Step(OVENS, 2 * HOUR), Step(("meter",), HOUR)] for _ in range(20)]
    assert lay_out(steps, in_flight=1).seconds == 60 * HOUR
    schedule = lay_out(steps, in_flight=4)
    assert 20 * HOUR <= schedule.seconds <= 23 * HOUR
    assert schedule.utilisation("meter") > 0.85


async def test_the_twin_takes_about_as_long_as_was_foretold(store: Store) -> None:
    wanted = bakery.campaign(in_flight=3, budget={"experiments": 32})
    lab = bakery.laboratory(ovens=3)
    run = bakery.run(store, make_random({}), laboratory=lab, campaign=wanted)
    foretold = expected_schedule(wanted, run.match, look_ahead(wanted, lab, run.match))
    began = lab.clock.now()
    await lab.connect()
    await run_campaign(run)
    took = (lab.clock.now() - began).total_seconds()
    assert abs(took / foretold.seconds - 1) < 0.25, "the planner's points are drawn otherwise"


def chart(schedule: Schedule, width: int = 80) -> list[str]:
    return [line.plain for line in gantt(schedule, width=width)]


def test_the_chart_tells_instruments_experiments_time_and_use_without_colour() -> None:
    steps = [[Step(OVENS, 5 * HOUR), Step(("meter",), 2 * HOUR)] for _ in range(6)]
    title, *rows, axis, _ = chart(lay_out(steps, in_flight=3))
    assert title.startswith("schedule 6 experiments in 19.0 h")
    assert [row.split()[0] for row in rows] == ["oven-1", "oven-2", "meter"]
    assert re.findall(r"\d+", rows[0].split(maxsplit=1)[1])[:3] == ["0", "2", "4"]
    assert rows[0].rstrip().endswith("79%")
    assert axis.split()[:4] == ["0", "h", "6", "h"]
    assert all(len(line) <= 80 for line in rows)


def test_a_long_campaign_shows_its_first_stretch_and_says_so() -> None:
    steps = [[Step(OVENS, 5 * HOUR), Step(("meter",), HOUR)] for _ in range(400)]
    title, *rows, _, _ = chart(lay_out(steps, in_flight=3))
    assert "of which the first" in title
    assert len(title) <= 78
    assert "0" in rows[0]
    assert " 399" not in rows[0]
    assert all(len(row) <= 80 for row in rows)


def test_a_campaign_without_steps_has_no_chart() -> None:
    assert chart(Schedule(())) == []
