"""G(r) of a crystal: sums over its pairs in real space, as PDFgui makes them.

Importing this file imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.pdf.broadening import damping, pair_variance, sphere_envelope
from analysis.pdf.periodic import Shells, pair_shells
from analysis.pdf.transform import QRange, Termination
from analysis.physics.crystal import Crystal
from analysis.physics.scattering_factors import Probe, forward_scattering

FloatArray = NDArray[np.float64]
Number = torch.Tensor | float

_WIDEST = 5.0
"""Standard deviations at which a peak is cut off; beyond stand 6e-7 of it."""

_ROOM = 1.04
"""Pairs are listed to this multiple of the range, so that a cell may shrink by 4 %."""


@dataclass(frozen=True, slots=True)
class CrystalParameters:
    """What a G(r) of a crystal depends on; numbers, or tensors where slopes are wanted.

    Attributes
    ----------
    cell : (6,) a, b, c [Å] and alpha, beta, gamma [deg].
    u_iso : (n_sites,) mean square displacement of each site [Å²].
    scale : of the whole curve.
    delta1, delta2 : of correlated motion [Å, Å²].
    q_damp, q_broad : of the instrument's resolution [1/Å].
    diameter : of spherical grains [Å]; None for a crystal without end.
    """

    cell: torch.Tensor
    u_iso: torch.Tensor
    scale: Number = 1.0
    delta1: Number = 0.0
    delta2: Number = 0.0
    q_damp: Number = 0.0
    q_broad: Number = 0.0
    diameter: Number | None = None


def parameters_of(crystal: Crystal) -> CrystalParameters:
    """Return a crystal's own cell and displacements, with a perfect instrument.

    Anisotropic displacements enter by their mean.
    """
    u_iso = [
        float(site.u_iso if site.u_iso > 0 else site.aniso.trace() / 3)
        for site in crystal.structure.sites
    ]
    return CrystalParameters(
        cell=torch.tensor(crystal.cell, dtype=torch.float64),
        u_iso=torch.tensor(u_iso, dtype=torch.float64),
    )


class CrystalPDF:
    """G(r) of one crystal on one grid, over one range of Q.

    G(r) = D(r) [ Σ wᵢⱼ T(r − rᵢⱼ)/(N r) − 4πrρ₀ ], then limited to the range of Q, with Gaussians T
    of unit area, weights wᵢⱼ = bᵢbⱼ/⟨b⟩², and D the damping by the instrument and by the size of
    the grain. b is the number of electrons or the neutron scattering length: form factors are
    taken to have one shape, as PDFfit2 does (Farrow et al. 2007,
    doi:10.1088/0953-8984/19/33/335219).

    Parameters
    ----------
    crystal : the structure; its cell and displacements can be changed with each call.
    r : (n_r,) distances [Å], in any spacing.
    q_range : the range of the measurement.
    probe : what was scattered.
    """

    def __init__(
        self, crystal: Crystal, r: FloatArray, q_range: QRange, *, probe: Probe = "x-ray"
    ) -> None:
        self.crystal = crystal
        self.termination = Termination(r, q_range)
        self.shells = pair_shells(crystal, r_max=_ROOM * self.termination.r_max)
        self._fine_r = torch.from_numpy(self.termination.fine_r)
        self._difference = torch.from_numpy(self.shells.difference)
        self._sites = torch.from_numpy(self.shells.sites)
        self._weight = torch.from_numpy(pair_weights(self.shells, probe=probe))
        self._n_atoms = float(self.shells.n_atoms.sum())

    def g_r(self, parameters: CrystalParameters) -> torch.Tensor:
        """Return G(r) [1/Å²], (n_r,), as the range of Q shows it."""
        return self.termination.g_r(self._fine_g_r(parameters))

    def f_q(self, parameters: CrystalParameters) -> torch.Tensor:
        """Return F(Q) [1/Å], (n_q,), on ``termination.q``; damped as G(r) is, so broadened."""
        return self.termination.f_q(self._fine_g_r(parameters))

    def rdf(self, parameters: CrystalParameters) -> torch.Tensor:
        """Return the pairs per atom and Å, (n_fine,), on the fine grid, without any damping."""
        matrix = cell_matrix(parameters.cell)
        r: torch.Tensor = torch.linalg.vector_norm(self._difference @ matrix.T, dim=1)
        variance = pair_variance(
            r,
            parameters.u_iso[self._sites].sum(dim=1),
            delta1=parameters.delta1,
            delta2=parameters.delta2,
            q_broad=parameters.q_broad,
        )
        return gaussian_sum(r, variance, self._weight, self._fine_r)

    def _fine_g_r(self, parameters: CrystalParameters) -> torch.Tensor:
        r = self._fine_r
        density = self._n_atoms / torch.linalg.det(cell_matrix(parameters.cell))
        g_r = self.rdf(parameters) / r - 4 * torch.pi * r * density
        envelope: torch.Tensor = parameters.scale * damping(r, parameters.q_damp)
        if parameters.diameter is not None:
            envelope = envelope * sphere_envelope(r, parameters.diameter)
        fine: torch.Tensor = g_r * envelope
        return fine


def pair_weights(shells: Shells, *, probe: Probe = "x-ray") -> FloatArray:
    """Return what each shell adds to the radial distribution function, (n_shells,) per atom."""
    strength = np.array([forward_scattering(e, probe=probe) for e in shells.elements])
    share = shells.n_atoms / shells.n_atoms.sum()
    product = strength[shells.sites].prod(axis=1) / float(share @ strength) ** 2
    return np.asarray(shells.pairs * product / shells.n_atoms.sum())


def cell_matrix(cell: torch.Tensor) -> torch.Tensor:
    """Return the (3, 3) matrix from fractions to Å of a, b, c [Å], alpha, beta, gamma [deg]."""
    a, b, c = cell[:3]
    cos_alpha, cos_beta, cos_gamma = torch.cos(torch.deg2rad(cell[3:]))
    sin_gamma = torch.sqrt(1 - cos_gamma**2)
    c_y = (cos_alpha - cos_beta * cos_gamma) / sin_gamma
    c_z = torch.sqrt(1 - cos_beta**2 - c_y**2)
    none = torch.zeros_like(a)
    rows = [
        torch.stack([a, b * cos_gamma, c * cos_beta]),
        torch.stack([none, b * sin_gamma, c * c_y]),
        torch.stack([none, none, c * c_z]),
    ]
    return torch.stack(rows)


def gaussian_sum(
    centre: torch.Tensor, variance: torch.Tensor, area: torch.Tensor, r: torch.Tensor
) -> torch.Tensor:
    """Return the sum of Gaussians on an even grid that starts one step above zero.

    Parameters
    ----------
    centre, variance, area : (n,) of each Gaussian.
    r : (n_r,) the grid. Gaussians centred beyond its end are left out.
    """
    step = float(r[1] - r[0])
    width = torch.sqrt(variance)
    half = int(np.ceil(_WIDEST * float(width.detach().max()) / step))
    middle = torch.round(centre.detach() / step).long() - 1
    index = middle[:, None] + torch.arange(-half, half + 1)
    inside = (index >= 0) & (index < r.numel())
    index = index.clamp(0, r.numel() - 1)
    apart = (r[index] - centre[:, None]) / width[:, None]
    height = (area / width)[:, None] * torch.exp(-0.5 * apart**2) / (2 * torch.pi) ** 0.5
    total = torch.zeros_like(r)
    return total.index_add(0, index.reshape(-1), (height * inside).reshape(-1))
