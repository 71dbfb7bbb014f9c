"""What is counted in a replay: how soon and how many of the best candidates were evaluated.

The *top* are the best 5 % of a pool. The acceleration curves of Liang et al. 2021
(doi:10.1038/s41524-021-00656-9) are the share of the top found after each evaluation; their area
is the mean over the budget, which no single threshold decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from planners.pareto import hypervolume, hypervolume_course

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

TOP_SHARE = 0.05
RESAMPLES = 4000


@dataclass(frozen=True, slots=True)
class Summary:
    """One planner on one pool, over seeds.

    Attributes
    ----------
    area : mean of the areas, per cent.
    low, high : bootstrap 90 % interval of that mean over seeds, per cent.
    first_hit : median number of evaluations at which the first of the top came, infinite if more
        than half of the seeds found none.
    found : mean share of the top found at the end, 0 to 1.
    cpu_seconds : median CPU time of a suggestion.
    n_seeds : how many replays it rests on.
    """

    area: float
    low: float
    high: float
    first_hit: float
    found: float
    cpu_seconds: float
    n_seeds: int


def top_rows(gains: npt.ArrayLike, share: float = TOP_SHARE) -> Rows:
    """Return the rows of the best `share` of a pool, ceil(share * n) of them, best first.

    Parameters
    ----------
    gains : one value a candidate, higher is better, shape (n_candidates,).
    """
    values = np.asarray(gains, dtype=np.float64)
    order = np.argsort(-values, kind="stable")
    return np.asarray(order[: int(np.ceil(share * len(values)))], dtype=np.int64)


def found(rows: Sequence[int], top: npt.ArrayLike) -> Array:
    """Return the share of the top that was found after each evaluation, shape (n_rows,)."""
    wanted = np.asarray(top)
    return np.asarray(np.cumsum(np.isin(rows, wanted)) / len(wanted), dtype=np.float64)


def area(rows: Sequence[int], top: npt.ArrayLike) -> float:
    """Return the mean over all evaluations, starts included, of the share found, in per cent."""
    return float(100.0 * found(rows, top).mean())


def first_hit(rows: Sequence[int], top: npt.ArrayLike) -> float:
    """Return the evaluation, counted from 1, that gave the first of the top; infinite if none."""
    hits = np.isin(rows, np.asarray(top))
    return float(np.argmax(hits)) + 1.0 if hits.any() else np.inf


def random_area(n_candidates: int, budget: int) -> float:
    """Return the expected area of choice at random without repeats, in per cent.

    The expected share found after t of N evaluations is t / N, whatever the number of the top.
    """
    return float(100.0 * np.arange(1, budget + 1).mean() / n_candidates)


def random_first_hit(n_candidates: int, n_top: int) -> int:
    """Return the median evaluation of the first hit of choice at random without repeats.

    The smallest t with P(hit within t) = 1 - C(N - K, t) / C(N, t) >= 1/2 (hypergeometric), N
    candidates of which K count.
    """
    t = np.arange(1, n_candidates - n_top + 1, dtype=np.float64)
    log_missed = (
        gammaln(n_candidates - n_top + 1)
        - gammaln(n_candidates - n_top - t + 1)
        - gammaln(n_candidates + 1)
        + gammaln(n_candidates - t + 1)
    )
    within = np.flatnonzero(log_missed <= np.log(0.5) + 1e-12)
    return int(t[within[0]]) if len(within) else n_candidates - n_top + 1


def front_course(rows: Sequence[int], gains: npt.ArrayLike) -> Array:
    """Return the dominated hypervolume after each evaluation, in per cent of the pool's own.

    Every gain is scaled to 0 … 1 over the pool; the reference point is 0 in each, the worst value
    that the pool holds.

    Parameters
    ----------
    gains : one row a candidate, one column an objective, higher is better.
    """
    table = np.asarray(gains, dtype=np.float64)
    low, high = table.min(axis=0), table.max(axis=0)
    scaled = (table - low) / np.where(high > low, high - low, 1.0)
    worst = np.zeros(table.shape[1])
    whole = hypervolume(scaled, worst)
    return np.asarray(100.0 * hypervolume_course(scaled[list(rows)], worst) / whole)


def bootstrap(values: npt.ArrayLike, *, rng: np.random.Generator) -> tuple[float, float]:
    """Return the 5 % and 95 % quantiles of the mean of resampled values."""
    known = np.asarray(values, dtype=np.float64)
    means = rng.choice(known, size=(RESAMPLES, len(known))).mean(axis=1)
    low, high = np.quantile(means, [0.05, 0.95])
    return float(low), float(high)


def summary(
    replays: Sequence[Sequence[int]],
    top: npt.ArrayLike,
    *,
    cpu_seconds: Sequence[float],
    rng: np.random.Generator,
) -> Summary:
    """Return what several replays on one pool amount to.

    Parameters
    ----------
    replays : rows in the order of their evaluation, one sequence a seed.
    cpu_seconds : of every suggestion in all replays.
    """
    areas = [area(rows, top) for rows in replays]
    low, high = bootstrap(areas, rng=rng)
    return Summary(
        area=float(np.mean(areas)),
        low=low,
        high=high,
        first_hit=float(np.median([first_hit(rows, top) for rows in replays])),
        found=float(np.mean([found(rows, top)[-1] for rows in replays])),
        cpu_seconds=float(np.median(cpu_seconds)) if len(cpu_seconds) else 0.0,
        n_seeds=len(replays),
    )
