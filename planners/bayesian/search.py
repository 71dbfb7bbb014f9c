"""Where an acquisition function is highest: exactly over a finite space, else by refined sampling.

A finite space needs no torch; the refinement of samples does, and imports it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
import numpy.typing as npt

from planners.bayesian.circling import nearest
from planners.bayesian.settings import BayesianSettings
from planners.bayesian.trust_region import Box, perturbations
from planners.encoding import Array, Encoding
from planners.errors import NothingLeftToPropose
from planners.finite import Key, PointTable, key_of, untried_rows
from planners.parameters import Value
from planners.sampling import draw_uniform
from planners.space import Point

if TYPE_CHECKING:
    from planners.bayesian.acquisition import Acquisition

logger = logging.getLogger(__name__)

JITTERS = (0.02, 0.05, 0.15)
"""Standard deviations, in unit-cube coordinates, of the points drawn around good experiments."""

PER_JITTER = 12
N_PROMISING = 48
"""Best-scored points that are handed on for the outlook."""

N_INSIDE = 1024
"""Points drawn in a box."""

NEIGHBOUR_ROUNDS = 3
TOO_NEAR = 0.005
"""Root-mean-square distance per column under which a point repeats a failed or pending one."""


Last = Callable[[Array], npt.NDArray[np.bool_]]
"""Takes coordinates, shape (n_points, n_columns); tells which come after all others."""


class Scoring(Protocol):
    """An acquisition function, whoever computes it."""

    @property
    def name(self) -> str:
        """How a reason names it."""
        ...

    @property
    def log_unit(self) -> float:
        """What makes a value the logarithm of an improvement in units of utility, when added."""
        ...

    def score(self, x: Array) -> Array:
        """Return the value at each row of coordinates, shape (n_points,)."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """A feasible point with its coordinates and its acquisition value.

    Attributes
    ----------
    last : whether it comes after all that do not, whatever its value.
    """

    point: dict[str, Value]
    x: Array
    value: float
    last: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes
    ----------
    choices : the best point and then its runners-up.
    promising : coordinates of the best-scored points, best first, shape (m, n_columns).
    """

    choices: list[Choice]
    promising: Array


def best_choices(
    encoding: Encoding,
    acquisition: Scoring,
    *,
    tried: Sequence[Point],
    keep_away: Array,
    last: Last | None = None,
    centres: Array,
    settings: BayesianSettings,
    within: Box | None = None,
    rng: np.random.Generator,
) -> Found:
    """Return the best point and then its runners-up, best first.

    A candidate list, and a grid of up to `ENUMERATION_LIMIT` points, is scored row by row. Any
    other space is sampled; the best samples are refined with gradients over the continuous
    coordinates and by single moves over the discrete ones.

    Parameters
    ----------
    tried : points that must not come again.
    keep_away : coordinates near which nothing is proposed in a continuous space, shape (n, d).
    last : tells which points come after all others in a space that is not finite.
    centres : coordinates of good experiments, around which samples are added, shape (n, d).
    within : box in which a space that is not finite is searched, the whole space if None or if no
        new feasible point is found there.

    Raises
    ------
    NothingLeftToPropose
        No untried point remains.
    """
    count = 1 + settings.n_alternatives
    table = encoding.table
    if table is not None:
        return _scan(encoding, table, acquisition, tried=tried, count=count)
    sampled = cast("Acquisition", acquisition)  # whatever searches a sampled space is BoTorch's
    if within is not None:
        pool = _Pool(encoding, sampled, tried, keep_away, last)
        if pool.add(_inside(encoding, within, rng=rng)):
            ranked = _improve(encoding, sampled, pool, n_starts=settings.n_starts, box=within)
            return Found(_spread(ranked, count), np.array([c.x for c in ranked[:N_PROMISING]]))
        logger.info("no new feasible point in the box, the whole space is searched")
    pool = _Pool(encoding, sampled, tried, keep_away, last)
    pool.add(
        draw_uniform(encoding.space, settings.n_candidates, rng=rng, avoid=tried, at_least=1)
        + _around(encoding, centres, rng=rng)
    )
    ranked = _improve(encoding, sampled, pool, n_starts=settings.n_starts)
    if not ranked:
        raise NothingLeftToPropose(
            f"none of the {settings.n_candidates} points drawn is new; widen the space or its "
            "constraints, or end the campaign"
        )
    promising = np.array([c.x for c in ranked[:N_PROMISING]])
    return Found(_spread(ranked, count), promising)


def _improve(
    encoding: Encoding,
    acquisition: Acquisition,
    pool: _Pool,
    *,
    n_starts: int,
    box: Box | None = None,
) -> list[Choice]:
    """Refine the best of a pool by gradients, then by single moves; return it ranked."""
    # Here, since it imports torch, which a finite space does not need.
    from planners.bayesian.refine import neighbours, refine

    best = [c.x for c in pool.ranked()[:n_starts]]
    starts = np.array(best).reshape(len(best), -1)
    if box is not None:
        starts = np.clip(starts, box.lower, box.upper)  # snapping may have left it
    pool.add(refine(encoding, acquisition, starts, within=box))
    for _ in range(NEIGHBOUR_ROUNDS):
        ranked = pool.ranked()
        if not ranked or not pool.add(neighbours(encoding, ranked[0].point)):
            break
        if pool.ranked()[0] is ranked[0]:
            break
    return pool.ranked()


class _Pool:
    """Scored points, each once, without those that repeat an experiment."""

    def __init__(
        self,
        encoding: Encoding,
        acquisition: Acquisition,
        tried: Sequence[Point],
        keep_away: Array,
        last: Last | None,
    ) -> None:
        self._encoding = encoding
        self._acquisition = acquisition
        self._seen: set[Key] = {key_of(encoding.space, p) for p in tried}
        self._keep_away, self._last = keep_away, last
        self._choices: list[Choice] = []

    def add(self, points: Sequence[dict[str, Value]]) -> bool:
        """Score the new ones among points; return whether there were any."""
        fresh: list[dict[str, Value]] = []
        for point in points:
            key = key_of(self._encoding.space, point)
            if key not in self._seen:
                self._seen.add(key)
                fresh.append(point)
        if not fresh:
            return False
        x = self._encoding.encode(fresh)
        values = self._acquisition.score(x)
        allowed = np.isfinite(values) & (nearest(x, self._keep_away) > TOO_NEAR)
        last = np.zeros(len(x), dtype=np.bool_) if self._last is None else self._last(x)
        self._choices += [
            Choice(p, row, float(v), bool(late))
            for p, row, v, ok, late in zip(fresh, x, values, allowed, last, strict=True)
            if ok
        ]
        return bool(allowed.any())

    def ranked(self) -> list[Choice]:
        """Return the choices, best first, the late ones after; ties in the order they came."""
        return sorted(self._choices, key=lambda c: (c.last, -c.value))


def _scan(
    encoding: Encoding,
    table: PointTable,
    acquisition: Scoring,
    *,
    tried: Sequence[Point],
    count: int,
) -> Found:
    rows = untried_rows(encoding.space, table, tried)
    values = acquisition.score(table.encoded[rows])
    values = np.where(np.isnan(values), -np.inf, values)
    order = np.argsort(-values, kind="stable")[: max(count, N_PROMISING)]
    choices = [
        Choice(table.point(int(rows[i])), table.encoded[rows[i]], float(values[i]))
        for i in order[:count]
    ]
    return Found(choices, table.encoded[rows[order]])


def _inside(encoding: Encoding, box: Box, *, rng: np.random.Generator) -> list[dict[str, Value]]:
    """Return feasible points in a box."""
    fixed = np.zeros(len(encoding.columns), dtype=np.bool_)
    fixed[encoding.n_settings :] = True
    return encoding.snap_feasible(perturbations(box, n=N_INSIDE, rng=rng, fixed=fixed))


def _around(
    encoding: Encoding, centres: Array, *, rng: np.random.Generator
) -> list[dict[str, Value]]:
    """Return feasible points scattered around coordinates; those that break a constraint drop."""
    if not len(centres):
        return []
    free = np.array([c.category is None for c in encoding.columns], dtype=np.float64)
    clouds = [
        np.clip(centre + width * free * rng.standard_normal((PER_JITTER, len(free))), 0.0, 1.0)
        for centre in centres
        for width in JITTERS
    ]
    return encoding.snap_feasible(np.concatenate(clouds))


def _spread(ranked: list[Choice], count: int) -> list[Choice]:
    """Return the best choice and runners-up that differ visibly from those before them."""
    chosen = [ranked[0]]
    for choice in ranked[1:]:
        if len(chosen) == count:
            break
        if all(float(((choice.x - c.x) ** 2).mean()) > 0.05**2 for c in chosen):
            chosen.append(choice)
    return chosen
