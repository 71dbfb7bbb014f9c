"""What records of replays amount to: a summary a planner and pool, and ratios over pools.

Ratios rest on the seeds that every planner compared has finished on a pool. Their intervals come
from resampling seeds, the same draw for all planners of a pool, since equal seeds share their
random starts; pools are not resampled, as they are no sample of anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from planners.benchmarking import (
    Summary,
    area,
    bootstrap,
    front_course,
    random_area,
    random_first_hit,
    summary,
    top_rows,
)
from planning.pools import Pool, load

Array = npt.NDArray[np.float64]
Record = Mapping[str, Any]

RESAMPLES = 4000

Z_90 = 1.6449
"""Standard deviations to either side that hold 90 % of a normal variable."""


@dataclass(frozen=True, slots=True)
class FrontSummary:
    """One planner on one pool of several objectives, over seeds; per cent of the pool's own front.

    Attributes
    ----------
    at_end, at_end_low, at_end_high : mean hypervolume when the budget is spent, with its bootstrap
        90 % interval.
    area, low, high : mean hypervolume over all evaluations, with its interval.
    cpu_seconds : median CPU time of a suggestion.
    n_seeds : how many replays it rests on.
    """

    at_end: float
    at_end_low: float
    at_end_high: float
    area: float
    low: float
    high: float
    cpu_seconds: float
    n_seeds: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """One planner over another: a geometric mean over pools, with a bootstrap 90 % interval."""

    value: float
    low: float
    high: float
    n_pools: int
    n_seeds: int


@dataclass(frozen=True, slots=True)
class ByChance:
    """What choice at random gives on a pool, exactly."""

    area: float
    first_hit: int


def is_front(pool: Pool) -> bool:
    """Return whether a pool has several objectives."""
    return len(pool.goals) > 1


@cache
def top_of(name: str) -> npt.NDArray[np.int64]:
    """Return the best 5 % of a single-objective pool."""
    pool = load(name)
    return top_rows(pool.higher_is_better(next(iter(pool.goals))))


@cache
def gains_of(name: str) -> Array:
    """Return one column an objective, higher is better, shape (n_candidates, n_objectives)."""
    pool = load(name)
    return np.stack([pool.higher_is_better(q) for q in pool.goals], axis=1)


def by_chance(name: str, budget: int) -> ByChance:
    """Return what choice at random gives on a pool."""
    n = len(load(name))
    return ByChance(random_area(n, min(budget, n)), random_first_hit(n, len(top_of(name))))


def summarised(name: str, records: Sequence[Record]) -> Summary | FrontSummary:
    """Return what the records of one planner on one pool amount to."""
    seconds = [s for r in records for s in r["cpu_seconds"]]
    rng = np.random.default_rng(0)
    if not is_front(load(name)):
        rows = [r["rows"] for r in records]
        return summary(rows, top_of(name), cpu_seconds=seconds, rng=rng)
    courses = [front_course(r["rows"], gains_of(name)) for r in records]
    ends, areas = [c[-1] for c in courses], [c.mean() for c in courses]
    return FrontSummary(
        float(np.mean(ends)),
        *bootstrap(ends, rng=rng),
        float(np.mean(areas)),
        *bootstrap(areas, rng=rng),
        cpu_seconds=float(np.median(seconds)),
        n_seeds=len(records),
    )


def coverage(records: Sequence[Record]) -> tuple[float, int] | None:
    """Return the share of outcomes inside their foretold 90 % interval, and of how many.

    None if the records hold no predictions, as those of the borrowed planners.
    """
    z = [abs(d) for r in records for d in r.get("deviations", ())]
    return (float(np.mean(np.array(z) <= Z_90)), len(z)) if z else None


def score(record: Record) -> float:
    """Return what is compared: the area in per cent, for a front the hypervolume at the end."""
    name = record["pool"]
    if is_front(load(name)):
        return float(front_course(record["rows"], gains_of(name))[-1])
    return area(record["rows"], top_of(name))


Scores = Mapping[str, Mapping[str, Mapping[int, float]]]
"""Pool → planner → seed → score."""


def paired(some: Sequence[Record], others: Sequence[Record]) -> list[tuple[float, float]]:
    """Return the scores of equal seeds in two sets of records."""
    by_seed = {r["seed"]: score(r) for r in others}
    return [(score(r), by_seed[r["seed"]]) for r in some if r["seed"] in by_seed]


def share(pairs: Sequence[tuple[float, float]]) -> float:
    """Return the mean of the first scores over the mean of the second."""
    first, second = np.mean(np.array(pairs), axis=0)
    return float(first / second)


def scores_of(records: Sequence[Record]) -> dict[str, dict[str, dict[int, float]]]:
    """Return the score of every record, by pool, planner and seed."""
    found: dict[str, dict[str, dict[int, float]]] = {}
    for r in records:
        found.setdefault(r["pool"], {}).setdefault(r["label"], {})[r["seed"]] = score(r)
    return found


def ratio(scores: Scores, ours: str, peers: Sequence[str], pools: Sequence[str]) -> Ratio | None:
    """Return ours over the best of `peers`, as a geometric mean over pools; None without records.

    With several peers each pool takes the peer with the highest mean there, in every resample
    anew: a bar that no single peer reaches.
    """
    rng = np.random.default_rng(0)
    logs: list[Array] = []
    n_seeds: list[int] = []
    for pool in pools:
        shared = _shared(scores.get(pool, {}), [ours, *peers])
        if len(shared):
            means = _means(shared, rng=rng)
            logs.append(np.log(means[:, 0] / means[:, 1:].max(axis=1)))
            n_seeds.append(len(shared))
    if not logs:
        return None
    found = np.exp(np.mean(logs, axis=0))
    low, high = np.quantile(found[1:], [0.05, 0.95])
    return Ratio(float(found[0]), float(low), float(high), len(logs), min(n_seeds))


def _shared(by_planner: Mapping[str, Mapping[int, float]], names: Sequence[str]) -> Array:
    """Return the scores on seeds that all planners finished, shape (n_seeds, n_planners)."""
    if any(n not in by_planner for n in names):
        return np.empty((0, len(names)))
    seeds = sorted(set.intersection(*(set(by_planner[n]) for n in names)))
    return np.array([[by_planner[n][s] for n in names] for s in seeds]).reshape(-1, len(names))


def _means(shared: Array, *, rng: np.random.Generator) -> Array:
    """Return the means of all seeds, then of resampled ones, shape (1 + RESAMPLES, n_planners)."""
    picks = rng.integers(len(shared), size=(RESAMPLES, len(shared)))
    means = np.vstack([shared.mean(axis=0), shared[picks].mean(axis=1)])
    return np.maximum(means, 1e-9)
