"""Stop rules with a real model behind them: the campaign ends early, and not before it is good."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr

from orchestrator.control import Ending, best, run_campaign
from orchestrator.run import Run
from orchestrator.store import Store
from planners.bayesian.planner import make
from planners.objective import Objective
from planners.proposal import Observation, Outlook, Proposal
from planners.space import Point, SearchSpace
from tests.orchestrator import bakery

BUDGET = 40


class Analytic:
    """The Bayesian planner, its outlook computed here from its prediction at the proposed point.

    Probability and expectation of an improvement over the best mean seen, of a normal variable;
    the regret is left to the planner.
    """

    name = "bayesian"

    def __init__(self) -> None:
        self._planner = make({})

    def propose(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        observations: Sequence[Observation],
        pending: Sequence[Point] = (),
        n: int = 1,
        rng: np.random.Generator,
    ) -> list[Proposal]:
        [proposal] = self._planner.propose(
            space, objective, observations=observations, pending=pending, n=n, rng=rng
        )
        predicted = proposal.reason.predicted.get(bakery.QUANTITY)
        if predicted is None:
            return [proposal]
        top = max(o.outcomes[bakery.QUANTITY] for o in observations)
        gap, std = predicted.mean - top, max(predicted.std, 1e-12)
        chance = float(ndtr(gap / std))
        density = math.exp(-0.5 * (gap / std) ** 2) / math.sqrt(2 * math.pi)
        outlook = Outlook(
            probability_of_improvement=chance, expected_improvement=gap * chance + std * density
        )
        reason = proposal.reason.model_copy(update={"outlook": outlook})
        return [proposal.model_copy(update={"reason": reason})]


async def ended(store: Store, stop: dict[str, Any], *, seed: int = 0) -> tuple[Ending, float]:
    """Return how a campaign in the bakery ended, and the true colour of its best bread."""
    campaign = bakery.campaign(stop=stop, budget={"experiments": BUDGET}, seed=seed)
    run: Run = bakery.run(store, Analytic(), campaign=campaign)
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
        ({"no_improvement_for": 6, "improvement_tolerance": 0.01}, "by more than 0.01 over 6"),
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


async def test_a_model_that_has_seen_nothing_good_is_sure_that_nothing_is(store: Store) -> None:
    stop = {"improvement_below": {"probability": 0.1, "for": 2}, "model_needs": 1}
    ending, reached = await ended(store, stop)
    assert ending.experiments < 10
    assert reached < 0.1  # which is why a model is not believed so early unless somebody asks
