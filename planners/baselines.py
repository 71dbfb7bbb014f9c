"""Planners without a model: the honest comparison for every clever one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from planners.objective import Objective
from planners.parameters import Value
from planners.proposal import Observation, Proposal, Reason
from planners.sampling import draw_sobol, draw_uniform
from planners.space import Point, SearchSpace


class BaselineSettings(BaseModel):
    """Settings of `random` and `sobol`.

    Attributes
    ----------
    seed : scrambles the Sobol' sequence; it must stay the same through a campaign, so a campaign
        fills in a number drawn from its own seed. `random` draws from `rng` and ignores it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=0, ge=0)


class RandomPlanner:
    """Draws feasible points uniformly at random."""

    name = "random"
    serves_phase_maps = True

    def propose(
        self,
        space: SearchSpace,
        objective: Objective,  # noqa: ARG002  a baseline does not look at what is wanted
        *,
        observations: Sequence[Observation],
        pending: Sequence[Point] = (),
        n: int = 1,
        rng: np.random.Generator,
    ) -> list[Proposal]:
        """Return `n` untried points drawn from `rng`. See `Planner.propose`."""
        tried = tried_points(observations, pending)
        reason = Reason(planner=self.name, text="Drawn uniformly at random from what is untried.")
        points = draw_uniform(space, n, rng=rng, avoid=tried)
        return [Proposal(values=point, reason=reason) for point in points]


class SobolPlanner:
    """Fills the space evenly with a scrambled Sobol' sequence.

    The position in the sequence is the number of observations plus pending points, so nothing
    needs to be remembered between calls.
    """

    name = "sobol"
    serves_phase_maps = True

    def __init__(self, settings: BaselineSettings) -> None:
        self.settings = settings

    def propose(
        self,
        space: SearchSpace,
        objective: Objective,  # noqa: ARG002  a baseline does not look at what is wanted
        *,
        observations: Sequence[Observation],
        pending: Sequence[Point] = (),
        n: int = 1,
        rng: np.random.Generator,  # noqa: ARG002  the sequence is fixed by the seed
    ) -> list[Proposal]:
        """Return the next `n` points of the sequence. See `Planner.propose`."""
        tried = tried_points(observations, pending)
        points = draw_sobol(space, n, seed=self.settings.seed, skip=len(tried), avoid=tried)
        return [
            Proposal(
                values=point,
                reason=Reason(
                    planner=self.name,
                    text=f"Point {len(tried) + i + 1} of a scrambled Sobol' sequence, "
                    "which fills the space evenly.",
                ),
            )
            for i, point in enumerate(points)
        ]


def tried_points(
    observations: Sequence[Observation], pending: Sequence[Point]
) -> list[Mapping[str, Value]]:
    """Return every point that was made or is under way, oldest first."""
    return [o.values for o in observations] + list(pending)


def make_random(settings: Mapping[str, object]) -> RandomPlanner:
    """Return the planner `random`; its settings are those of `BaselineSettings`."""
    BaselineSettings.model_validate(dict(settings))
    return RandomPlanner()


def make_sobol(settings: Mapping[str, object]) -> SobolPlanner:
    """Return the planner `sobol`; its settings are those of `BaselineSettings`."""
    return SobolPlanner(BaselineSettings.model_validate(dict(settings)))
