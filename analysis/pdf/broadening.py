"""How pairs of atoms blur: thermal motion, its correlation, the instrument, the end of a grain.

Importing this file imports torch.
"""

from __future__ import annotations

import torch

LEAST_VARIANCE = 1e-4
"""Variance [Å²] of a pair that strongly correlated motion would otherwise make vanish."""


def pair_variance(
    r: torch.Tensor,
    mean_square: torch.Tensor,
    *,
    delta1: torch.Tensor | float = 0.0,
    delta2: torch.Tensor | float = 0.0,
    q_broad: torch.Tensor | float = 0.0,
) -> torch.Tensor:
    """Return the variance [Å²] of pair distances.

    σ² = (Uᵢ + Uⱼ) (1 − δ₁/r − δ₂/r² + Q_broad² r²), at least `LEAST_VARIANCE`; atoms close to each
    other move together (Jeong et al. 1999, doi:10.1021/jp9836978; Farrow et al. 2007,
    doi:10.1088/0953-8984/19/33/335219).

    Parameters
    ----------
    r : distances [Å].
    mean_square : Uᵢ + Uⱼ [Å²], the shape of `r` or one that broadcasts.
    delta1, delta2 : of correlated motion [Å, Å²].
    q_broad : broadening by the resolution in Q [1/Å].
    """
    correlation = 1 - delta1 / r - delta2 / r**2 + (q_broad * r) ** 2
    return torch.clamp(mean_square * correlation, min=LEAST_VARIANCE)


def damping(r: torch.Tensor, q_damp: torch.Tensor | float) -> torch.Tensor:
    """Return exp(−(Q_damp r)²/2): the envelope that the resolution in Q [1/Å] gives G(r)."""
    return torch.exp(-0.5 * (q_damp * r) ** 2)


def sphere_envelope(r: torch.Tensor, diameter: torch.Tensor | float) -> torch.Tensor:
    """Return 1 − (3/2) r/d + (1/2) (r/d)³, zero beyond d: the share of pairs left in a sphere.

    References
    ----------
    Howell, Proffen & Conradson (2006), doi:10.1103/PhysRevB.73.094107.
    """
    x = torch.clamp(r / diameter, max=1.0)
    return 1 - 1.5 * x + 0.5 * x**3
