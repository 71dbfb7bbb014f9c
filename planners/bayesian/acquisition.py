"""The acquisition function: BoTorch's noisy expected improvement over the fitted surrogates.

Importing this file imports torch.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from botorch.acquisition import AcquisitionFunction
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
from botorch.acquisition.multi_objective.objective import GenericMCMultiOutputObjective
from botorch.acquisition.objective import GenericMCObjective
from botorch.models import ModelListGP, SingleTaskGP
from botorch.models.model import Model
from botorch.sampling import SobolQMCNormalSampler
from botorch.utils.multi_objective.hypervolume import infer_reference_point
from gpytorch.kernels import MaternKernel, ScaleKernel
from gpytorch.means import ConstantMean
from torch import Tensor

from planners.bayesian.blended_model import BlendedModel
from planners.bayesian.feasibility import LABEL_NOISE, PRIOR_VARIANCE, SuccessModel
from planners.bayesian.surrogate import Surrogate, Surrogates
from planners.bayesian.weighing import Mixture
from planners.encoding import Array
from planners.objective import Objective, OutcomeConstraint, Target

logger = logging.getLogger(__name__)

CHUNK = 1024
"""Points scored at a time; bounds the memory of a list of 20,000 candidates."""

Samples = Callable[..., Tensor]


@dataclass(frozen=True, slots=True)
class Acquisition:
    """A BoTorch acquisition function and the scale that turns its value into utility.

    Attributes
    ----------
    name : qLogNEI or qLogNEHVI.
    function : takes (n_points, q, n_columns), gives (n_points,).
    log_unit : added to a value, it makes the logarithm of an improvement in units of utility.
    """

    name: str
    function: AcquisitionFunction
    log_unit: float

    def score(self, x: Array) -> Array:
        """Return the value at each row of coordinates, shape (n_points,)."""
        rows = torch.as_tensor(x, dtype=torch.float64)
        with torch.no_grad():
            parts = [self.function(part.unsqueeze(1)) for part in torch.split(rows, CHUNK)]
        return np.asarray(torch.cat(parts).numpy(), dtype=np.float64)


def build(
    surrogates: Surrogates,
    objective: Objective,
    *,
    baseline: Array,
    pending: Array,
    success: SuccessModel | None,
    n_samples: int,
    seed: int,
) -> Acquisition:
    """Return the acquisition function for one more experiment.

    Parameters
    ----------
    baseline : coordinates of the experiments that gave outcomes, shape (n, n_columns).
    pending : coordinates under way, shape (n_pending, n_columns); integrated over.
    n_samples : quasi-random draws from the posterior.
    seed : of those draws.
    """
    blended = any(s.blend is not None for s in surrogates.values())
    index = {q: i for i, q in enumerate(surrogates)}
    shared = {
        "model": _model(surrogates),
        "X_baseline": torch.as_tensor(np.unique(baseline, axis=0), dtype=torch.float64),
        "X_pending": torch.as_tensor(pending, dtype=torch.float64) if len(pending) else None,
        "sampler": SobolQMCNormalSampler(torch.Size([n_samples]), seed=seed),
        "constraints": [
            part for c in objective.constraints for part in _excess(c, surrogates, index)
        ]
        or None,
        "prune_baseline": True,
        "cache_root": not blended,
    }
    function: AcquisitionFunction
    if objective.combine == "front" and len(objective.targets) > 1:
        name, log_unit = "qLogNEHVI", 0.0
        function = _hypervolume(surrogates, objective, baseline, index, shared)
    else:
        name = "qLogNEI"
        utility, spread = _weighted(surrogates, objective, baseline, index)
        log_unit = float(np.log(spread))
        function = qLogNoisyExpectedImprovement(objective=GenericMCObjective(utility), **shared)
    if success is not None:
        function = SuccessWeighted(function, success)
    return Acquisition(name=name, function=function, log_unit=log_unit)


@contextmanager
def local_torch(seed: int) -> Iterator[None]:
    """Seed torch inside, restore its state after, and send numerical warnings to the log."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.manual_seed(seed)
        yield
    for text in sorted({str(w.message) for w in caught}):
        logger.debug("while searching: %s", text)


class SuccessWeighted(AcquisitionFunction):  # type: ignore[misc]
    """A logarithmic acquisition function plus ln(probability that every point succeeds)."""

    def __init__(self, function: AcquisitionFunction, success: SuccessModel) -> None:
        super().__init__(model=function.model)
        self.function = function
        self._x = torch.as_tensor(success.x / success.length, dtype=torch.float64)
        self._length = success.length
        self._weights = torch.as_tensor(success.weights, dtype=torch.float64)
        self._inverse = torch.as_tensor(success.inverse, dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        """Return the weighted value, shape (n_points,)."""
        square = ((x.unsqueeze(-2) / self._length - self._x) ** 2).sum(dim=-1)
        r = (5.0 * square + 1e-18).sqrt()  # the root has no slope at zero
        k = PRIOR_VARIANCE * (1.0 + r + r**2 / 3.0) * torch.exp(-r)
        mean = 1.0 + k @ self._weights
        variance = (PRIOR_VARIANCE - ((k @ self._inverse) * k).sum(dim=-1)).clamp_min(0.0)
        chance = torch.special.log_ndtr((mean - 0.5) / (variance + LABEL_NOISE).sqrt())
        return torch.as_tensor(self.function(x) + chance.sum(dim=-1))


def _model(surrogates: Surrogates) -> Model:
    told = list(surrogates.values())
    if any(s.blend is not None for s in told):
        alone = [s.blend or Mixture((s.process,), np.ones(1), ("",)) for s in told]
        return BlendedModel(alone, widenings=[s.record.widening for s in told])
    models = [to_botorch(s) for s in told]
    return models[0] if len(models) == 1 else ModelListGP(*models)


def to_botorch(surrogate: Surrogate) -> SingleTaskGP:
    """Return the process of a surrogate as a BoTorch model of the standardised quantity."""
    process = surrogate.process
    kernel = ScaleKernel(MaternKernel(nu=2.5, ard_num_dims=process.x.shape[1]))
    kernel.base_kernel.lengthscale = torch.as_tensor(
        process.parameters.lengths[process.groups], dtype=torch.float64
    )
    # one factor on signal and noise alike widens what is predicted and moves no mean
    widening = surrogate.record.widening**2
    kernel.outputscale = widening * process.parameters.signal
    mean = ConstantMean()
    mean.constant = process.parameters.mean
    model = SingleTaskGP(
        torch.as_tensor(process.x, dtype=torch.float64),
        torch.as_tensor(process.y, dtype=torch.float64).unsqueeze(-1),
        torch.as_tensor(widening * process.variances, dtype=torch.float64).unsqueeze(-1),
        covar_module=kernel,
        mean_module=mean,
        outcome_transform=None,
    ).double()
    model.requires_grad_(False)
    return model.eval()


def _target(target: Target, surrogate: Surrogate, column: int) -> Callable[[Tensor], Tensor]:
    """Return the utility of one target from samples of its standardised quantity.

    A match is the distance of the *quantity* from its target: the process models the smooth
    quantity, and the kink of the distance is applied to its samples (a composite objective).
    """
    unit = target.scale or target.tolerance or 1.0

    def utility(samples: Tensor) -> Tensor:
        value = surrogate.location + surrogate.scale * samples[..., column]
        if target.goal == "match":
            assert target.value is not None
            return -(value - target.value).abs() / unit
        return value / unit if target.goal == "maximize" else -value / unit

    return utility


def _weighted(
    surrogates: Surrogates, objective: Objective, baseline: Array, index: dict[str, int]
) -> tuple[Samples, float]:
    """Return the utility of samples in units of its spread over the baseline, and that spread.

    BoTorch smooths the maximum over an absolute width; the scaling makes it fit any unit.
    """
    parts = [
        (t.weight, _target(t, surrogates[t.quantity], index[t.quantity])) for t in objective.targets
    ]
    means = _standardised_means(surrogates, baseline)
    spread = float(torch.stack([w * part(means) for w, part in parts]).sum(dim=0).std())
    spread = spread if np.isfinite(spread) and spread > 0 else 1.0

    def utility(samples: Tensor, X: Tensor | None = None) -> Tensor:  # noqa: ARG001, N803
        total = parts[0][0] * parts[0][1](samples)
        for weight, part in parts[1:]:
            total = total + weight * part(samples)
        return total / spread

    return utility, spread


def _hypervolume(
    surrogates: Surrogates,
    objective: Objective,
    baseline: Array,
    index: dict[str, int],
    shared: dict[str, object],
) -> AcquisitionFunction:
    parts = [_target(t, surrogates[t.quantity], index[t.quantity]) for t in objective.targets]
    means = _standardised_means(surrogates, baseline)
    seen = torch.stack([part(means) for part in parts], dim=-1)
    spread = seen.std(dim=0)
    spread = torch.where((spread > 0) & spread.isfinite(), spread, torch.ones_like(spread))

    def utilities(samples: Tensor, X: Tensor | None = None) -> Tensor:  # noqa: ARG001, N803
        return torch.stack([part(samples) for part in parts], dim=-1) / spread

    return qLogNoisyExpectedHypervolumeImprovement(
        ref_point=_reference(seen / spread).tolist(),
        objective=GenericMCMultiOutputObjective(utilities),
        **shared,
    )


def _reference(utilities: Tensor) -> Tensor:
    """Return a point a little worse than the worst end of the front seen so far."""
    better = (utilities.unsqueeze(0) >= utilities.unsqueeze(1)).all(dim=-1)
    strictly = (utilities.unsqueeze(0) > utilities.unsqueeze(1)).any(dim=-1)
    front = utilities[~(better & strictly).any(dim=1)]
    return torch.as_tensor(infer_reference_point(front, scale=0.1))


def _standardised_means(surrogates: Surrogates, x: Array) -> Tensor:
    columns = [s.teller.predict(x)[0] for s in surrogates.values()]
    return torch.as_tensor(np.stack(columns, axis=1), dtype=torch.float64)


def _excess(
    constraint: OutcomeConstraint, surrogates: Surrogates, index: dict[str, int]
) -> list[Callable[[Tensor], Tensor]]:
    """Return how far samples break each bound, negative where they obey (BoTorch's sign)."""
    surrogate, column = surrogates[constraint.quantity], index[constraint.quantity]
    parts: list[Callable[[Tensor], Tensor]] = []
    if constraint.lower is not None:
        low = (constraint.lower - surrogate.location) / surrogate.scale
        parts.append(lambda samples: low - samples[..., column])
    if constraint.upper is not None:
        high = (constraint.upper - surrogate.location) / surrogate.scale
        parts.append(lambda samples: samples[..., column] - high)
    return parts
