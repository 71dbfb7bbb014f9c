"""Several Gaussian processes as one BoTorch model.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from botorch.acquisition.objective import PosteriorTransform
from botorch.models.model import Model
from botorch.posteriors import GPyTorchPosterior
from gpytorch.distributions import MultitaskMultivariateNormal, MultivariateNormal
from torch import Tensor

from planners.bayesian.gaussian_process import JITTER, GaussianProcess
from planners.bayesian.transfer import Corrected
from planners.bayesian.weighing import Mixture


class BlendedModel(Model):  # type: ignore[misc]
    """Mixtures of processes, one an output, each taken as normal with the mixture's joint moments.

    The same numbers as `Mixture.joint`, with gradients; the outputs are independent. Fitted
    already: it takes no training.
    """

    def __init__(self, mixtures: Sequence[Mixture], *, widenings: Sequence[float]) -> None:
        """Take over mixtures.

        Parameters
        ----------
        widenings : factor of every standard deviation, one a mixture.
        """
        super().__init__()
        self._outputs = [_Output(m, w) for m, w in zip(mixtures, widenings, strict=True)]

    @property
    def num_outputs(self) -> int:
        """One a mixture."""
        return len(self._outputs)

    @property
    def batch_shape(self) -> torch.Size:
        """No batches of models."""
        return torch.Size([])

    def posterior(
        self,
        X: Tensor,  # noqa: N803
        output_indices: list[int] | None = None,
        observation_noise: bool | Tensor = False,  # noqa: ARG002  the value itself is wanted
        posterior_transform: PosteriorTransform | None = None,
    ) -> Any:
        """Return the joint posterior at points, shape (..., q, n_columns), without noise."""
        wanted = range(len(self._outputs)) if output_indices is None else output_indices
        told = [self._outputs[i].told(X) for i in wanted]
        normal = (
            told[0] if len(told) == 1 else MultitaskMultivariateNormal.from_independent_mvns(told)
        )
        posterior = GPyTorchPosterior(normal)
        return posterior if posterior_transform is None else posterior_transform(posterior)


class _Output:
    """One mixture in torch."""

    def __init__(self, mixture: Mixture, widening: float) -> None:
        self._weights = torch.as_tensor(mixture.weights, dtype=torch.float64)
        self._members = [
            _Member(m) if isinstance(m, GaussianProcess) else _CorrectedMember(m)
            for m in mixture.members
            if isinstance(m, GaussianProcess | Corrected)
        ]
        self._widening = widening
        if len(self._members) != len(mixture.members):
            raise TypeError(
                "a mixture with models other than Gaussian processes has no gradients for BoTorch; "
                "score its points one by one"
            )

    def told(self, x: Tensor) -> MultivariateNormal:
        """Return the distribution of the values at points, shape (..., q)."""
        parts = [m.joint(x) for m in self._members]
        means = torch.stack([mean for mean, _ in parts])
        weights = self._weights.reshape(-1, *[1] * (means.dim() - 1))
        mean = (weights * means).sum(dim=0)
        apart = (means - mean).unsqueeze(-1)
        covariance = torch.stack([c for _, c in parts]) + apart @ apart.mT
        covariance = self._widening**2 * (weights.unsqueeze(-1) * covariance).sum(dim=0)
        floor = JITTER * torch.eye(x.shape[-2], dtype=x.dtype)
        return MultivariateNormal(mean, covariance + floor)


class _Member:
    """One process in torch."""

    def __init__(self, process: GaussianProcess) -> None:
        def tensor(values: object) -> Tensor:
            return torch.as_tensor(values, dtype=torch.float64)

        self._scales = tensor(process.parameters.lengths[process.groups])
        self._x = tensor(process.x) / self._scales
        self._factor, self._weights = tensor(process.factor), tensor(process.weights)
        self.signal, self._mean = process.parameters.signal, process.parameters.mean

    def joint(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean, (..., q), and covariance, (..., q, q)."""
        scaled = x / self._scales
        cross = self._kernel(scaled, self._x)
        half = torch.linalg.solve_triangular(self._factor, cross.mT, upper=False)
        return (
            self._mean + cross @ self._weights,
            self._kernel(scaled, scaled) - half.mT @ half,
        )

    def _kernel(self, a: Tensor, b: Tensor) -> Tensor:
        square = ((a.unsqueeze(-2) - b.unsqueeze(-3)) ** 2).sum(dim=-1)
        r = (5.0 * square + 1e-18).sqrt()  # the root has no slope at zero
        return self.signal * (1.0 + r + r**2 / 3.0) * torch.exp(-r)


class _CorrectedMember:
    """An earlier process and what differs from it, in torch; the numbers of `Corrected.joint`."""

    def __init__(self, corrected: Corrected) -> None:
        self._earlier, self._difference = map(_Member, (corrected.earlier, corrected.difference))

    def joint(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean, (..., q), and covariance, (..., q, q)."""
        mean, covariance = self._earlier.joint(x)
        more, left = self._difference.joint(x)
        variance = left.diagonal(dim1=-2, dim2=-1).clamp_min(1e-12)
        share = (variance / self._difference.signal).sqrt().unsqueeze(-1)
        return mean + more, left + covariance * (share @ share.mT)
