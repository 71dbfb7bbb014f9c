"""One planner searches one twin; alarms watch over it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from orchestrator.scoring import observe
from orchestrator.trust.alarms import alarms
from orchestrator.trust.statements import Statement
from planners import Observation, Planner
from planners.bayesian.planner import make as make_bayesian
from planners.structural.planner import make as make_structure
from twins.worlds import OBJECTIVE, ONSET, QUANTITY, WORLDS, Laboratory, pool

WATCHED = 6
"""Experiments after the onset until which a search goes on, so that alarms can be judged."""

FRACTIONS = {"evidence": ["xrd.weight_fraction"]}
"""That a property may follow the phases is all that the planner is told of what readings mean."""

ARMS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "scalar": ("bayesian", {}),
    "structure": ("structure", FRACTIONS),
    "face value": ("structure", {**FRACTIONS, "at_face_value": True}),
    "all readings": ("structure", {}),
    "scalar, seeking": ("bayesian", {"seek_level": True}),
}
"""What is compared → planner and its settings."""

Record = dict[str, Any]


def searched(world: str, arm: str, *, seed: int, budget: int, noise: float) -> Record:
    """Return what one search came to, as data for a line of JSON.

    Keys: ``needed``, experiments until the level was reached, budget + 1 if none
    was; ``rows``; ``alarms``, kind → first turn at which it was told.

    Parameters
    ----------
    noise : standard deviation of a conductivity [S/m]; the best phase conducts 1 at its best.
    """
    return asyncio.run(_searched(world, arm, seed=seed, budget=budget, noise=noise))


async def _searched(world: str, arm: str, *, seed: int, budget: int, noise: float) -> Record:
    name, settings = ARMS[arm]
    planner = _planner(name, {"seed": seed, **settings})
    sees = name == "structure"
    laboratory, candidates = Laboratory(world, seed, noise=noise), pool(world, seed)
    await laboratory.connect()
    space, watching = candidates.space, sees and bool(WORLDS[world].told)
    assert space.candidates is not None
    rows: list[int] = []
    known: list[Observation] = []
    statements: list[Statement] = []
    told: dict[str, int] = {}
    needed, began = budget + 1, time.process_time()
    while len(rows) < budget:
        n = len(rows)
        rng = np.random.default_rng([seed, n])
        proposal = planner.propose(space, OBJECTIVE, observations=known, n=1, rng=rng)[0]
        row = space.candidates.index(proposal.values)
        assert row is not None
        values = {k: float(v) for k, v in proposal.values.items()}
        said = await laboratory.experiment(n, values, with_pattern=sees)
        rows.append(row)
        known.append(
            observe(OBJECTIVE, said, values=values, cost=1.0, predicted=proposal.reason.predicted)
        )
        if watching:
            statements += [Statement.of(n, i, values=values) for i in said if i.agent != "readings"]
            for alarm in alarms(statements):
                told.setdefault(alarm.kind, n)
        if row in candidates.good:
            needed = min(needed, n + 1)
        if needed <= budget and not (watching and n < ONSET + WATCHED):
            break
    return {
        "world": world,
        "arm": arm,
        "seed": seed,
        "budget": budget,
        "noise": noise,
        "needed": needed,
        "rows": rows,
        "alarms": told,
        "first": float(known[0].outcomes[QUANTITY]),
        "cpu_seconds": round((time.process_time() - began) / len(rows), 4),
    }


def _planner(name: str, settings: Mapping[str, Any]) -> Planner:
    if name == "structure":
        return make_structure(settings)
    return make_bayesian(settings)
