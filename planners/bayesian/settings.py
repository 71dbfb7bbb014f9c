"""Settings of the Bayesian planner."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from planners.bayesian.goals.fidelity import Fidelity
from planners.costs import CostModel
from planners.earlier import EarlierCampaign
from planners.finite import table_of
from planners.parameters import CategoricalParameter
from planners.space import SearchSpace


class BayesianSettings(BaseModel):
    """What may be set in a campaign file under the planner `bayesian`.

    Attributes
    ----------
    n_initial : experiments that fill the space evenly before a model steers; by default one more
        than the space has names, at most 8. In a finite space at most 4, but enough to try every
        other category of the richest categorical parameter without descriptors, at most 8. An
        earlier campaign that foretells the first three well ends the filling early, unless the
        number is set here.
    acquisition : ``auto`` takes an upper confidence bound in finite spaces, where several good
        candidates are wanted, and ``log_nei`` elsewhere: the logarithm of the noisy expected
        improvement (Ament et al. 2023, arXiv:2310.20708), with the objective ``front`` its
        hypervolume form. ``upper_bound`` is for finite spaces without bounds on outcomes.
    n_candidates : random points scored before the best are refined, in spaces that cannot be
        enumerated.
    n_starts : how many of them are refined with gradients.
    n_samples : quasi-random draws from the posterior; a power of two.
    n_alternatives : runners-up stored with each proposal.
    cost : prices by which the expected improvement is divided; without them all experiments count
        as equally dear.
    fidelity : the setting that says how good a measurement is, and the value at which the answer
        counts; with `cost` cheap measurements are taken where they tell enough.
    surrogate : ``gp`` is one Gaussian process a quantity; ``ensemble`` adds trees, weighted by what
        each foretells, in finite spaces; ``saas`` is a fully Bayesian process that believes few
        names matter, in other spaces. ``auto`` takes trees where the process predicts badly, and
        ``saas`` for more than 12 names and up to 100 experiments, at one to three seconds each.
    trust_region : search only in a box around the best experiment that grows with success and
        shrinks without (Eriksson et al. 2019, arXiv:1910.01739), in spaces that are not finite;
        ``auto`` does so beyond 100 experiments.
    seek_level : while the `value` of a target that is maximised or minimised is not reached, only
        what exceeds it counts as improvement. It pays where only a small part of the space can
        reach the level (``benchmarks/insight_twins.py``).
    learn_from : earlier campaigns from which to learn, by name or identifier.
    earlier : what those campaigns searched and found; a campaign fills it in from its store.
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
    cost: CostModel | None = None
    fidelity: Fidelity | None = None
    surrogate: Literal["auto", "gp", "saas", "ensemble"] = "auto"
    trust_region: Literal["auto"] | bool = "auto"
    seek_level: bool = False
    learn_from: tuple[str, ...] = ()
    earlier: tuple[EarlierCampaign, ...] = Field(default=(), repr=False)
    seed: int = Field(default=0, ge=0)

    def initial_for(self, space: SearchSpace) -> int:
        """Return how many experiments come before the model in this space."""
        if self.n_initial is not None:
            return self.n_initial
        if table_of(space) is None:
            return min(len(space.names) + 1, MAX_INITIAL)
        richest = max((len(p.categories) for p in _one_hot(space)), default=0)
        return min(max(min(len(space.names) + 1, MAX_OF_NAMES), richest // 2 + 1), MAX_INITIAL)


def _one_hot(space: SearchSpace) -> list[CategoricalParameter]:
    """Return the parameters of whose categories a model knows nothing but what was tried."""
    return [
        p for p in space.parameters if isinstance(p, CategoricalParameter) and not p.is_described
    ]


MAX_OF_NAMES, MAX_INITIAL = 4, 8
