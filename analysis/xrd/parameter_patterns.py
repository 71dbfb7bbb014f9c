"""Simulated patterns of a `World`, in batches, drawn without end.

As in Dong et al. (2021, doi:10.1038/s41524-021-00542-4): random scales, cells and sizes, a
Chebyshev background of the second degree, Poisson counts. Importing this file imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.polynomial import chebyshev
from numpy.typing import NDArray
from torch import Tensor

from analysis.xrd.rapid import RapidColumns

FloatArray = NDArray[np.float64]
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Conditions:
    """How patterns are measured, and what is in them.

    Attributes
    ----------
    absent : probability that a phase is not there; one always is.
    evenness : of the Dirichlet distribution of the phases' shares of the Bragg intensity.
    background : mean background over the mean Bragg intensity, log-uniform.
    bend : standard deviation of the background's higher coefficients over its mean.
    order : of the Chebyshev background.
    counts : at the highest point, log-uniform.
    """

    absent: float = 0.2
    evenness: float = 1.5
    background: Span = (0.1, 2.0)
    bend: float = 0.25
    order: int = 2
    counts: Span = (3e3, 1e5)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A batch of simulated patterns and what they are made of.

    Attributes
    ----------
    counts : (n, n_points).
    z : (n, n_numbers).
    fractions : (n, n_phases) weight fractions, each row sums to 1.
    visibility : (n, n_phases) signal over counting noise, in quadrature over all points.
    """

    counts: Tensor
    z: Tensor
    fractions: Tensor
    visibility: Tensor


def draw_patterns(
    columns: RapidColumns, n: int, *, conditions: Conditions, rng: np.random.Generator
) -> Drawn:
    """Return `n` simulated patterns."""
    world = columns.world
    z = torch.as_tensor(rng.uniform(-1, 1, (n, len(world.numbers))), dtype=torch.float32)
    values = columns.values(z)
    shares = draw_shares(n, len(world.crystals), conditions=conditions, rng=rng)
    scales = torch.as_tensor(shares, dtype=torch.float32) / values.mean(dim=2)
    parts = values.clamp_min(0) * scales[:, :, None]
    bragg = parts.sum(dim=1).numpy().astype(np.float64)
    counts, scale = measured(bragg, conditions=conditions, rng=rng)
    found = torch.as_tensor(counts, dtype=torch.float32)
    signal = parts * torch.as_tensor(scale, dtype=torch.float32)[:, :, None]
    visibility = (signal**2 / found.clamp_min(1.0)[:, None]).sum(dim=2).sqrt()
    return Drawn(found, z, scales / scales.sum(dim=1, keepdim=True), visibility)


def draw_shares(
    n: int, n_phases: int, *, conditions: Conditions, rng: np.random.Generator
) -> FloatArray:
    """Return shares of the Bragg intensity, (n, n_phases), each row of sum 1."""
    there = rng.random((n, n_phases)) >= conditions.absent
    there[np.arange(n), rng.integers(n_phases, size=n)] = True
    amounts = rng.gamma(conditions.evenness, size=(n, n_phases)) * there
    return np.asarray(amounts / amounts.sum(axis=1, keepdims=True), dtype=np.float64)


def measured(
    bragg: FloatArray, *, conditions: Conditions, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return counts with background, (n, n_points), and counts per unit of `bragg`, (n, 1).

    Parameters
    ----------
    bragg : (n, n_points) noise-free Bragg intensity, each with a positive mean.
    """
    n, n_points = bragg.shape
    coefficients = rng.normal(0.0, conditions.bend, (n, conditions.order + 1))
    coefficients[:, 0] = 1.0
    shape = chebyshev.chebval(np.linspace(-1.0, 1.0, n_points), coefficients.T)
    level = _log_uniform(conditions.background, n, rng)
    whole = bragg + np.maximum(shape, 0.1) * level * bragg.mean(axis=1, keepdims=True)
    highest = _log_uniform(conditions.counts, n, rng)
    scale = highest / whole.max(axis=1, keepdims=True)
    return rng.poisson(whole * scale).astype(np.float64), scale


def _log_uniform(span: Span, n: int, rng: np.random.Generator) -> FloatArray:
    """Return (n, 1) numbers whose logarithms are uniform between two positive ends."""
    return np.exp(rng.uniform(float(np.log(span[0])), float(np.log(span[1])), (n, 1)))
