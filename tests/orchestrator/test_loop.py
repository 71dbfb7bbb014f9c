"""A turn of the loop: every verb once, whatever dies, and failure is data."""

from __future__ import annotations

import asyncio

import pytest

from instruments.commands import Outcome
from orchestrator.control import Ending, run_campaign
from orchestrator.errors import LaboratoryRefused, WaitsForPerson
from orchestrator.loop import PLAIN, Verbs, turn
from orchestrator.run import Run, Step
from orchestrator.store import Store
from planners.baselines import make_random
from planners.proposal import Observation
from tests.orchestrator import bakery


class Killed(BaseException):
    """The process is gone."""


async def whole(run: Run) -> Ending:
    await run.laboratory.connect()
    ending = await run_campaign(run)
    await run.laboratory.disconnect()
    return ending


def device(run: Run, name: str) -> bakery.Oven | bakery.Meter:
    return run.laboratory.instruments[name].device  # type: ignore[attr-defined,no-any-return]


async def test_a_campaign_goes_round_until_its_budget_is_used(store: Store) -> None:
    run = bakery.run(store, make_random({}))
    ending = await whole(run)
    assert ending == Ending("finished", "the budget of 6 experiments is used up", 6)
    for number, observation in store.observations("bread-1"):
        experiment = store.experiment("bread-1", number)
        assert experiment is not None
        assert experiment.sample is not None
        told = observation.outcomes[bakery.QUANTITY]
        made = experiment.sample.recipe
        assert told == pytest.approx(bakery.colour(made["temperature"], made["time"]))  # type: ignore[arg-type]


async def test_every_step_is_told_in_order(store: Store) -> None:
    told: list[Step] = []
    run = bakery.run(store, make_random({}))
    watched = Run(run.id, run.campaign, run.laboratory, run.match, store, told.append)
    await run.laboratory.connect()
    await turn(watched, 0)
    verbs = [s.verb for s in told if s.state == "finished"]
    assert verbs == ["propose", "synthesize", "measure", "analyze", "score"]
    assert [s.at for s in told] == sorted(s.at for s in told)


async def test_the_cost_counts_hours_and_goods(store: Store) -> None:
    run = bakery.run(store, make_random({}))
    await run.laboratory.connect()
    observation = await turn(run, 0)
    hours = float(store.experiment("bread-1", 0).proposal.values["time"])  # type: ignore[union-attr]
    assert observation.cost == pytest.approx(3.0 * hours + 100 * 0.01, rel=1e-6)


async def test_a_jam_is_a_failed_experiment_not_a_dead_campaign(store: Store) -> None:
    run = bakery.run(store, make_random({}), laboratory=bakery.laboratory(bad=frozenset({1})))
    ending = await whole(run)
    assert ending.experiments == 6
    failed = [(n, o) for n, o in store.observations("bread-1") if o.failed]
    assert [n for n, _ in failed] == [1]
    assert "jam" in failed[0][1].failure
    assert not failed[0][1].outcomes


async def test_spoilt_data_are_kept_and_measured_again(store: Store) -> None:
    lab = bakery.laboratory(spoilt=frozenset({(0, 0)}))
    run = bakery.run(store, make_random({}), laboratory=lab)
    await run.laboratory.connect()
    observation = await turn(run, 0)
    assert not observation.failed
    flags = [m.flags for m in store.experiment("bread-1", 0).measurements]  # type: ignore[union-attr]
    assert flags == [("saturated",), ()]


async def test_data_spoilt_for_good_fail_the_experiment(store: Store) -> None:
    lab = bakery.laboratory(spoilt=frozenset({(0, 0), (0, 1)}))
    run = bakery.run(store, make_random({}), laboratory=lab)
    await run.laboratory.connect()
    observation = await turn(run, 0)
    assert observation.failed
    assert "saturated" in observation.failure


async def test_too_many_failures_in_a_row_end_the_campaign(store: Store) -> None:
    lab = bakery.laboratory(bad=frozenset(range(9)))
    wanted = bakery.campaign(stop={"failures_in_a_row": 3})
    ending = await whole(bakery.run(store, make_random({}), laboratory=lab, campaign=wanted))
    assert ending.experiments == 3
    assert "jam" in ending.reason


async def test_an_empty_store_room_stops_the_campaign_before_anything_moves(store: Store) -> None:
    flour = bakery.OVEN.consumables[0].model_copy(update={"stock": 250.0})
    oven = bakery.OVEN.model_copy(update={"consumables": (flour,)})
    run = bakery.run(store, make_random({}), laboratory=bakery.laboratory(oven=oven))
    with pytest.raises(LaboratoryRefused, match="flour"):
        await whole(run)
    assert len(store.observations("bread-1")) == 2
    assert len(device(run, "oven").acts) == 2


@pytest.mark.parametrize("verb", ["propose", "synthesize", "measure", "analyze", "score"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_turn_that_dies_anywhere_is_finished_without_repeating(
    store: Store, verb: str, moment: str
) -> None:
    run = bakery.run(store, make_random({}))
    undisturbed = bakery.run(store, make_random({}), campaign_id="bread-2")
    await undisturbed.laboratory.connect()
    await run.laboratory.connect()
    expected = await turn(undisturbed, 0)

    async def dies(*arguments: object) -> object:
        if moment == "after":
            await getattr(PLAIN, verb)(*arguments)
        raise Killed

    parts = {name: getattr(PLAIN, name) for name in Verbs.__slots__}
    with pytest.raises(Killed):
        await turn(run, 0, verbs=Verbs(**{**parts, verb: dies}))
    assert await turn(run, 0) == expected
    assert len(device(run, "oven").acts) == 1
    assert len(device(run, "meter").acts) == 1


async def test_resumed_campaigns_propose_the_same(store: Store) -> None:
    first = bakery.run(store, make_random({}))
    await whole(first)
    second = bakery.run(store, make_random({}), campaign_id="bread-2")
    await second.laboratory.connect()
    for number in range(3):
        await turn(second, number)
    fresh = bakery.run(store, make_random({}), campaign_id="bread-2")
    await whole(fresh)
    values = [
        [e.proposal.values for e in store.experiments(name)] for name in ("bread-1", "bread-2")
    ]
    assert values[0] == values[1]


async def test_an_idempotent_device_is_sent_the_same_command_again(store: Store) -> None:
    run = bakery.run(store, make_random({}))
    await run.laboratory.connect()
    await _die_in_flight(run)
    assert len(store.unsettled_actions("bread-1")) == 1
    assert not (await turn(run, 0)).failed
    acts = device(run, "oven").acts
    assert len(acts) == 2
    assert acts[0] == acts[1]


async def test_a_device_that_lost_track_of_itself_is_not_sent_the_command_again(
    store: Store,
) -> None:
    oven = bakery.OVEN.model_copy(update={"recovery": "ask_operator", "simulated": False})
    wanted = bakery.campaign(on_failure={"synthesize_again": 3})
    run = bakery.run(
        store, make_random({}), laboratory=bakery.laboratory(oven=oven), campaign=wanted
    )
    await run.laboratory.connect()
    run.laboratory.instruments["oven"].device.act = _broken  # type: ignore[attr-defined]
    with pytest.raises(WaitsForPerson, match="cannot say whether it acted"):
        await turn(run, 0)
    assert len(store.unsettled_actions("bread-1")) == 1
    assert store.observations("bread-1") == []


async def _broken(*_: object) -> None:
    raise RuntimeError("the serial line fell silent")


async def _die_in_flight(run: Run) -> None:
    """Begin an experiment and lose the process while the oven bakes."""
    oven = run.laboratory.instruments["oven"]
    honest = oven.execute

    async def lost(command_id: str, command: object) -> Outcome:
        oven.device.acts.append(command_id)  # type: ignore[attr-defined]
        raise Killed

    oven.execute = lost  # type: ignore[method-assign,assignment]
    with pytest.raises(Killed):
        await turn(run, 0)
    oven.execute = honest  # type: ignore[method-assign]


async def test_two_campaigns_do_not_disturb_each_other(store: Store) -> None:
    one = bakery.run(store, make_random({}))
    two = bakery.run(store, make_random({}), campaign_id="bread-2")
    await asyncio.gather(whole(one), whole(two))
    a, b = (store.observations(name) for name in ("bread-1", "bread-2"))
    assert [o for _, o in a] == [o for _, o in b]
    assert all(isinstance(o, Observation) for _, o in a)
