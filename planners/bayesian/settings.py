"""Settings of the Bayesian planner."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from planners.space import SearchSpace


class BayesianSettings(BaseModel):
    """What may be set in a campaign file under the planner `bayesian`.

    Attributes
    ----------
    n_initial : experiments that fill the space evenly before a model steers; by default one more
        than the space has names, at most `MAX_DEFAULT_INITIAL`.
    acquisition : ``auto`` takes an upper confidence bound in finite spaces, where several good
        candidates are wanted, and ``log_nei`` elsewhere: the logarithm of the noisy expected
        improvement (Ament et al. 2023, arXiv:2310.20708), with the objective ``front`` its
        hypervolume form. ``upper_bound`` is for finite spaces without bounds on outcomes.
    n_candidates : random points scored before the best are refined, in spaces that cannot be
        enumerated.
    n_starts : how many of them are refined with gradients.
    n_samples : quasi-random draws from the posterior; a power of two.
    n_alternatives : runners-up stored with each proposal.
    seed : scrambles the initial design; it must stay the same through a campaign, so a campaign
        fills in a number drawn from its own seed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_initial: int | None = Field(default=None, ge=1)
    acquisition: Literal["auto", "upper_bound", "log_nei"] = "auto"
    n_candidates: int = Field(default=512, ge=16)
    n_starts: int = Field(default=4, ge=1)
    n_samples: int = Field(default=128, ge=16)
    n_alternatives: int = Field(default=3, ge=0)
    seed: int = Field(default=0, ge=0)

    def initial_for(self, space: SearchSpace) -> int:
        """Return how many experiments come before the model in this space."""
        if self.n_initial is not None:
            return self.n_initial
        return min(len(space.names) + 1, MAX_DEFAULT_INITIAL)


MAX_DEFAULT_INITIAL = 5
