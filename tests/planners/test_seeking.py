"""Seeking a level: what cannot reach it is worth nothing until something has."""

from __future__ import annotations

import numpy as np
import pytest

from planners import CandidateList, ContinuousParameter, Objective, Observation, SearchSpace, Target
from planners.bayesian.planner import make
from planners.bayesian.seeking import SAID, aimed_at

LEVEL = Objective(targets=(Target(quantity="hardness", goal="maximize", value=0.9),))
GRID = [(float(a), float(b)) for a in np.linspace(0, 1, 15) for b in np.linspace(0, 1, 15)]
POOL = SearchSpace(candidates=CandidateList(columns=("iron", "nickel"), rows=tuple(GRID)))


def hardness(iron: float, nickel: float) -> float:
    """Return a broad hill that never reaches the level, and an island that does."""
    hill = 0.6 * np.exp(-((iron - 0.3) ** 2 + (nickel - 0.3) ** 2) / 0.1)
    return float(hill + (iron > 0.8 and nickel > 0.7))


def made(iron: float, nickel: float) -> Observation:
    return Observation(
        values={"iron": iron, "nickel": nickel}, outcomes={"hardness": hardness(iron, nickel)}
    )


def experiments_needed(*, seek_level: bool, budget: int = 40) -> int:
    planner = make({"seek_level": seek_level, "seed": 1})
    known: list[Observation] = []
    while len(known) < budget:
        [proposal] = planner.propose(
            POOL, LEVEL, observations=known, rng=np.random.default_rng(len(known))
        )
        known.append(made(**{k: float(v) for k, v in proposal.values.items()}))
        if known[-1].outcomes["hardness"] > 0.9:
            break
    return len(known)


def test_an_island_above_the_level_is_found_sooner_than_by_polishing_the_hill() -> None:
    assert experiments_needed(seek_level=True) < experiments_needed(seek_level=False)


@pytest.mark.parametrize("space", ["finite", "continuous"])
def test_the_rule_ends_when_the_level_is_reached(space: str) -> None:
    parameters = tuple(ContinuousParameter(name=n, low=0, high=1) for n in ("iron", "nickel"))
    where = POOL if space == "finite" else SearchSpace(parameters=parameters)
    planner = make({"seek_level": True})
    below = [made(*GRID[i]) for i in (0, 40, 80, 110, 150)]
    [before] = planner.propose(where, LEVEL, observations=below, rng=np.random.default_rng(0))
    assert SAID in before.reason.text
    reached = [*below, made(*GRID[-1])]
    assert reached[-1].outcomes["hardness"] > 0.9
    [after] = planner.propose(where, LEVEL, observations=reached, rng=np.random.default_rng(0))
    assert SAID not in after.reason.text


def test_values_to_be_matched_are_no_levels() -> None:
    match = Objective(
        targets=(Target(quantity="hardness", goal="match", value=0.9, tolerance=0.01),)
    )
    below = [made(*GRID[i]) for i in (0, 40, 80, 110, 150)]
    proposals = [
        make({"seek_level": seeks}).propose(
            POOL, match, observations=below, rng=np.random.default_rng(0)
        )[0]
        for seeks in (False, True)
    ]
    assert proposals[0] == proposals[1]
    assert np.isfinite(aimed_at(match))
