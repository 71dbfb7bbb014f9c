"""Campaigns that measure samples again: in flight, interrupted, replayed, with people about."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.acting.asking import EVENT
from orchestrator.acting.current import NOTHING_NEW, current
from orchestrator.control import run_campaign
from orchestrator.errors import CampaignError, WaitsForPerson
from orchestrator.loop import turn
from orchestrator.people.asking import Nobody, Question
from orchestrator.replay.replaying import replay
from orchestrator.run import Run
from orchestrator.standing import Tally
from orchestrator.stopping.improvement import Improvement
from orchestrator.store import Store
from planners.actions.records import Option
from planners.proposal import Observation
from tests.orchestrator import bakery
from tests.orchestrator.actors import Repeater, first_after
from tests.orchestrator.people import Decided, agrees
from tests.orchestrator.test_acting import AGAIN, Averaging, begun, meter_of, wanted
from tests.orchestrator.test_replaying import DECIDERS, _differing, _past


def oldest(known: Sequence[Observation], options: Sequence[Option]) -> Option | None:
    """Measure the oldest sample again that was read once only, from the third sample on."""
    once = [o for o in options if known[o.row].supersedes is None]
    return once[0] if len(known) >= 3 and once else None


def history(store: Store, name: str = "bread-1") -> list[tuple[object, ...]]:
    return [
        (e.number, e.proposal.values, e.proposal.measure_again, e.observation)
        for e in store.experiments(name)
    ]


async def test_a_replay_chooses_the_same_again_and_reads_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = await begun(store, oldest, budget={"experiments": 7}, further={"seconds": 200.0})
    await run_campaign(run)
    assert [o.supersedes for _, o in store.observations(run.id)].count(None) < 7
    monkeypatch.setattr(f"{DECIDERS}.agent_factory", lambda _: lambda *_: Averaging())
    monkeypatch.setattr(f"{DECIDERS}.planner_factory", lambda _: lambda _: Repeater(oldest))
    decisions = list(replay(_past(run, store)))
    assert _differing(decisions) == []
    assert sum(d.kind == "observation" for d in decisions) == 7


async def test_another_offer_would_be_caught(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = await begun(store, oldest, budget={"experiments": 5})
    await run_campaign(run)
    monkeypatch.setattr(f"{DECIDERS}.agent_factory", lambda _: lambda *_: Averaging())
    monkeypatch.setattr(f"{DECIDERS}.planner_factory", lambda _: lambda _: Repeater(oldest))
    past = _past(run, store)
    [(number, experiment)] = [
        (n, e) for n, e in past.experiments.items() if e.proposal.measure_again
    ][:1]
    tampered = experiment.proposal.model_copy(update={"offer": None})
    experiments = {**past.experiments, number: replace(experiment, proposal=tampered)}
    assert (number, "proposal") in _differing(list(replay(replace(past, experiments=experiments))))


@pytest.mark.parametrize("broken", range(3, 7))
async def test_a_campaign_that_died_anywhere_goes_on_as_if_nothing_had_happened(
    store: Store, broken: int
) -> None:
    budget = {"experiments": 7}
    undisturbed, _ = await begun(store, oldest, budget=budget)
    await run_campaign(undisturbed)
    calm = history(store)
    assert any(again is not None for _, _, again, _ in calm)

    async def dies(run: Run, number: int) -> Observation:
        if number != broken:
            return await turn(run, number)
        task = asyncio.create_task(turn(run, number))
        while not any(a.step.startswith("measure") for a in store.actions(run.id, number)):
            await asyncio.sleep(0)
        task.cancel()
        raise CampaignError("the power failed")

    first, _ = await begun(store, oldest, budget=budget)
    struck = replace(first, id="bread-2", storeroom=replace(first.storeroom, campaign_id="bread-2"))
    with pytest.raises(CampaignError):
        await run_campaign(struck, take_turn=dies)
    await run_campaign(replace(struck, under_way=type(struck.under_way)()))
    assert [h[:3] for h in history(store, "bread-2")] == [h[:3] for h in calm]
    told = [o for *_, o in history(store, "bread-2")]
    assert [o and (o.outcomes, o.stds, o.supersedes) for o in told] == [
        o and (o.outcomes, o.stds, o.supersedes) for *_, o in calm
    ]


async def test_two_in_flight_never_measure_one_sample_at_once(store: Store) -> None:
    lab = bakery.laboratory(ovens=2)
    budget = {"experiments": 10}
    run, _ = await begun(store, oldest, budget=budget, in_flight=3, laboratory=lab)
    await run_campaign(run)
    again = {
        e.number: e.proposal.measure_again.experiment
        for e in store.experiments("bread-1")
        if e.proposal.measure_again is not None
    }
    assert len(again) >= 2
    for e in store.experiments("bread-1"):
        busy = {again[n] for n in again if n < e.number and n in _under_way(store, e.number)}
        offered = {o.again.experiment for o in e.proposal.offer.options} if e.proposal.offer else {}
        assert busy.isdisjoint(offered)
        assert not set(e.pending) & set(again)  # a sample that exists is no point under way
    chains = [o.supersedes for _, o in store.observations("bread-1") if o.supersedes is not None]
    assert len(chains) == len(set(chains))  # nothing is superseded twice


def _under_way(store: Store, number: int) -> set[int]:
    """Return the experiments that had begun and not ended when one was proposed."""
    known = store.experiment("bread-1", number)
    assert known is not None
    _, recorded = store.observations_since("bread-1")
    return set(range(number)) - {n for n, _ in recorded[: known.told]}


async def test_a_veto_of_another_look_says_nothing_of_the_recipe(store: Store) -> None:
    def answers(question: Question) -> tuple[str, str]:
        return ("veto", "") if "again" in question.text else agrees(question)

    run, planner = await begun(store, first_after({2: 0}), approval={"ask": "each"})
    person = Decided(store, run.id, answers)
    await run_campaign(replace(run, person=person))
    vetoed = store.observations("bread-1")[2][1]
    assert vetoed.cause == NOTHING_NEW
    asked = next(q.text for q in person.asked if q.number == 2)
    assert "sample of experiment 0 again: table, repeats 4" in asked
    assert [o.failed for o in planner.seen[-1][0]] == [False, False]
    assert len(meter_of(run)) == 3


async def test_what_is_done_by_hand_names_the_sample_that_is_measured(store: Store) -> None:
    prompts = [{"before": "measure", "text": "Put {sample} on the stage."}]
    run, _ = await begun(store, first_after({2: 0}), prompts=prompts)
    person = Decided(store, run.id, agrees)
    await run_campaign(replace(run, person=person))
    texts = [q.text for q in person.asked]
    assert texts == [f"Put bread-1/{n} on the stage." for n in (0, 1, 0, 3)]


STRANGE = {**AGAIN, "ask_person_when": {"novelty": 0.9}}


class Surprised(Averaging):
    """Has never seen anything like the second sample."""

    def analyze(self, measurements: Sequence[Any], *, rng: Any) -> Any:
        insight = super().analyze(measurements, rng=rng)
        is_second = measurements[0].sample_id.endswith("/1")
        return replace(insight, novelty=0.95 if is_second else 0.1)


async def test_a_person_is_told_of_a_strange_sample_and_the_campaign_goes_on(store: Store) -> None:
    run, _ = await begun(store, lambda *_: None, Surprised(), actions=STRANGE)
    await run_campaign(replace(run, person=Nobody()))
    [event] = [e for e in store.events("bread-1") if e.kind == EVENT]
    assert event.number == 1
    assert "taster says novelty = 0.95" in event.message
    assert len(store.observations("bread-1")) == 4


async def test_a_campaign_that_waits_may_have_a_sample_discarded(store: Store) -> None:
    waits = {**STRANGE, "ask_person_when": {"novelty": 0.9, "then": "wait"}}
    run, _ = await begun(store, lambda *_: None, Surprised(), actions=waits)
    with pytest.raises(WaitsForPerson):
        await run_campaign(replace(run, person=Nobody()))
    person = Decided(store, run.id, lambda _: ("discard", "it fell on the floor"))
    await run_campaign(replace(run, person=person))
    discarded = store.observations("bread-1")[1][1]
    assert discarded.failed
    assert discarded.failure == "discarded: it fell on the floor"
    assert [q.key for q in person.asked] == ["look/1"]
    assert len([e for e in store.events("bread-1") if e.kind == EVENT]) == 1


def _seen(value: float, **more: Any) -> Observation:
    point = {"temperature": 150.0, "time": 2.0}
    return Observation(values=point, outcomes={bakery.QUANTITY: value}, **more)


def test_the_best_so_far_falls_when_a_second_look_disappoints() -> None:
    campaign = wanted(stop={"no_improvement_for": 3}, budget={"experiments": 9})
    tally = Tally(campaign)
    for number, value in enumerate((0.5, 0.9)):
        tally.add(number, _seen(value))
    tally.add(2, _seen(0.4, supersedes=1))
    assert tally.why_over(hours=0.0) is None
    tally.add(3, _seen(0.6))  # better than what stands, though not than what was once read
    tally.add(4, _seen(0.1))
    tally.add(5, _seen(0.2))
    assert tally.why_over(hours=0.0) is None
    tally.add(6, _seen(0.3))
    assert tally.why_over(hours=0.0) == "no improvement over 3 experiments"


def test_turns_that_told_nothing_new_count_for_the_budget_alone() -> None:
    campaign = wanted(budget={"experiments": 2})
    tally = Tally(campaign)
    tally.add(0, _seen(0.5))
    failed = Observation(
        values=_seen(0.5).values, failed=True, failure="gone", cause=NOTHING_NEW, cost=1.0
    )
    tally.add(1, failed)
    assert tally.why_over(hours=0.0) == "the budget of 2 experiments is used up"
    assert current([(0, _seen(0.5)), (1, failed)]) == [(0, _seen(0.5))]


def test_an_improvement_counter_passes_by_only_after_something_was_known() -> None:
    counter = Improvement(bakery.campaign().objective)
    counter.pass_by()
    assert counter.since == 0
    counter.add(_seen(0.5))
    counter.pass_by()
    assert counter.since == 1
