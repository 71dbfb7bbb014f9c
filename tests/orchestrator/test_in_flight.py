"""Several samples under way at once: faster, just as safe, and the planner knows of them all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from instruments.clock import VirtualClock
from orchestrator.campaign import Campaign
from orchestrator.control import Ending, run_campaign
from orchestrator.errors import LaboratoryRefused
from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.loop import turn
from orchestrator.run import Run
from orchestrator.sharing.desk import LocalDesk
from orchestrator.store import Store
from planners.baselines import RandomPlanner, make_random, make_sobol
from planners.proposal import Observation, Proposal
from planners.space import Point
from tests.orchestrator import bakery


async def whole(run: Run, **more: Any) -> Ending:
    await run.laboratory.connect()
    try:
        return await run_campaign(run, **more)
    finally:
        await run.laboratory.disconnect()


def hours(lab: Laboratory) -> float:
    return (lab.clock.now() - VirtualClock().now()).total_seconds() / 3600


def wanted(in_flight: int, **changes: object) -> Campaign:
    return bakery.campaign(**{"in_flight": in_flight, "budget": {"experiments": 12}, **changes})


def history(store: Store, name: str) -> list[tuple[object, ...]]:
    return [
        (e.number, e.proposal.values, e.told, e.pending, e.sample and e.sample.made_by)
        for e in store.experiments(name)
    ]


async def test_four_ovens_bake_almost_four_times_as_fast(store: Store) -> None:
    one, four = bakery.laboratory(ovens=4), bakery.laboratory(ovens=4)
    fast = bakery.run(store, make_sobol({}), laboratory=four, campaign=wanted(4))
    slow = bakery.run(
        store, make_sobol({}), laboratory=one, campaign=wanted(1), campaign_id="bread-2"
    )
    assert (await whole(slow)).experiments == (await whole(fast)).experiments == 12
    assert hours(one) / hours(four) > 2.5
    made = {e.sample.made_by for e in store.experiments("bread-1") if e.sample}
    assert made == {"oven", "oven-2", "oven-3", "oven-4"}


async def test_two_in_flight_on_one_oven_measure_while_the_next_one_bakes(store: Store) -> None:
    lab, patient = bakery.laboratory(), bakery.laboratory()
    overlapping = bakery.run(store, make_sobol({}), laboratory=lab, campaign=wanted(2))
    await whole(overlapping)
    await whole(
        bakery.run(
            store, make_sobol({}), laboratory=patient, campaign=wanted(1), campaign_id="bread-2"
        )
    )
    baking = sum(float(e.proposal.values["time"]) for e in store.experiments("bread-1"))
    assert hours(lab) == pytest.approx(baking + 1 / 60, abs=1e-3)
    assert hours(patient) == pytest.approx(baking + 12 / 60, abs=1e-3)


async def test_no_instrument_does_two_things_at_once(store: Store) -> None:
    run = bakery.run(
        store, make_sobol({}), laboratory=bakery.laboratory(ovens=2), campaign=wanted(5)
    )
    await whole(run)
    for name in ("oven", "oven-2", "meter"):
        spans = sorted(
            (a.started, a.finished)
            for a in store.actions(run.id)
            if a.instrument == name and a.started and a.finished
        )
        assert all(before[1] <= after[0] for before, after in pairwise(spans))


class Listening(RandomPlanner):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, list[Point]]] = []

    def propose(
        self,
        *arguments: Any,
        observations: Sequence[Observation],
        pending: Sequence[Point] = (),
        n: int = 1,
        rng: np.random.Generator,
    ) -> list[Proposal]:
        self.told.append((len(observations), list(pending)))
        return super().propose(*arguments, observations=observations, pending=pending, n=n, rng=rng)


async def test_the_planner_is_told_what_is_under_way_and_that_is_recorded(store: Store) -> None:
    planner = Listening()
    run = bakery.run(store, planner, laboratory=bakery.laboratory(ovens=3), campaign=wanted(3))
    await whole(run)
    experiments = store.experiments(run.id)
    assert [len(pending) for _, pending in planner.told] == [0, 1, *[2] * 10]
    for experiment, (told, pending) in zip(experiments, planner.told, strict=True):
        assert experiment.told == told
        assert [experiments[n].proposal.values for n in experiment.pending] == pending
    order = [number for number, _ in store.observations_since(run.id)[1]]
    for experiment in experiments:
        ended = order[: experiment.told]
        begun = set(range(experiment.number))
        assert set(experiment.pending) == begun - set(ended)


async def test_the_same_seed_gives_the_same_history_with_four_in_flight(store: Store) -> None:
    for name in ("bread-1", "bread-2"):
        lab = bakery.laboratory(ovens=4)
        await whole(
            bakery.run(store, make_sobol({}), laboratory=lab, campaign=wanted(4), campaign_id=name)
        )
    assert history(store, "bread-1") == history(store, "bread-2")


async def test_virtual_time_does_not_pass_while_something_else_than_the_lab_is_slow(
    store: Store,
) -> None:
    """As under Prefect, whose flow runs take real time to begin and to end."""

    async def slow(run: Run, number: int) -> Observation:
        await asyncio.sleep(0.02)
        observation = await turn(run, number)
        await asyncio.sleep(0.02)
        return observation

    labs = [bakery.laboratory(ovens=4) for _ in range(2)]
    await whole(bakery.run(store, make_sobol({}), laboratory=labs[0], campaign=wanted(4)))
    late = bakery.run(
        store, make_sobol({}), laboratory=labs[1], campaign=wanted(4), campaign_id="bread-2"
    )
    await whole(late, take_turn=slow)
    assert hours(labs[0]) == hours(labs[1])
    assert history(store, "bread-1") == history(store, "bread-2")


async def test_no_turn_begins_beyond_the_budget(store: Store) -> None:
    run = bakery.run(
        store,
        make_random({}),
        laboratory=bakery.laboratory(ovens=4),
        campaign=wanted(4, budget={"experiments": 6}),
    )
    ending = await whole(run)
    assert ending == Ending("finished", "the budget of 6 experiments is used up", 6)
    assert len(store.experiments(run.id)) == 6


async def test_what_is_under_way_is_finished_when_a_target_is_reached(store: Store) -> None:
    target = {"quantity": bakery.QUANTITY, "goal": "maximize", "value": 0.0}
    run = bakery.run(
        store,
        make_random({}),
        laboratory=bakery.laboratory(ovens=4),
        campaign=wanted(4, objective={"targets": [target]}),
    )
    ending = await whole(run)
    assert ending.status == "finished"
    first = store.observations_since(run.id)[1][0][0]
    assert ending.reason == f"experiment {first} satisfies every target"
    assert ending.experiments == len(store.experiments(run.id)) == 4


@pytest.mark.parametrize("in_flight", [1, 3])
async def test_money_and_hours_end_a_campaign_while_the_rest_lands(
    store: Store, in_flight: int
) -> None:
    for name, budget in (("bread-1", {"money": 30}), ("bread-2", {"hours": 10})):
        run = bakery.run(
            store,
            make_sobol({}),
            laboratory=bakery.laboratory(ovens=3),
            campaign=wanted(in_flight, budget={"experiments": 50, **budget}),
            campaign_id=name,
        )
        ending = await whole(run)
        assert "is used up" in ending.reason
        assert ending.experiments == len(store.experiments(name)) < 50
        costs = [o.cost for _, o in store.observations_since(name)[1]]
        if "money" in budget:
            assert sum(costs[:-in_flight]) < 30 <= sum(costs)


async def test_an_error_in_one_turn_lets_the_others_end(store: Store) -> None:
    async def fails(run: Run, number: int) -> Observation:
        if number == 2:
            raise LaboratoryRefused("the lid of the oven is open")
        return await turn(run, number)

    run = bakery.run(
        store, make_random({}), laboratory=bakery.laboratory(ovens=4), campaign=wanted(4)
    )
    with pytest.raises(LaboratoryRefused, match="lid"):
        await whole(run, take_turn=fails)
    assert sorted(n for n, _ in store.observations(run.id)) == [0, 1]
    assert (await whole(run)).experiments == 12
    assert [e.number for e in store.experiments(run.id)] == list(range(12))


async def test_stopping_ends_those_under_way_and_begins_no_other(store: Store) -> None:
    run = bakery.run(
        store, make_random({}), laboratory=bakery.laboratory(ovens=4), campaign=wanted(4)
    )
    asked = iter([True] * 6)
    ending = await whole(run, wanted=lambda: next(asked, False))
    assert ending.status == "interrupted"
    assert ending.experiments == len(store.experiments(run.id)) < 12
    assert store.unfinished(run.id) == []
    assert (await whole(run)).experiments == 12


@pytest.mark.parametrize("breaths", [40, 300, 900])
async def test_a_campaign_cut_off_in_flight_finishes_first_what_it_had_begun(
    store: Store, breaths: int
) -> None:
    lab = bakery.laboratory(ovens=4)
    run = bakery.run(store, make_sobol({}), laboratory=lab, campaign=wanted(4))
    task = asyncio.create_task(whole(run))
    for _ in range(breaths):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    begun = store.unfinished(run.id)
    before = [e.proposal for e in store.experiments(run.id)]
    again = bakery.run(
        store, make_sobol({}), laboratory=bakery.laboratory(ovens=4), campaign=wanted(4)
    )
    assert (await whole(again)).experiments == 12
    experiments = store.experiments(run.id)
    assert [e.proposal for e in experiments[: len(before)]] == before
    assert [e.number for e in experiments] == list(range(12))
    for later in experiments[len(before) :][:1]:
        assert set(begun) - {n for n, _ in store.observations_since(run.id)[1][: later.told]} <= {
            *later.pending
        }
    assert len({e.sample.id for e in experiments if e.sample}) == 12


async def test_two_campaigns_share_a_desk_and_neither_starves(store: Store) -> None:
    lab = bakery.laboratory(ovens=2)
    desk = LocalDesk(lab.clock)
    runs = [
        bakery.run(
            store,
            make_sobol({}),
            laboratory=lab,
            campaign=wanted(3),
            campaign_id=name,
            desk=desk,
        )
        for name in ("bread-1", "bread-2")
    ]
    await lab.connect()
    endings = await asyncio.gather(*(run_campaign(run) for run in runs))
    assert [e.experiments for e in endings] == [12, 12]
    ends = [max(a.finished for a in store.actions(r.id) if a.finished) for r in runs]
    assert abs((ends[0] - ends[1]).total_seconds()) < 0.25 * 3600 * hours(lab)
