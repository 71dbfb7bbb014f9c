"""Knowing when to stop: rules that follow the model's word, judged from what the history keeps."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from orchestrator.campaign import Campaign
from orchestrator.control import Ending, run_campaign
from orchestrator.errors import CampaignError
from orchestrator.flight import TakeTurn
from orchestrator.forecast import look_ahead
from orchestrator.loop import turn
from orchestrator.run import Run
from orchestrator.stopping.expectations import Expectations
from orchestrator.stopping.improvement import Improvement
from orchestrator.stopping.rules import StopRule
from orchestrator.stopping.stop_checks import stop_faults
from orchestrator.store import Store
from orchestrator.toml_source import parse_toml
from planners.baselines import SobolPlanner, make_sobol
from planners.bayesian.planner import make as make_bayesian
from planners.objective import Objective, Target
from planners.proposal import Observation, Outlook, Proposal, Reason
from planners.space import Point
from tests.orchestrator import bakery


class Prophet(SobolPlanner):
    """Fills the space, and tells with each proposal what it was given to tell."""

    name = "prophet"

    def __init__(self, outlooks: Sequence[Outlook | None]) -> None:
        self.outlooks = outlooks

    def propose(
        self,
        *arguments: Any,
        observations: Sequence[Observation],
        pending: Sequence[Point] = (),
        n: int = 1,
        rng: np.random.Generator,
    ) -> list[Proposal]:
        filler = make_sobol({})
        [point] = filler.propose(*arguments, observations=observations, pending=pending, rng=rng)
        told = self.outlooks[len(observations) + len(pending)]
        return [Proposal(values=point.values, reason=reason(told))]


def reason(outlook: Outlook | None) -> Reason:
    return Reason(planner="prophet", text="Told so.", outlook=outlook)


def improbable(*chances: float | None) -> list[Outlook | None]:
    return [None if p is None else Outlook(probability_of_improvement=p) for p in chances]


def wanted(stop: dict[str, object], *, in_flight: int = 1, experiments: int = 12) -> Campaign:
    stop = {"model_needs": 1, **stop}
    return bakery.campaign(stop=stop, in_flight=in_flight, budget={"experiments": experiments})


async def whole(run: Run, *, take_turn: TakeTurn = turn) -> Ending:
    await run.laboratory.connect()
    try:
        return await run_campaign(run, take_turn=take_turn)
    finally:
        await run.laboratory.disconnect()


def judged(
    stop: dict[str, object], outlooks: Sequence[Outlook | None], *, cost: float = 1.0
) -> tuple[int, str] | None:
    """Return after which proposal a campaign is over, and why."""
    rules = Expectations(
        StopRule.model_validate(stop), needed=0, price=lambda *_: cost, currency="EUR"
    )
    for number, told in enumerate(outlooks):
        rules.add(number, Proposal(values={}, reason=reason(told)), told=number)
        if rules.why_over is not None:
            return number, rules.why_over
    return None


TWICE = {"improvement_below": {"probability": 0.05, "for": 2}}


def test_improbable_improvements_end_a_campaign_when_there_were_enough_of_them_in_a_row() -> None:
    number, why = judged(TWICE, improbable(None, 0.5, 0.01, 0.2, 0.04, 0.012, 0.9)) or (0, "")
    assert number == 5
    assert why == (
        "an improvement was less probable than 0.05, in 2 proposals one after the other: "
        "experiment 5: probability 0.012"
    )
    assert judged(TWICE, improbable(0.01, 0.05, 0.01, None, 0.01, 0.5)) is None


def test_a_proposal_without_the_models_word_begins_the_count_anew() -> None:
    silent = Outlook(expected_regret=0.0)
    assert judged(TWICE, [*improbable(0.01), silent, *improbable(0.01, None, 0.01)]) is None


async def test_the_model_is_not_believed_before_it_has_seen_enough(store: Store) -> None:
    campaign = wanted({**TWICE, "model_needs": 6})
    ending = await whole(bakery.run(store, Prophet(improbable(*[0.01] * 12)), campaign=campaign))
    assert "experiment 7: probability 0.01" in ending.reason  # 6 and 7 knew of six and of seven
    assert bakery.campaign(stop=TWICE).stop.experiments_needed(1) == 10
    assert bakery.campaign(stop=TWICE).stop.experiments_needed(6) == 30


def test_a_rule_that_the_budget_ends_before_is_refused() -> None:
    campaign = bakery.campaign(stop=TWICE, budget={"experiments": 10})
    [fault] = stop_faults(campaign, make_bayesian({}), parse_toml("", Path("bread.toml")))
    assert "counts once 10 experiments have ended, and a budget of 10" in fault.message


def test_a_lost_sample_made_anew_is_no_proposal_of_the_model() -> None:
    rules = Expectations(
        StopRule.model_validate(TWICE), needed=0, price=lambda *_: 1.0, currency="EUR"
    )
    low, again = improbable(0.01)[0], Reason(planner="repeat", text="Anew.", repeats=0)
    for number, why in enumerate([reason(low), again, reason(low)]):
        assert rules.why_over is None
        rules.add(number, Proposal(values={}, reason=why), told=number)
    assert rules.why_over is not None


def test_little_left_to_gain_ends_a_campaign() -> None:
    stop = {"regret_below": {"amount": 0.1}}
    told = [Outlook(expected_regret=r) for r in (0.8, 0.1, 0.03)]
    number, why = judged(stop, told) or (0, "")
    assert number == 2
    assert "less than 0.1 of utility" in why
    assert "expected regret 0.03" in why


def test_an_experiment_that_costs_more_than_its_gain_is_worth_ends_a_campaign() -> None:
    stop = {"not_worth_its_cost": {"price": 50.0, "for": 2}}
    told = [Outlook(expected_improvement=g) for g in (0.5, 0.02, 0.05, 0.01, 0.012)]
    number, why = judged(stop, told, cost=2.0) or (0, "")
    assert number == 4
    assert "expected gain 0.012 worth 0.60 EUR, cost 2.00 EUR" in why
    assert judged(stop, told, cost=0.4) is None


@given(st.lists(st.none() | st.floats(0, 1), max_size=30), st.integers(1, 5))
def test_a_rule_is_met_exactly_when_the_latest_words_in_a_row_all_were_below(
    chances: list[float | None], times: int
) -> None:
    stop = {"improvement_below": {"probability": 0.3, "for": times}}
    low = [p is not None and p < 0.3 for p in chances]
    met = [i for i in range(len(low)) if i + 1 >= times and all(low[i + 1 - times : i + 1])]
    found = judged(stop, improbable(*chances))
    assert (found[0] if found else None) == (met[0] if met else None)


async def test_the_proposal_that_completes_the_count_is_still_made(store: Store) -> None:
    planner = Prophet(improbable(None, None, 0.3, 0.02, 0.01, 0.5))
    ending = await whole(bakery.run(store, planner, campaign=wanted(TWICE)))
    assert ending.status == "finished"
    assert "experiment 4: probability 0.01" in ending.reason
    assert ending.experiments == len(store.experiments("bread-1")) == 5


async def test_no_further_sample_is_begun_while_the_others_land(store: Store) -> None:
    planner = Prophet(improbable(*[None] * 3, 0.02, 0.01, *[0.9] * 7))
    lab = bakery.laboratory(ovens=3)
    run = bakery.run(store, planner, laboratory=lab, campaign=wanted(TWICE, in_flight=3))
    ending = await whole(run)
    assert ending.experiments == 5
    assert "experiment 4: probability 0.01" in ending.reason
    assert store.unfinished(run.id) == []


@pytest.mark.parametrize("in_flight", [1, 3])
@pytest.mark.parametrize("broken", range(2, 6))
async def test_a_campaign_that_died_anywhere_ends_for_the_same_reason_when_it_is_resumed(
    store: Store, in_flight: int, broken: int
) -> None:
    async def dies(run: Run, number: int) -> Observation:
        return await turn(run, number) if number != broken else await half(run, number)

    async def half(run: Run, number: int) -> Observation:
        from orchestrator.loop import propose

        proposal = await propose(run, number)
        run.under_way.add(number, proposal)
        await asyncio.sleep(0)
        raise CampaignError("the power failed")

    outlooks = improbable(None, 0.3, 0.3, 0.02, 0.01, 0.5, *[0.9] * 6)
    campaign = wanted(TWICE, in_flight=in_flight)
    undisturbed = bakery.run(
        store, Prophet(outlooks), laboratory=bakery.laboratory(ovens=3), campaign=campaign
    )
    whole_ending = await whole(undisturbed)

    def again() -> Run:
        return bakery.run(
            store,
            Prophet(outlooks),
            laboratory=bakery.laboratory(ovens=3),
            campaign=campaign,
            campaign_id="bread-2",
        )

    if broken < whole_ending.experiments:
        with pytest.raises(CampaignError, match="power"):
            await whole(again(), take_turn=dies)
    ending = await whole(again())
    assert ending == whole_ending
    assert store.unfinished("bread-2") == []
    assert await whole(again()) == whole_ending


async def test_the_cost_is_what_the_drivers_estimate_for_the_proposed_point(store: Store) -> None:
    # The oven takes 3 EUR an hour and 1 EUR of flour: 2.5 EUR at 0.5 h, 13 EUR at 4 h.
    told = [Outlook(expected_improvement=g) for g in (1.0, 0.09, 0.2, 0.2, 0.2, 0.2)]
    stop = {"not_worth_its_cost": {"price": 20.0}}
    run = bakery.run(store, Prophet(told), campaign=wanted(stop, experiments=6))
    ending = await whole(run)
    experiments = store.experiments(run.id)
    costs = [e.observation.cost for e in experiments if e.observation is not None]
    worth = [20.0 * t.expected_improvement for t in told]
    first = next(i for i, cost in enumerate(costs) if worth[i] < cost)
    assert ending.experiments == first + 1
    assert f"cost {costs[first]:.2f} EUR" in ending.reason


def test_a_planner_without_a_model_is_refused_where_a_rule_follows_the_models_word() -> None:
    source = parse_toml(
        "[stop]\nimprovement_below = { probability = 0.1, for = 3 }\nregret_below = { amount = 1 }",
        Path("bread.toml"),
    )
    campaign = bakery.campaign(
        stop=source.data["stop"], planner={"use": "sobol"}, budget={"experiments": 11}
    )
    faults = stop_faults(campaign, make_sobol({}), source)
    assert [f.line for f in faults] == [2, 3]
    assert "'sobol', which does not tell the probability of improvement" in faults[0].message
    assert stop_faults(campaign, make_bayesian({}), source) == []


def test_a_front_has_no_utility_that_regret_or_cost_could_be_counted_in() -> None:
    both = [{"quantity": "a.size", "goal": "maximize"}, {"quantity": "a.cost", "goal": "minimize"}]
    stop = {"regret_below": {"amount": 1}, "not_worth_its_cost": {"price": 2}}
    campaign = bakery.campaign(
        stop=stop,
        objective={"targets": both, "combine": "front"},
        budget={"experiments": 30},
    )
    faults = stop_faults(campaign, make_bayesian({}), parse_toml("", Path("bread.toml")))
    assert len(faults) == 2
    assert all("no one utility" in f.message for f in faults)


def test_a_campaign_keeps_its_rules_in_the_record() -> None:
    campaign = wanted({**TWICE, "not_worth_its_cost": {"price": 3.0, "for": 4}})
    assert Campaign.model_validate(campaign.model_dump(mode="json")) == campaign
    with pytest.raises(ValidationError, match="without no_improvement_for"):
        StopRule(improvement_tolerance=0.1)


def seen(value: float) -> Observation:
    return Observation(values={}, outcomes={"a.b": value})


def test_small_steps_count_as_one_improvement_and_one_alone_as_none() -> None:
    objective = Objective(targets=(Target(quantity="a.b", goal="maximize"),))
    count = Improvement(objective, tolerance=0.1)
    since = []
    for value in (0.5, 0.55, 0.59, 0.61, 0.7, 0.72):
        count.add(seen(value))
        since.append(count.since)
    assert since == [0, 1, 2, 0, 1, 0]


def test_without_a_tolerance_every_rise_counts_and_a_tie_does_not() -> None:
    objective = Objective(targets=(Target(quantity="a.b", goal="maximize"),))
    count = Improvement(objective)
    failed = Observation(values={}, failed=True, failure="spilt")
    since = []
    for observation in (failed, seen(0.5), seen(0.5), failed, seen(0.5001)):
        count.add(observation)
        since.append(count.since)
    assert since == [0, 0, 1, 2, 0]


def test_a_front_improves_where_no_experiment_matches_in_every_target() -> None:
    targets = (Target(quantity="a", goal="maximize"), Target(quantity="b", goal="minimize"))
    count = Improvement(Objective(targets=targets, combine="front"), tolerance=0.1)
    since = []
    for a, b in [(1.0, 1.0), (1.05, 0.95), (2.0, 3.0), (1.9, 3.0), (0.0, 0.0), (0.05, 0.2)]:
        count.add(Observation(values={}, outcomes={"a": a, "b": b}))
        since.append(count.since)
    assert since == [0, 1, 0, 1, 0, 1]


def test_the_forecast_of_points_adds_up_to_that_of_the_campaign() -> None:
    from orchestrator.forecast import N_TRIALS, price_of_point
    from planners.sampling import draw_uniform

    lab, campaign = bakery.laboratory(), wanted({}, experiments=N_TRIALS)
    match = bakery.run(None, make_sobol({}), laboratory=lab, campaign=campaign).match  # type: ignore[arg-type]
    rng = np.random.default_rng([campaign.seed, 0xF0CA57])
    points = [draw_uniform(campaign.space, 1, rng=rng)[0] for _ in range(N_TRIALS)]
    each = [price_of_point(campaign, lab, match, i, p) for i, p in enumerate(points)]
    assert sum(p or 0.0 for p in each) == pytest.approx(look_ahead(campaign, lab, match).money)
    outside = {"temperature": 900.0, "time": 1.0}
    assert price_of_point(campaign, lab, match, 0, outside) is None


def test_the_models_word_comes_back_from_the_store_and_older_histories_still_load(
    store: Store, tmp_path: Path
) -> None:
    told = Outlook(probability_of_improvement=0.25, coverage=0.9, covered_of=20, widened=1.25)
    for number in (0, 1):
        proposal = Proposal(values={"temperature": 120.0}, reason=reason(told))
        store.record_proposal("bread-1", number, proposal, seed=[3, number, 0])
    with closing(sqlite3.connect(tmp_path / "sdlab.sqlite")) as database, database:
        database.execute(
            "UPDATE proposal SET contents = json_remove(contents, '$.reason.outlook') "
            "WHERE number = 1"
        )
    new, old = store.experiments("bread-1")
    assert new.proposal.reason.outlook == told
    assert old.proposal.reason.outlook is None
