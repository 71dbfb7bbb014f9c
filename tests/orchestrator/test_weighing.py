"""While a sample lies in the instrument the planner says whether to measure it further."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from orchestrator.acting.weighing import EVENT
from orchestrator.loop import PLAIN, Verbs, turn
from orchestrator.run import Run
from orchestrator.store import Store
from planners.actions.records import Option
from planners.proposal import Observation
from tests.orchestrator import bakery
from tests.orchestrator.actors import Repeater
from tests.orchestrator.test_acting import AGAIN, Averaging, begun, meter_of

FURTHER = {"seconds": 1000.0}
SURE = 0.04


def until_sure(known: Sequence[Observation], options: Sequence[Option]) -> Option | None:
    """Measure the last sample further while its std is above `SURE`."""
    last = len(known) - 1
    unsure = bool(known) and known[last].stds[bakery.QUANTITY] > SURE
    return next((o for o in options if o.row == last), None) if unsure else None


async def weighing(store: Store, rule: Any = until_sure, **parts: Any) -> tuple[Run, Repeater]:
    return await begun(store, rule, further=FURTHER, **parts)


def repeats(store: Store, number: int) -> list[object]:
    experiment = store.experiment("bread-1", number)
    assert experiment is not None
    return [m.settings["repeats"] for m in experiment.measurements]


async def test_a_sample_is_measured_further_while_that_is_worth_it(store: Store) -> None:
    run, _ = await weighing(store)
    told = await turn(run, 0)
    assert repeats(store, 0) == [1.0, 4.0, 4.0]  # std 0.1, 0.045, 0.033
    assert told.stds[bakery.QUANTITY] == pytest.approx(0.1 / 3)
    assert told.supersedes is None
    steps = [a.step for a in store.actions("bread-1", 0)]
    assert steps == ["synthesize", "measure-0", "measure-0-more", "measure-0-more2"]


async def test_the_planner_is_told_what_is_known_of_the_sample_so_far(store: Store) -> None:
    run, planner = await weighing(store)
    told = await turn(run, 0)
    stds = [observations[-1].stds[bakery.QUANTITY] for observations, _, _ in planner.seen]
    assert stds == pytest.approx([0.1, 0.1 / np.sqrt(5)])  # a third look is not allowed by `most`
    assert all(o[-1].values == told.values for o, _, _ in planner.seen)
    [option] = planner.seen[0][1]
    assert (option.row, option.again.experiment) == (0, 0)
    assert option.cost == pytest.approx(1 / 60)


async def test_a_planner_that_goes_on_saves_the_measurement_an_agent_asks_for(
    store: Store,
) -> None:
    run, planner = await begun(store, lambda *_: None, Averaging(asks=True), further=FURTHER)
    await turn(run, 0)
    assert repeats(store, 0) == [1.0]
    offered = [option.again.settings["repeats"] for option in planner.seen[0][1]]
    assert offered == [9.0, 4.0]


async def test_the_allowance_of_a_sample_bounds_what_is_offered(store: Store) -> None:
    run, planner = await begun(store, until_sure, further={"seconds": 90.0})
    await turn(run, 0)
    assert repeats(store, 0) == [1.0, 4.0]
    assert len(planner.seen) == 1


async def test_the_reason_for_measuring_further_is_in_the_history(store: Store) -> None:
    run, _ = await weighing(store)
    await turn(run, 0)
    said = [e.message for e in store.events("bread-1") if e.kind == EVENT]
    assert said == ["measures the sample further: experiment 0 again"]


@pytest.mark.parametrize("in_flight", [1, 2])
async def test_a_turn_taken_up_again_decides_as_before(store: Store, in_flight: int) -> None:
    run, _ = await weighing(store, in_flight=in_flight)

    async def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    parts = {name: getattr(PLAIN, name) for name in Verbs.__slots__}
    with pytest.raises(KeyboardInterrupt):
        await turn(run, 0, verbs=Verbs(**{**parts, "score": dies}))
    await turn(run, 1)  # what ended meanwhile is none of its business
    await turn(run, 0)
    assert repeats(store, 0) == [1.0, 4.0, 4.0]
    assert sum("/0/measure" in act for act in meter_of(run)) == 3
    said = [e for e in store.events("bread-1") if e.kind == EVENT and e.number == 0]
    assert len({e.message for e in said}) == len(said)


async def test_a_planner_that_crashes_over_a_sample_costs_no_measurement(store: Store) -> None:
    def crashes(*_: Any) -> Option | None:
        raise RuntimeError("the solver diverged")

    run, _ = await weighing(store, crashes)
    assert not (await turn(run, 0)).failed
    assert repeats(store, 0) == [1.0]


async def test_a_sample_that_is_measured_again_may_be_measured_further(store: Store) -> None:
    taken: list[Option] = []

    def rule(known: Sequence[Observation], options: Sequence[Option]) -> Option | None:
        """One further measurement, but of the sample that is measured again only."""
        first = next((o for o in options if o.again.experiment == 0), None)
        if len(known) < 2 and len(taken) == 0 and known[-1].cost == 0:
            return None  # the first sample in the instrument
        if first is None or len(taken) >= 2:
            return None
        taken.append(first)
        return first

    run, _ = await begun(store, rule, further=FURTHER, actions={**AGAIN, "most": 9})
    await turn(run, 0)
    told = await turn(run, 1)
    assert told.supersedes == 0
    assert repeats(store, 1) == [4.0, 4.0]
    assert [a.step for a in store.actions("bread-1", 1)] == [
        "measure-0-turn1",
        "measure-0-turn1-more",
    ]
    insights = store.experiment("bread-1", 1).insights  # type: ignore[union-attr]
    assert [i.id.rpartition("taster")[2] for i in insights] == ["/turn1", "/turn1/again"]
    assert told.stds[bakery.QUANTITY] == pytest.approx(0.1 / 3)


async def test_agents_decide_as_before_while_nothing_is_known(store: Store) -> None:
    run, planner = await weighing(store)
    patient = bakery.Taster(patient=True)
    run = replace(run, match=replace(run.match, agents={"taster": patient}))
    told = await turn(run, 0)
    assert not told.failed
    assert repeats(store, 0) == [1.0, 4.0]
    assert len(planner.seen[0][0]) == 1  # asked only once the colour was known
