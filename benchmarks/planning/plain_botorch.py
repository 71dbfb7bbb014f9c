"""BoTorch over a candidate list, and nothing of ours in between.

`SingleTaskGP` with one length scale a column and standardised outcomes, inputs normalised to the
list, LogExpectedImprovement over every untried row; for a front
qLogNoisyExpectedHypervolumeImprovement with the reference point that BoTorch infers. The kernel is
a Matérn-5/2 with the gamma priors that were BoTorch's default for years, or today's default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from botorch.acquisition import LogExpectedImprovement
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import ModelListGP, SingleTaskGP
from botorch.models.utils.gpytorch_modules import get_matern_kernel_with_gamma_prior
from botorch.utils.multi_objective.hypervolume import infer_reference_point
from botorch.utils.multi_objective.pareto import is_non_dominated
from gpytorch.mlls import ExactMarginalLogLikelihood
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from planners import Objective, Observation, Point, Proposal, Reason, SearchSpace, UnsupportedSpace
from planners.finite import PointTable, table_of, untried

CHUNK = 1024
"""Rows scored at a time, which bounds the memory."""


class BotorchSettings(BaseModel):
    """Settings of plain BoTorch.

    Attributes
    ----------
    kernel : ``matern`` is an ARD Matérn-5/2 with gamma priors; ``default`` what `SingleTaskGP`
        takes itself, a squared exponential whose prior grows with the dimension (Hvarfner et al.
        2024, arXiv:2402.02229).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kernel: Literal["matern", "default"] = "matern"


class PlainBotorch:
    """The planner `botorch` of the benchmarks; serves candidate lists and small grids."""

    name = "botorch"

    def __init__(self, settings: BotorchSettings) -> None:
        self.settings = settings

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
        """Return `n` untried rows by acquisition value, each pending for the next."""
        table = table_of(space)
        if table is None or objective.constraints:
            raise UnsupportedSpace("plain BoTorch scores finite spaces without outcome constraints")
        tried = [o.values for o in observations] + list(pending)
        left = [int(i) for i in np.flatnonzero(untried(space, table, tried))]
        chosen: list[int] = []
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**31)))
            x = _rows(table, [o.values for o in observations])
            y = _utilities(objective, observations)
            model = self._fitted(x, y, _variances(objective, observations))
            for _ in range(n):
                waiting = torch.cat([_rows(table, pending), _encoded(table, chosen)])
                scores = _score(_acquisition(model, x, y, waiting), _encoded(table, left))
                chosen.append(left.pop(int(scores.argmax())))
        reason = Reason(planner=self.name, text="Best untried row by BoTorch's defaults.")
        return [Proposal(values=table.point(row), reason=reason) for row in chosen]

    def _fitted(self, x: Tensor, y: Tensor, variances: Tensor | None) -> Any:
        models = []
        for j in range(y.shape[1]):
            kernel = None
            if self.settings.kernel == "matern":
                kernel = get_matern_kernel_with_gamma_prior(x.shape[1])
            noise = None if variances is None else variances[:, [j]]
            model = SingleTaskGP(x, y[:, [j]], noise, covar_module=kernel)
            fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
            models.append(model)
        return models[0] if len(models) == 1 else ModelListGP(*models)


def make(settings: Mapping[str, object]) -> PlainBotorch:
    """Return the planner; its settings are those of `BotorchSettings`."""
    return PlainBotorch(BotorchSettings.model_validate(dict(settings)))


def _encoded(table: PointTable, rows: Sequence[int]) -> Tensor:
    return torch.as_tensor(table.encoded[list(rows)], dtype=torch.float64)


def _rows(table: PointTable, points: Sequence[Point]) -> Tensor:
    return _encoded(table, [table.index[tuple(p[n] for n in table.names)] for p in points])


def _utilities(objective: Objective, observations: Sequence[Observation]) -> Tensor:
    columns = [[t.utility(o.outcomes[t.quantity]) for o in observations] for t in objective.targets]
    return torch.tensor(columns, dtype=torch.float64).T


def _variances(objective: Objective, observations: Sequence[Observation]) -> Tensor | None:
    columns = [[o.stds.get(t.quantity, 0.0) ** 2 for o in observations] for t in objective.targets]
    found = torch.tensor(columns, dtype=torch.float64).T
    return found if bool((found > 0).all()) else None


def _acquisition(model: Any, x: Tensor, y: Tensor, waiting: Tensor) -> Any:
    if y.shape[1] > 1:
        front = y[is_non_dominated(y)]
        return qLogNoisyExpectedHypervolumeImprovement(
            model,
            ref_point=infer_reference_point(front, scale=0.1),
            X_baseline=x,
            X_pending=waiting if len(waiting) else None,
            prune_baseline=True,
        )
    if len(waiting):
        return qLogNoisyExpectedImprovement(model, X_baseline=x, X_pending=waiting)
    return LogExpectedImprovement(model, best_f=y.max())


def _score(acquisition: Any, rows: Tensor) -> Tensor:
    with torch.no_grad():
        parts = [acquisition(part.unsqueeze(1)) for part in torch.split(rows, CHUNK)]
    return torch.nan_to_num(torch.cat(parts), nan=-torch.inf)
