"""The planner `bayesian` with the goal-seeking rule of `structure`, to see what that is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planners import Objective, Observation, Proposal, SearchSpace
from planners.bayesian.goals.serving import first_experiments
from planners.bayesian.planner import BayesianPlanner
from planners.bayesian.surrogate import fit_surrogates
from planners.encoding import Encoding
from planners.space import Point
from planners.structural.sampling import is_sought, sampled


class SeekingPlanner(BayesianPlanner):
    """Improves beyond the level that is asked for until it is reached; sees quantities alone."""

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
        """Return `n` points to try next, best first. See `Planner.propose`."""
        encoding = Encoding(space)
        if len(observations) >= first_experiments(encoding, objective, self.settings):
            surrogates = fit_surrogates(encoding, objective, observations)
            if is_sought(objective, surrogates, encoding.encode_observations(observations)):
                return sampled(
                    encoding,
                    objective,
                    surrogates,
                    success=None,
                    observations=observations,
                    pending=pending,
                    n=n,
                    settings=self.settings,
                    rng=rng,
                )
        return super().propose(
            space, objective, observations=observations, pending=pending, n=n, rng=rng
        )
