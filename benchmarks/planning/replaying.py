"""One planner replays one recorded pool: it picks rows, the table answers.

Every planner starts from the same two random rows of a seed, is asked through the `Planner`
Protocol and charged process CPU time. A record is data for one line of JSON; it holds row numbers
and no value of the pool.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any, Literal

import numpy as np

import planners.benchmarking
from planners import CandidateList, Objective, Observation, Planner, SearchSpace, Target
from planners.benchmarking import starts
from planning.pools import Pool, load

Protocol = Literal["mean", "replicate", "pending3", "batch4"]
PROTOCOLS: tuple[Protocol, ...] = ("mean", "replicate", "pending3", "batch4")

STARTS = 2
"""Random rows before the first suggestion."""

LATE = 3
"""Proposals whose results are still out under the protocol `pending3`."""

BATCH = 4
"""Proposals asked for at once under the protocol `batch4`."""

PRIOR_FREEDOM = 2.0
"""Degrees of freedom with which the pooled replicate variance weighs on a candidate's own."""

MAKERS = {
    "sdlab": "planners.bayesian:make",
    "ax": "planners.adapters.ax:make",
    "baybe": "planners.adapters.baybe:make",
    "botorch": "planning.plain_botorch:make",
    "random": "planners.baselines:make_random",
}
"""Name → where its factory stands; any other name is read as such a place."""

BORROWED = {"n_initial": STARTS}
"""Settings of the borrowed planners: their models steer from the third row on."""

PACKAGES = ("ax-platform", "baybe", "botorch", "gpytorch", "numpy", "scipy", "sdlab", "torch")


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be replayed.

    Attributes
    ----------
    settings : of the planner, beyond what the harness gives it.
    label : name under which the records stand, by default that of the planner.
    """

    pool: str
    planner: str
    protocol: Protocol = "mean"
    seed: int = 0
    budget: int = 60
    settings: dict[str, Any] = field(default_factory=dict)
    label: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """What tells this task from every other."""
        return (self.pool, self.label or self.planner, self.protocol, self.seed, self.budget)


def replay(task: Task) -> dict[str, Any]:
    """Return the record of one replay: the task, its rows in order, CPU seconds of each choice.

    Raises
    ------
    SystemExit
        The protocol does not suit the pool.
    PlanningError
        The planner proposed a row twice.
    """
    pool = load(task.pool)
    points = space_points(task.pool)
    warnings.simplefilter("ignore")
    found = planners.benchmarking.replay(
        make(task),
        space_of(task.pool),
        objective_of(pool),
        answer=lambda row: _observe(pool, points[row], row, task),
        given=starts(len(pool), STARTS, rng=np.random.default_rng(task.seed)),
        budget=task.budget,
        rng_at=lambda n: np.random.default_rng([task.seed, n]),
        late=LATE if task.protocol == "pending3" else 0,
        batch=BATCH if task.protocol == "batch4" else 1,
    )
    return {
        **asdict(task),
        "label": task.label or task.planner,
        "rows": list(found.rows),
        "cpu_seconds": [round(s, 4) for s in found.cpu_seconds],
        "deviations": [round(z, 3) for z in found.deviations],
        "versions": versions(),
    }


def make(task: Task) -> Planner:
    """Return the planner of a task; sdlab's gets the seed, the borrowed ones two initial rows."""
    module, _, name = MAKERS.get(task.planner, task.planner).partition(":")
    given: Mapping[str, Any] = {}
    if task.planner in ("ax", "baybe"):
        given = BORROWED
    if task.planner == "sdlab":
        given = {"seed": task.seed}
    made: Planner = getattr(importlib.import_module(module), name)({**given, **task.settings})
    return made


@cache
def space_of(pool: str) -> SearchSpace:
    """Return the bare candidate list of a pool."""
    loaded = load(pool)
    return SearchSpace(candidates=CandidateList(columns=loaded.columns, rows=tuple(loaded.rows)))


@cache
def space_points(pool: str) -> list[dict[str, float | str]]:
    """Return the candidates of a pool as points, in the order of its rows."""
    listed = space_of(pool).candidates
    assert listed is not None
    return list(listed.points())


def objective_of(pool: Pool) -> Objective:
    """Return what is sought: one goal, or the front of several."""
    targets = tuple(Target(quantity=q, goal=goal) for q, goal in pool.goals.items())
    return Objective(targets=targets, combine="front" if len(targets) > 1 else "weighted")


def replicate_std(pool: Pool, quantity: str, row: int) -> float:
    """Return the standard deviation told with one replicate of a candidate.

    With k replicates of sample variance s² the variance is (ν s₀² + (k-1) s²) / (ν + k - 1), where
    s₀² is the variance pooled over the candidates that have replicates and ν = `PRIOR_FREEDOM`.
    """
    pooled = _pooled_variance(pool, quantity)
    values = pool.replicates[quantity][row]
    freedom = len(values) - 1
    own = float(np.var(values, ddof=1)) if freedom > 0 else 0.0
    return float(np.sqrt((PRIOR_FREEDOM * pooled + freedom * own) / (PRIOR_FREEDOM + freedom)))


def versions() -> dict[str, str]:
    """Return the version of each package here that bears on the choice."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _observe(pool: Pool, point: dict[str, float | str], row: int, task: Task) -> Observation:
    if task.protocol != "replicate":
        return Observation(
            values=point, outcomes={q: float(v[row]) for q, v in pool.values.items()}
        )
    rng = np.random.default_rng([task.seed, row])
    return Observation(
        values=point,
        outcomes={q: float(rng.choice(pool.replicates[q][row])) for q in pool.goals},
        stds={q: replicate_std(pool, q, row) for q in pool.goals},
    )


def _pooled_variance(pool: Pool, quantity: str) -> float:
    several = [v for v in pool.replicates.get(quantity, []) if len(v) > 1]
    freedom = sum(len(v) - 1 for v in several)
    pooled = sum((len(v) - 1) * float(np.var(v, ddof=1)) for v in several) / max(freedom, 1)
    if pooled <= 0:
        raise SystemExit(f"{pool.name} holds no replicates of {quantity}; take another protocol")
    return pooled
