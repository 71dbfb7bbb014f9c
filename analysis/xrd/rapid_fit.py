"""Gauss–Newton steps on many patterns at once, from estimates that are already near.

A network proposes, the step disposes: the profile parameters z of a `World`, the phases' scales and
a smooth background are moved together to the minimum of the linearised weighted sum of squares,
with the world's ranges as weak prior knowledge of z. A step is kept where it lowers the sum.
Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from analysis.xrd.background import background_basis
from analysis.xrd.rapid import Columns, RapidColumns
from analysis.xrd.world import World

PRIOR_VARIANCE = 1 / 3
"""Of z, uniform between −1 and 1."""

LONGEST = 0.5
"""Largest change of one z in a step."""

OUTSIDE = 1.2
"""How far from 0 a z may go: a little beyond the world."""

RIDGE = 1e-7
"""Added to the scaled normal equations' diagonal, against rounding."""

IMPOSSIBLE = 1e6
"""Added to the diagonal for a scale that would be negative: it stays at 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """Many refined patterns.

    Attributes
    ----------
    z : (n, n_numbers).
    scales : (n, n_phases) mass on the scale of the counts, at least 0.
    covariance : (n, m, m) of scales, then z, by counting statistics and the prior; m numbers.
    calculated : (n, n_points) counts.
    background : (n, n_points) the smooth part of it.
    chi2_reduced : (n,) weighted sum of squares over degrees of freedom.
    gain : (n,) what the last step took off the sum of squares.
    """

    z: Tensor
    scales: Tensor
    covariance: Tensor
    calculated: Tensor
    background: Tensor
    chi2_reduced: Tensor
    gain: Tensor

    def replaced(self, rows: Tensor, others: Refined) -> Refined:
        """Return a copy in which the patterns of these rows are the others, in order."""
        copies = {}
        for column in fields(self):
            copy = getattr(self, column.name).clone()
            copy[rows] = getattr(others, column.name)
            copies[column.name] = copy
        return Refined(**copies)


def joined(parts: Sequence[Refined]) -> Refined:
    """Return the patterns of all parts, in order."""
    names = [column.name for column in fields(Refined)]
    return Refined(**{name: torch.cat([getattr(p, name) for p in parts]) for name in names})


@dataclass(frozen=True, slots=True, eq=False)
class _Linear:
    """Best scales and background at given z; sums of squares with the prior's."""

    scales: Tensor
    smooth: Tensor
    residual: Tensor
    total: Tensor


class RapidFit:
    """Refines the patterns of one world.

    Parameters
    ----------
    world : phases, instrument and ranges.
    background_order : of the Chebyshev background, to which 1/2θ is added.
    """

    def __init__(self, world: World, *, background_order: int) -> None:
        self.world = world
        self.columns = RapidColumns(world)
        basis = background_basis(world.grid, order=background_order)
        self._basis = torch.as_tensor(np.linalg.qr(basis)[0].T.copy(), dtype=torch.float32)

    def refine(
        self,
        counts: Tensor,
        sigma: Tensor,
        z: Tensor,
        *,
        steps: int,
        w: Tensor | None = None,
    ) -> Refined:
        """Return patterns refined from z.

        Parameters
        ----------
        counts, sigma : (n, n_points) on the world's grid.
        z : (n, n_numbers) where the search starts.
        steps : at least 1; after one that fails the next is shorter (Levenberg).
        w : (n,) added to the instrument's Caglioti w [deg²].
        """
        weight = 1 / sigma
        target, smooth = counts * weight, self._basis * weight[:, None]
        drawn = self.columns(z, w=w)
        here = self._linear(drawn.values, smooth, weight, target, z)
        damping = torch.zeros(len(z), dtype=torch.float64)
        gain = torch.zeros(len(z))
        for step in range(steps):
            covariance, tried = self._step(drawn, here, smooth, weight, z, damping)
            if step < steps - 1:
                drawn_there = self.columns(tried, w=w)
                values = drawn_there.values
            else:
                values = self.columns.values(tried, w=w)
            there = self._linear(values, smooth, weight, target, tried)
            better = there.total < here.total
            gain = (here.total - there.total).clamp_min(0)
            damping = torch.where(better, 0.1 * damping, 10 * damping + 1)
            z, here = torch.where(better[:, None], tried, z), _chosen(better, there, here)
            if step < steps - 1:
                drawn = _drawn(better, drawn_there, drawn)
        return self._refined(counts, sigma, z, here, covariance, gain)

    def _linear(
        self, values: Tensor, smooth: Tensor, weight: Tensor, target: Tensor, z: Tensor
    ) -> _Linear:
        """Return the best scales, none negative, and background."""
        n_phases = values.shape[1]
        rows = torch.cat([values * weight[:, None], smooth], dim=1)
        normal, right, size = _normal(rows, target)
        eye = torch.eye(rows.shape[1], dtype=torch.float64)
        found = torch.linalg.solve(normal + RIDGE * eye, right)
        negative = torch.zeros_like(found)
        for _ in range(2):
            negative[:, :n_phases] += (found[:, :n_phases] < 0) * IMPOSSIBLE
            barred = normal + torch.diag_embed(negative + RIDGE)
            found = torch.linalg.solve(barred, right)
        found = (found / size).float()
        found[:, :n_phases] = found[:, :n_phases].clamp_min(0)
        residual = target - (found[:, None] @ rows)[:, 0]
        total = (residual**2).sum(dim=1) + (z**2).sum(dim=1) / PRIOR_VARIANCE
        return _Linear(found[:, :n_phases], found[:, n_phases:], residual, total)

    def _step(
        self,
        drawn: Columns,
        here: _Linear,
        smooth: Tensor,
        weight: Tensor,
        z: Tensor,
        damping: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Return the covariance of scales and z, and where the step, damped where asked, leads."""
        n_phases, n_numbers = drawn.values.shape[1], z.shape[1]
        rows = torch.empty(len(z), n_phases + n_numbers + smooth.shape[1], smooth.shape[2])
        torch.mul(drawn.values, weight[:, None], out=rows[:, :n_phases])
        torch.mul(drawn.slopes, weight[:, None], out=rows[:, n_phases : n_phases + n_numbers])
        rows[:, n_phases + n_numbers :] = smooth
        if drawn.moved is not None:
            rows[:, n_phases] = (here.scales[:, None] @ drawn.moved)[:, 0] * weight
        normal, right, scale = _normal(rows, here.residual, self._multiples(here.scales, rows))
        mine = slice(n_phases, n_phases + n_numbers)
        prior = torch.zeros_like(right)
        prior[:, mine] = 1 / (PRIOR_VARIANCE * scale[:, mine] ** 2)
        right[:, mine] -= z.double() / (PRIOR_VARIANCE * scale[:, mine])
        normal = normal + torch.diag_embed(prior + RIDGE)
        inverse = torch.linalg.inv(normal)
        if bool((damping > 0).any()):
            short = normal + torch.diag_embed(damping[:, None] * (1 + prior))
            solved = torch.linalg.solve(short, right)
        else:
            solved = (inverse @ right[:, :, None])[:, :, 0]
        change = solved[:, mine] / scale[:, mine]
        kept = slice(0, n_phases + n_numbers)
        covariance = inverse[:, kept, kept] / (scale[:, kept, None] * scale[:, None, kept])
        moved = z + change.float().clamp(-LONGEST, LONGEST)
        return covariance, moved.clamp(-OUTSIDE, OUTSIDE)

    def _multiples(self, scales: Tensor, rows: Tensor) -> Tensor:
        """Return the phase's scale for rows of slopes of one phase, 1 for others, (n, m)."""
        found = torch.ones(rows.shape[:2])
        for k, number in enumerate(self.world.numbers, start=scales.shape[1]):
            if number.phase is not None:
                found[:, k] = scales[:, number.phase]
        return found

    def _refined(
        self,
        counts: Tensor,
        sigma: Tensor,
        z: Tensor,
        here: _Linear,
        covariance: Tensor,
        gain: Tensor,
    ) -> Refined:
        background = here.smooth @ self._basis
        square = (here.residual**2).sum(dim=1)
        freedom = counts.shape[1] - covariance.shape[1] - len(self._basis)
        return Refined(
            z=z,
            scales=here.scales,
            covariance=covariance,
            calculated=counts - here.residual * sigma,
            background=background,
            chi2_reduced=square / max(freedom, 1),
            gain=gain,
        )


def _normal(
    rows: Tensor, target: Tensor, multiples: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the normal equations of rows scaled to unit length, and the lengths, as float64.

    Parameters
    ----------
    rows : (n, m, n_points); rows of nothing but zeros keep the length 1.
    target : (n, n_points).
    multiples : (n, m) that rows are to be multiplied by; 1 by default.
    """
    normal = (rows @ rows.transpose(1, 2)).double()
    # A row times a matrix takes a third of the time of a matrix times a column.
    right = (target[:, None] @ rows.transpose(1, 2))[:, 0].double()
    if multiples is not None:
        by = multiples.double()
        normal, right = normal * by[:, :, None] * by[:, None], right * by
    size = normal.diagonal(dim1=1, dim2=2).sqrt()
    size = torch.where(size > 1e-12 * size.amax(dim=1, keepdim=True), size, size.new_ones(()))
    return normal / (size[:, :, None] * size[:, None, :]), right / size, size


def _drawn(better: Tensor, one: Columns, other: Columns) -> Columns:
    """Return the columns of the one where it is better, else of the other."""
    if bool(better.all()):
        return one
    row = better[:, None, None]
    moved = None
    if one.moved is not None and other.moved is not None:
        moved = torch.where(row, one.moved, other.moved)
    return Columns(
        torch.where(row, one.values, other.values),
        torch.where(row, one.slopes, other.slopes),
        moved,
    )


def _chosen(better: Tensor, one: _Linear, other: _Linear) -> _Linear:
    """Return the one where it is better, else the other."""
    row = better[:, None]
    return _Linear(
        torch.where(row, one.scales, other.scales),
        torch.where(row, one.smooth, other.smooth),
        torch.where(row, one.residual, other.residual),
        torch.where(better, one.total, other.total),
    )
