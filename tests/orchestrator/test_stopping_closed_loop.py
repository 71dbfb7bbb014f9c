"""Stop rules with a real model behind them: the campaign ends early, and not before it is good."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.control import Ending, best, run_campaign
from orchestrator.run import Run
from orchestrator.store import Store
from planners.bayesian.planner import make
from tests.orchestrator import bakery

BUDGET = 40


async def ended(store: Store, stop: dict[str, Any], *, seed: int = 0) -> tuple[Ending, float]:
    """Return how a campaign in the bakery ended, and the true colour of its best bread."""
    campaign = bakery.campaign(stop=stop, budget={"experiments": BUDGET}, seed=seed)
    run: Run = bakery.run(store, make({}), campaign=campaign)
    await run.laboratory.connect()
    try:
        ending = await run_campaign(run)
    finally:
        await run.laboratory.disconnect()
    done = [o for _, o in store.observations(run.id)]
    top = done[best(campaign, done) or 0].values
    return ending, bakery.colour(float(top["temperature"]), float(top["time"]))


@pytest.mark.parametrize(
    ("stop", "words"),
    [
        ({"not_worth_its_cost": {"price": 500.0, "for": 3}}, "not worth its cost"),
        ({"regret_below": {"amount": 0.01, "for": 2}}, "0.01"),
        (
            {"no_improvement_for": 12, "improvement_tolerance": 0.01},
            "by more than 0.01 over 12",
        ),
    ],
)
async def test_a_campaign_ends_before_its_budget_and_with_almost_the_best_there_is(
    store: Store, stop: dict[str, Any], words: str
) -> None:
    ending, reached = await ended(store, stop)
    assert ending.status == "finished"
    assert words in ending.reason
    assert ending.experiments < BUDGET
    assert reached > 0.97  # the best is 1, and a reading has an error of 0.01


async def test_improbable_improvement_ends_a_campaign_that_has_found_the_top(store: Store) -> None:
    stop = {"improvement_below": {"probability": 0.1, "for": 2}, "model_needs": 1}
    ending, reached = await ended(store, stop)
    assert "an improvement was less probable than 0.1" in ending.reason
    assert ending.experiments < BUDGET
    assert reached > 0.97
