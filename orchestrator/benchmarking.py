"""A planner replayed on a table of finished experiments, seed by seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from orchestrator.errors import CampaignError
from orchestrator.registry import planner_factory
from planners.benchmarking import (
    RecordedPool,
    Replay,
    Summary,
    random_area,
    random_first_hit,
    replay,
    starts,
    summary,
    top_rows,
)
from planners.protocols import Planner


@dataclass(frozen=True, slots=True)
class Bench:
    """What is replayed.

    Attributes
    ----------
    planner : name of a registered planner.
    settings : its settings; the seed of a replay is added as a campaign adds its own.
    n_seeds : replays, with the seeds 0, 1, …
    budget : evaluations in a replay, the random ones included.
    n_starts : random evaluations first, the same for every planner by seed.

    Raises
    ------
    CampaignError
        The numbers do not fit the pool, or there is no such planner.
    """

    pool: RecordedPool
    planner: str
    settings: Mapping[str, object]
    n_seeds: int
    budget: int
    n_starts: int

    def __post_init__(self) -> None:
        if self.n_seeds < 1:
            raise CampaignError(f"{self.n_seeds} seeds were asked for; at least 1 is needed")
        if not 1 <= self.n_starts < self.budget <= len(self.pool):
            raise CampaignError(
                f"a budget of {self.budget} evaluations with {self.n_starts} random ones was asked "
                f"for; the pool has {len(self.pool)} candidates, so 1 <= init < budget <= "
                f"{len(self.pool)} is needed. Change --budget or --init"
            )
        self.make(0)

    def make(self, seed: int) -> Planner:
        """Return the planner of one replay."""
        try:
            return planner_factory(self.planner)({"seed": seed, **self.settings})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise CampaignError(
                f"the planner {self.planner!r} does not take the setting {where!r}: "
                f"{first['msg']}. Correct or remove it from --set"
            ) from error

    def replays(self, told: Callable[[], None] = lambda: None) -> Iterator[Replay]:
        """Yield the replay of each seed.

        Parameters
        ----------
        told : called after each suggestion.

        Raises
        ------
        PlanningError
            The planner cannot serve the pool, or broke its contract.
        """
        for seed in range(self.n_seeds):
            given = starts(len(self.pool), self.n_starts, rng=np.random.default_rng(seed))
            yield replay(
                self.make(seed),
                self.pool.space,
                self.pool.objective,
                answer=self.pool.answer,
                given=given,
                budget=self.budget,
                rng_at=lambda n, seed=seed: np.random.default_rng([seed, n]),  # type: ignore[misc]
                told=told,
            )

    def found(self, replays: Sequence[Replay]) -> Found:
        """Return what finished replays amount to, beside choice at random."""
        top = top_rows(self.pool.gains)
        return Found(
            planner=summary(
                [r.rows for r in replays],
                top,
                cpu_seconds=[s for r in replays for s in r.cpu_seconds],
                rng=np.random.default_rng(0),
            ),
            n_top=len(top),
            random_area=random_area(len(self.pool), self.budget),
            random_first_hit=random_first_hit(len(self.pool), len(top)),
        )


@dataclass(frozen=True, slots=True)
class Found:
    """One planner on one pool, beside what choice at random gives exactly.

    Attributes
    ----------
    n_top : candidates that count as the best.
    random_area : expected area of choice at random, per cent.
    random_first_hit : its median evaluation of the first hit.
    """

    planner: Summary
    n_top: int
    random_area: float
    random_first_hit: int


def as_record(
    bench: Bench, found: Found, replays: Sequence[Replay], path: Path
) -> dict[str, object]:
    """Return what `--json` writes: the question, the numbers, and the rows of every replay."""
    return {
        "pool": str(path),
        "target": bench.pool.objective.targets[0].quantity,
        "goal": bench.pool.objective.targets[0].goal,
        "candidates": len(bench.pool),
        "planner": bench.planner,
        "settings": dict(bench.settings),
        "budget": bench.budget,
        "init": bench.n_starts,
        "found": asdict(found),
        "replays": [{"seed": i, **asdict(r)} for i, r in enumerate(replays)],
    }
