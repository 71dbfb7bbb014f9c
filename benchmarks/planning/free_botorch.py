"""BoTorch over a box as its tutorials have it, and nothing of ours in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from botorch.acquisition.logei import qLogExpectedImprovement, qLogNoisyExpectedImprovement
from botorch.acquisition.objective import GenericMCObjective
from botorch.fit import fit_gpytorch_mll
from botorch.models import ModelListGP, SingleTaskGP
from botorch.optim import optimize_acqf
from gpytorch.mlls import ExactMarginalLogLikelihood
from torch import Tensor

from planners import Objective, Observation, Point, Proposal, Reason, SearchSpace


class FreeBotorch:
    """`SingleTaskGP` with its defaults, qLogEI (qLogNEI under bounds), `optimize_acqf`.

    Serves spaces of linear continuous settings without constraints, and one target.
    """

    name = "botorch"

    def propose(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        observations: Sequence[Observation],
        pending: Sequence[Point] = (),  # noqa: ARG002  the harness has none
        n: int = 1,  # noqa: ARG002  the harness asks for one
        rng: np.random.Generator,
    ) -> list[Proposal]:
        """Return the point of highest acquisition value."""
        low = np.array([p.low for p in space.parameters])
        high = np.array([p.high for p in space.parameters])
        values = np.array([[o.values[n] for n in space.names] for o in observations], dtype=float)
        x = torch.as_tensor((values - low) / (high - low))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**31)))
            acquisition = _acquisition(x, objective, observations)
            bounds = torch.tensor([[0.0] * len(low), [1.0] * len(low)], dtype=torch.float64)
            best, _ = optimize_acqf(acquisition, bounds, q=1, num_restarts=10, raw_samples=512)
        point = low + best[0].numpy() * (high - low)
        found = dict(zip(space.names, np.clip(point, low, high).tolist(), strict=True))
        return [Proposal(values=found, reason=Reason(planner=self.name, text="By its defaults."))]


def make(settings: Mapping[str, object]) -> FreeBotorch:  # noqa: ARG001  it has none
    """Return the planner."""
    return FreeBotorch()


def _acquisition(
    x: Tensor, objective: Objective, observations: Sequence[Observation]
) -> qLogExpectedImprovement | qLogNoisyExpectedImprovement:
    target = objective.targets[0]
    sought = [target.utility(o.outcomes[target.quantity]) for o in observations]
    excess = [
        [o.outcomes[c.quantity] - (c.upper or 0.0) for o in observations]
        for c in objective.constraints
    ]
    models = [_fitted(x, values) for values in (sought, *excess)]
    if len(models) == 1:
        return qLogExpectedImprovement(models[0], best_f=max(sought))
    return qLogNoisyExpectedImprovement(
        ModelListGP(*models),
        X_baseline=x,
        objective=GenericMCObjective(lambda z, X=None: z[..., 0]),  # noqa: ARG005, N803
        constraints=[lambda z, i=i: z[..., i] for i in range(1, len(models))],
    )


def _fitted(x: Tensor, values: Sequence[float]) -> SingleTaskGP:
    model = SingleTaskGP(x, torch.tensor(values, dtype=torch.float64).unsqueeze(-1))
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    return model
