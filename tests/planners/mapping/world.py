"""A square of two settings with three regions, each with a pattern and a property of its own."""

from __future__ import annotations

from functools import cache

import numpy as np

from planners import CandidateList, Objective, Observation, SearchSpace, Target
from planners.columns import Array
from planners.objective import PhaseMapWish
from planners.structure import Answer, Reading, Structure

COLUMNS = ("iron", "nickel")
OBJECTIVE = Objective(
    targets=(Target(quantity="hardness", goal="maximize"),), phase_map=PhaseMapWish()
)
PATTERNS = np.array(
    [[1.0, 0.8, 0.1, 0.0, 0.2, 0.0], [0.0, 0.2, 0.1, 1.0, 0.9, 0.4], [0.3, 0.0, 1.0, 0.2, 0.0, 0.9]]
)


@cache
def places() -> Array:
    return np.random.default_rng(7).uniform(size=(120, 2))


def space() -> SearchSpace:
    rows = tuple(tuple(map(float, row)) for row in places())
    return SearchSpace(candidates=CandidateList(columns=COLUMNS, rows=rows))


def region_at(x: Array) -> Array:
    """Return the region of each place: two below a bent border, one above it, (n,)."""
    above = x[:, 1] > 0.55 + 0.1 * np.sin(6 * x[:, 0])
    return np.where(above, 2, (x[:, 0] > 0.5).astype(int))


def hardness(x: Array) -> Array:
    """Return a property that jumps at borders and has its best place in region 1."""
    levels = np.array([0.0, 1.0, 0.5])[region_at(x)]
    return np.asarray(levels + 0.3 * np.exp(-((x - np.array([0.8, 0.2])) ** 2).sum(axis=1) / 0.05))


def read(region: int, rng: np.random.Generator, *, p_wrong: float = 0.0) -> Structure:
    """Return what an agent reads: a pattern of six channels, and the phase."""
    channels = PATTERNS[region] + 0.03 * rng.standard_normal(6)
    told = np.full(3, 0.02) + 0.94 * np.eye(3)[region]
    return Structure(
        numbers={
            f"xrd.channel.{k}": Reading(value=float(v), std=0.03, p_wrong=p_wrong)
            for k, v in enumerate(channels)
        },
        answers={
            "xrd.class": Answer(
                probabilities={f"phase {k}": float(p) for k, p in enumerate(told)}, p_wrong=p_wrong
            )
        },
    )


def observed(
    row: int, *, seen_as: int | None = None, p_wrong: float = 0.0, at: Array | None = None
) -> Observation:
    """Return the experiment at a place, its structure read as that of another region if asked."""
    x = places()[row] if at is None else at
    region = int(region_at(x[None])[0]) if seen_as is None else seen_as
    return Observation(
        values=dict(zip(COLUMNS, map(float, x), strict=True)),
        outcomes={"hardness": float(hardness(x[None])[0])},
        structure=read(region, np.random.default_rng(row), p_wrong=p_wrong),
    )
