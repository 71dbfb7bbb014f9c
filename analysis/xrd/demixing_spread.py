"""A simulated composition spread: many samples of a ternary system whose phases are known.

The phases stand as points in the composition triangle and the Delaunay triangulation of these
points is the phase diagram: inside a triangle its corners coexist, in shares that the lever rule
gives, so that no sample holds more than three phases (Gibbs's rule at fixed temperature and
pressure). A solid solution has several points, each with its own cell. Crystals grow with a
preferred orientation that differs from sample to sample, and cells change anisotropically. How wide
the worlds are from which such spreads are drawn says `demixing_worlds`.

Not modelled: amorphous matter, absorption, kinetics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from analysis.physics.cell import expand_cell, free_cell_parameters
from analysis.physics.crystal import Crystal
from analysis.xrd.forward import CU_K_ALPHA, PhaseState, Resolution, column

FloatArray = NDArray[np.float64]

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])
"""Of the composition triangle, in the plane."""


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Patterns of a composition spread and what they were made of.

    Attributes
    ----------
    two_theta : (n_points,) [deg].
    composition : (n_samples, 3), rows sum to 1.
    patterns : (n_samples, n_points) counts.
    contributions : (n_samples, n_phases, n_points) noise-free part of each phase.
    """

    two_theta: FloatArray
    composition: FloatArray
    patterns: FloatArray
    contributions: FloatArray

    @property
    def fractions(self) -> FloatArray:
        """Share of each phase in the sum of the phases' highest peaks, (n_samples, n_phases)."""
        heights = self.contributions.max(axis=2)
        return np.asarray(heights / heights.sum(axis=1, keepdims=True))


def simulate_spread(
    crystals: Sequence[Crystal],
    two_theta: FloatArray,
    *,
    rng: np.random.Generator,
    n_solid_solutions: int = 1,
    n_edge: int = 15,
    largest_strain: float = 0.05,
    one_way: bool = False,
    texture: float = 0.15,
    sizes: Sequence[float] | None = None,
    strength: float = 0.3,
    background: float = 0.0,
    peak_counts: float = 1e4,
) -> Spread:
    """Return a spread on a triangular grid of compositions.

    Parameters
    ----------
    crystals : at least three phases; the first three stand at the corners, the others inside. The
        first `n_solid_solutions` dissolve the other elements.
    two_theta : (n_points,) [deg].
    n_edge : samples along an edge of the triangle.
    largest_strain : relative change of a solid solution's cell from its own corner.
    one_way : True lets a solid solution's cell either grow or shrink; otherwise it may do both.
    texture : standard deviation of ln r of March–Dollase, between samples.
    sizes : of each phase's crystallites [Å], 250 Å if None.
    strength : standard deviation of ln of the phases' scattering powers.
    background : height of a decaying background as a share of the sample's highest peak.
    peak_counts : at the highest peak of a sample.
    """
    points, owners, strains = _phase_diagram(
        len(crystals), n_solid_solutions, largest_strain=largest_strain, one_way=one_way, rng=rng
    )
    sizes = [250.0] * len(crystals) if sizes is None else sizes
    composition = triangular_grid(n_edge)
    shares = _lever_rule(composition @ CORNERS, points)
    scale = np.exp(rng.normal(0.0, strength, len(crystals)))
    parts = np.zeros((len(composition), len(crystals), len(two_theta)))
    for k, crystal in enumerate(crystals):
        mine = shares[:, owners == k]
        total = mine.sum(axis=1)
        tilt = rng.normal(0.0, 0.15, 6)
        for i in np.flatnonzero(total > 1e-3):
            strain = float(mine[i] @ strains[owners == k] / total[i])
            ln_r = float(rng.normal(0.0, texture))
            state = _state(crystal, strain, tilt=tilt, ln_r=ln_r, size=sizes[k])
            curve = column(two_theta, state, radiation=CU_K_ALPHA, resolution=Resolution(w=0.02))
            parts[i, k] = scale[k] * total[i] * curve / curve.max()
    return _counted(
        two_theta, composition, parts, peak_counts=peak_counts, background=background, rng=rng
    )


def triangular_grid(n_edge: int) -> FloatArray:
    """Return the compositions of a triangular grid, (n_edge (n_edge + 1) / 2, 3)."""
    last = n_edge - 1
    rows = [(i, j, last - i - j) for i in range(n_edge) for j in range(n_edge - i)]
    return np.asarray(rows, dtype=np.float64) / last


def _counted(
    two_theta: FloatArray,
    composition: FloatArray,
    parts: FloatArray,
    *,
    peak_counts: float,
    background: float,
    rng: np.random.Generator,
) -> Spread:
    height = parts.sum(axis=1).max(axis=1)
    parts = parts * (peak_counts / height)[:, None, None]
    below = background * peak_counts * np.exp(-(two_theta - two_theta[0]) / 40.0)
    counts = rng.poisson(parts.sum(axis=1) + below).astype(np.float64)
    return Spread(two_theta, composition, counts, parts)


def _phase_diagram(
    n_phases: int,
    n_solid_solutions: int,
    *,
    largest_strain: float,
    one_way: bool,
    rng: np.random.Generator,
) -> tuple[FloatArray, NDArray[np.int64], FloatArray]:
    """Return points (n, 2), the phase of each, and the strain of each, (n,)."""
    anchors = list(CORNERS)
    while len(anchors) < n_phases:
        point = rng.dirichlet([2.0, 2.0, 2.0]) @ CORNERS
        if min(float(np.linalg.norm(point - other)) for other in anchors) > 0.22:
            anchors.append(point)
    points, owners, strains = [*anchors], [*range(n_phases)], [0.0] * n_phases
    for k in range(n_solid_solutions):
        others = [anchor for j, anchor in enumerate(anchors) if j != k]
        distance = [float(np.linalg.norm(other - anchors[k])) for other in others]
        near = [others[j] for j in np.argsort(distance)]
        lowest, highest = rng.permutation([0.0, 1.0]) * [-1, 1] if one_way else (-1.0, 1.0)
        for towards in near[:3]:
            reach = rng.uniform(0.4, 0.7)
            points.append(anchors[k] + reach * (towards - anchors[k]))
            owners.append(k)
            strains.append(float(rng.uniform(lowest, highest) * largest_strain))
    return np.array(points), np.array(owners), np.array(strains)


def _lever_rule(samples: FloatArray, points: FloatArray) -> FloatArray:
    """Return the share of each point in each sample, (n_samples, n_points)."""
    diagram = Delaunay(points)
    # Pulled in by a hair, so that corners and edges are inside in spite of rounding.
    inside = samples + 1e-9 * (samples.mean(axis=0) - samples)
    found = diagram.find_simplex(inside, tol=1e-6)
    transform = diagram.transform[found]
    part = np.einsum("nij,nj->ni", transform[:, :2], inside - transform[:, 2])
    barycentric = np.clip(np.column_stack([part, 1 - part.sum(axis=1)]), 0.0, 1.0)
    shares = np.zeros((len(samples), len(points)))
    np.put_along_axis(shares, diagram.simplices[found].astype(np.int64), barycentric, axis=1)
    return shares


def _state(
    crystal: Crystal, strain: float, *, tilt: FloatArray, ln_r: float, size: float
) -> PhaseState:
    """Return a strained phase; `tilt` makes the strain of each free parameter a little unlike."""
    names = free_cell_parameters(crystal)
    cell = dict(zip(("a", "b", "c", "alpha", "beta", "gamma"), crystal.cell, strict=True))
    free = [
        cell[name] * (1 + strain * (1 + tilt[j])) if name in "abc" else cell[name]
        for j, name in enumerate(names)
    ]
    return PhaseState(
        crystal, cell=expand_cell(crystal, free), size=size, texture_r=float(np.exp(ln_r))
    )
