"""A turn that measures an earlier sample again: carried out once, read together, in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from analysis.insight import Estimate, Insight, MeasurementRequest
from instruments.measurement import Measurement
from orchestrator.acting.current import NOTHING_NEW, current
from orchestrator.campaign import Campaign
from orchestrator.control import run_campaign
from orchestrator.loop import PLAIN, Verbs, turn
from orchestrator.run import Run
from orchestrator.store import Store
from orchestrator.store.storage_records import AWAY
from planners.actions.records import Option
from planners.bayesian.feasibility import NOT_THE_RECIPE
from planners.proposal import Observation
from tests.orchestrator import bakery
from tests.orchestrator.actors import Repeater, Rule, first_after

AGAIN = {"measure": [{"technique": "table", "settings": {"repeats": 4}, "most": 2}]}


@dataclass
class Averaging(bakery.Taster):
    """Reads all measurements together: the std falls as 1/sqrt(repeats); notes how many it saw."""

    asks: bool = False
    infeasible: str = ""

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        repeats = sum(float(m.settings["repeats"]) for m in measurements)
        ids = tuple(m.id for m in measurements)
        wanted = MeasurementRequest(
            "table",
            {"repeats": 9.0},
            "surer of the colour",
            promised={bakery.QUANTITY: 0.1 / np.sqrt(repeats + 9)},
            p_wrong=0.01,
        )
        value = measurements[0].readings["colour"].value
        return Insight(
            id=f"{ids[0]}/taster",
            agent=self.name,
            measurement_ids=ids,
            estimates={bakery.QUANTITY: Estimate(value, 0.1 / np.sqrt(repeats), "")},
            p_wrong=0.0,
            next_measurement=wanted if self.asks else None,
            infeasible=self.infeasible if len(ids) > 1 else "",
        )


def wanted(**changes: Any) -> Campaign:
    return bakery.campaign(**{"actions": AGAIN, "budget": {"experiments": 4}, **changes})


async def begun(
    store: Store, rule: Rule, agent: bakery.Taster | None = None, **parts: Any
) -> tuple[Run, Repeater]:
    planner = Repeater(rule)
    lab = parts.pop("laboratory", None) or bakery.laboratory()
    run = bakery.run(store, planner, laboratory=lab, campaign=wanted(**parts))  # type: ignore[arg-type]
    await lab.connect()
    run = replace(run, match=replace(run.match, agents={"taster": agent or Averaging()}))
    return run, planner


def oven_of(run: Run) -> list[str]:
    return run.laboratory.instruments["oven"].device.acts  # type: ignore[attr-defined]


def meter_of(run: Run) -> list[str]:
    return run.laboratory.instruments["meter"].device.acts  # type: ignore[attr-defined]


async def test_the_sample_of_an_earlier_experiment_is_measured_and_nothing_is_made(
    store: Store,
) -> None:
    run, _ = await begun(store, first_after({2: 0}))
    await run_campaign(run)
    assert [a.rpartition("/")[0] for a in oven_of(run)] == [
        f"bread-1/{n}/synthesize" for n in (0, 1, 3)
    ]
    experiment = store.experiment("bread-1", 2)
    assert experiment is not None
    assert experiment.observation is not None
    assert experiment.sample is None
    assert [m.sample_id for m in experiment.measurements] == ["bread-1/0"]
    assert experiment.measurements[0].settings["repeats"] == 4
    [action] = store.actions("bread-1", 2)
    assert (action.step, action.settled) == ("measure-0-turn2", "succeeded")


async def test_all_measurements_of_the_sample_are_read_together(store: Store) -> None:
    run, _ = await begun(store, first_after({2: 0}))
    await run_campaign(run)
    first, again = store.experiment("bread-1", 0), store.experiment("bread-1", 2)
    assert first is not None
    assert first.observation is not None
    assert again is not None
    assert again.observation is not None
    assert again.insights[0].measurement_ids == (
        first.measurements[0].id,
        again.measurements[0].id,
    )
    assert again.observation.stds[bakery.QUANTITY] == pytest.approx(0.1 / np.sqrt(5))
    assert again.observation.supersedes == 0
    assert again.observation.values == first.observation.values
    assert again.observation.cost == 0.0  # the meter is free; the oven was not used


async def test_planners_are_told_what_stands_in_the_place_of_what_it_supersedes(
    store: Store,
) -> None:
    run, planner = await begun(store, first_after({2: 0}))
    await run_campaign(run)
    observations, _, _ = planner.seen[-1]  # before the fourth turn
    assert [o.stds[bakery.QUANTITY] for o in observations] == pytest.approx([0.1 / np.sqrt(5), 0.1])
    first = store.observations("bread-1")[0][1]
    assert observations[0].cost == first.cost > 0  # of the sample: what a new one would cost


async def test_an_option_says_what_it_costs_and_what_an_agent_promises(store: Store) -> None:
    run, planner = await begun(store, lambda *_: None, Averaging(asks=True))
    await run_campaign(run)
    observations, options, new_cost = planner.seen[0]  # after one experiment
    assert len(observations) == 1
    asked, planned = options
    assert (asked.again.experiment, asked.row) == (0, 0)
    assert asked.again.settings == {"repeats": 9.0}
    assert asked.stds == {bakery.QUANTITY: pytest.approx(0.1 / np.sqrt(10))}
    assert (asked.p_wrong, asked.reason) == (0.01, "surer of the colour")
    assert planned.again.settings == {"repeats": 4}
    assert planned.stds == {}
    # The meter has no price, so hours count: a minute, and the baking with its minute.
    baked = float(observations[0].values["time"])
    assert planned.cost == pytest.approx(1 / 60)
    assert new_cost == pytest.approx(baked + 1 / 60)


async def test_a_chain_of_measurements_leaves_one_observation_of_the_sample(store: Store) -> None:
    def twice(known: Sequence[Observation], options: Sequence[Option]) -> Option | None:
        return next(iter(options), None)

    run, _ = await begun(store, twice, actions={**AGAIN, "most": 2})
    await run_campaign(run)
    ended = store.observations("bread-1")
    assert [o.supersedes for _, o in ended] == [None, 0, 1, None]
    standing = current(ended)
    assert [n for n, _ in standing] == [0, 3]
    assert standing[0][1].stds[bakery.QUANTITY] == pytest.approx(0.1 / 3)  # 1 + 4 + 4 repeats


async def test_a_measurement_that_fails_leaves_what_was_known(store: Store) -> None:
    lab = bakery.laboratory(spoilt=frozenset({(0, 0), (0, 1)}))
    meter = lab.instruments["meter"].device  # type: ignore[attr-defined]

    class LaterBroken(type(meter)):  # type: ignore[misc]
        async def act(self, action: Any, command: Any) -> Any:
            self.spoilt = frozenset({(0, 0), (0, 1)}) if "turn" in action.command_id else set()
            return await super().act(action, command)

    meter.__class__ = LaterBroken
    run, planner = await begun(store, first_after({2: 0}), laboratory=lab)
    await run_campaign(run)
    failed = store.observations("bread-1")[2][1]
    assert failed.failed
    assert failed.cause == NOTHING_NEW
    assert failed.supersedes is None
    assert "what was known of experiment 0 stands" in failed.failure
    observations, options, _ = planner.seen[-1]
    assert [o.failed for o in observations] == [False, False]  # the recipe is not to blame
    assert {o.row for o in options} == {1}  # what was in vain is not offered once more


async def test_a_sample_that_was_taken_away_is_not_offered(store: Store) -> None:
    run, planner = await begun(store, lambda *_: None)
    await turn(run, 0)
    there = store.custody.where("bread-1", "bread-1/0")
    assert there is not None
    store.custody.hand(
        "bread-1", "bread-1/0", AWAY, slot="", command_id="person", at=run.laboratory.clock.now()
    )
    await turn(run, 1)
    assert planner.seen[-1][1] == []


async def test_a_sample_that_is_gone_when_it_is_wanted_tells_nothing_new(store: Store) -> None:
    run, _ = await begun(store, first_after({1: 0}))
    await turn(run, 0)

    async def taken_away(run: Run, number: int) -> Any:
        proposal = await PLAIN.propose(run, number)
        at = run.laboratory.clock.now()
        store.custody.hand("bread-1", "bread-1/0", AWAY, slot="", command_id="person", at=at)
        return proposal

    parts = {name: getattr(PLAIN, name) for name in Verbs.__slots__}
    told = await turn(run, 1, verbs=Verbs(**{**parts, "propose": taken_away}))
    assert told.failed
    assert "is not in the laboratory any more" in told.failure
    assert len(meter_of(run)) == 1


@pytest.mark.parametrize("dying", ["measure", "analyze", "score"])
async def test_a_turn_that_died_is_taken_up_without_measuring_twice(
    store: Store, dying: str
) -> None:
    run, _ = await begun(store, first_after({2: 0}))
    await turn(run, 0)
    await turn(run, 1)
    plain = getattr(PLAIN, dying)

    async def dies(*parts: Any) -> None:
        await plain(*parts)
        raise KeyboardInterrupt

    parts = {name: getattr(PLAIN, name) for name in Verbs.__slots__}
    with pytest.raises(KeyboardInterrupt):
        await turn(run, 2, verbs=Verbs(**{**parts, dying: dies}))
    told = await turn(run, 2)
    assert told.supersedes == 0
    assert meter_of(run).count("bread-1/2/measure-0-turn2/0") == 1
    assert len(meter_of(run)) == 3


async def test_a_sample_that_proves_infeasible_is_known_as_failed(store: Store) -> None:
    agent = Averaging(infeasible="a phase formed that must not")
    run, planner = await begun(store, first_after({2: 0}), agent)
    await run_campaign(run)
    found = store.observations("bread-1")[2][1]
    assert found.failed
    assert found.supersedes == 0
    observations, _, _ = planner.seen[-1]
    assert [o.failed for o in observations] == [True, False]


async def test_a_planner_that_chooses_what_was_not_offered_is_replaced(store: Store) -> None:
    def cheats(known: Sequence[Observation], options: Sequence[Option]) -> Option | None:
        again = options[0].again.model_copy(update={"settings": {"repeats": 8}})
        return options[0].model_copy(update={"again": again})

    run, _ = await begun(store, cheats)
    await run_campaign(run)
    reasons = [e.proposal.reason for e in store.experiments("bread-1")]
    assert [r.instead_of for r in reasons] == ["", "repeater", "repeater", "repeater"]
    assert "which was not offered" in reasons[1].text


async def test_without_actions_nothing_is_weighed(store: Store) -> None:
    run, planner = await begun(store, first_after({1: 0}), actions=None)
    await run_campaign(run)
    assert planner.seen == []
    assert all(e.proposal.offer is None for e in store.experiments("bread-1"))


async def test_a_sample_that_its_measurement_used_up_is_not_offered(store: Store) -> None:
    eating = bakery.METER.model_copy(update={"destroys_sample": True})
    run, planner = await begun(store, lambda *_: None, laboratory=bakery.laboratory(meter=eating))
    await run_campaign(run)
    assert all(options == [] for _, options, _ in planner.seen)


async def test_of_many_samples_the_best_are_offered(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.acting.options.MOST_SAMPLES", 2)
    run, planner = await begun(store, lambda *_: None, budget={"experiments": 6})
    await run_campaign(run)
    observations, options, _ = planner.seen[-1]
    values = [o.outcomes[bakery.QUANTITY] for o in observations]
    assert sorted(o.row for o in options) == sorted(np.argsort(values)[-2:])


async def test_the_books_say_where_the_sample_was(store: Store) -> None:
    run, _ = await begun(store, first_after({2: 0}))
    await run_campaign(run)
    moved = [
        (h.giver, h.taker, h.command_id)
        for h in store.custody.history("bread-1/0", "bread-1")
        if h.command_id == "bread-1/2/measure-0-turn2/0"
    ]
    assert moved == [
        ("shelf", "meter", "bread-1/2/measure-0-turn2/0"),
        ("meter", "shelf", "bread-1/2/measure-0-turn2/0"),
    ]


async def test_planners_hear_whether_a_recipe_may_be_made_once_more(store: Store) -> None:
    run, planner = await begun(store, lambda *_: None, actions={**AGAIN, "replicate": False})
    await run_campaign(run)
    assert set(planner.replicates) == {False}


@pytest.mark.parametrize(("p_wrong", "fails"), [(0.1, True), (0.9, False)])
async def test_an_infeasible_sample_fails_by_its_recipe_if_the_agent_is_believed(
    store: Store, p_wrong: float, fails: bool
) -> None:
    class Strict(Averaging):
        def analyze(self, measurements: Any, *, rng: Any) -> Insight:
            insight = super().analyze(measurements, rng=rng)
            return replace(insight, infeasible="hematite formed", p_wrong=p_wrong)

    run, _ = await begun(store, lambda *_: None, Strict(), actions=None)
    told = await turn(run, 0)
    assert told.failed == fails
    assert told.cause == ("infeasible" if fails else "")
    assert told.cause not in NOT_THE_RECIPE


async def test_what_the_instrument_cannot_do_is_not_offered_as_less(store: Store) -> None:
    class Greedy(Averaging):
        def analyze(self, measurements: Any, *, rng: Any) -> Insight:
            insight = super().analyze(measurements, rng=rng)
            wanted = MeasurementRequest("table", {"repeats": 99.0, "mood": "good"}, "more")
            return replace(insight, next_measurement=wanted)

    run, planner = await begun(store, lambda *_: None, Greedy(), actions={})
    await run_campaign(run)
    assert all(options == [] for _, options, _ in planner.seen)
