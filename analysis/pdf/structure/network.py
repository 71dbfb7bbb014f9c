"""The generative model: a plane of structures, read from curves and decoded into atoms on sites.

A conditional variational autoencoder (Kingma & Welling 2014, arXiv:1312.6114; Sohn, Lee & Yan 2015;
for structures from PDFs Kjær et al. 2023, doi:10.1039/D2DD00086E). A point of the plane gives the
probability of each lattice and the size; plane, lattice and a few numbers for the details of the
outline, which are normal around what the plane says, give the probability of an atom at each site.
A curve gives the probability of each lattice, and on it a normal distribution of all numbers.
Importing this file imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from analysis.learning.networks import CurveNet
from analysis.pdf.structure.features import N_SHAPE_FEATURES, N_SITE_FEATURES, Q_GRID
from analysis.pdf.structure.sites import LATTICES

N_PLANE = 2
N_DETAIL = 6
N_LATENT = N_PLANE + N_DETAIL
_LOWEST, _HIGHEST = -5.0, 1.0
"""Limits of the logarithm of a spread in the plane."""
_N = len(LATTICES)


@dataclass(frozen=True, slots=True)
class Normal:
    """Independent normal distributions.

    Attributes
    ----------
    mean, log_std : (…, n_latent).
    """

    mean: Tensor
    log_std: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """Return mean + std · noise."""
        return self.mean + torch.exp(self.log_std) * noise


@dataclass(frozen=True, slots=True)
class Told:
    """What a curve tells.

    Attributes
    ----------
    lattice : (n, n_lattices) logits.
    place : of z on each lattice, (n, n_lattices, n_latent).
    log_bond : of the logarithm of the bond [Å], (n, 1).
    """

    lattice: Tensor
    place: Normal
    log_bond: Normal


class StructureNet(nn.Module):
    """Encoder of shapes, reader of curves, decoder of sites.

    Parameters
    ----------
    width : of the hidden layers of encoder and decoder, and four times the reader's channels.
    """

    def __init__(self, *, width: int = 96) -> None:
        super().__init__()
        self.encoder = _perceptron(N_SHAPE_FEATURES, width, 2 * N_LATENT)
        self.reader = CurveNet(len(Q_GRID), _N + 2 * N_LATENT * _N + 2, width=width // 4)
        self.kinds = _perceptron(N_PLANE, width // 2, _N + 1)
        self.details = _perceptron(N_PLANE + _N, width // 2, 2 * N_DETAIL)
        self.decoder = _perceptron(N_LATENT + _N + N_SITE_FEATURES, width, 1)

    def encode(self, shapes: Tensor) -> Normal:
        """Return where shapes (n, n_features) lie in the plane."""
        mean, log_std = self.encoder(shapes).chunk(2, dim=-1)
        return Normal(mean, log_std.clamp(_LOWEST, _HIGHEST))

    def read(self, curves: Tensor) -> Told:
        """Return what curves (n, n_q) tell."""
        out = self.reader(curves)
        place = out[:, _N : _N + 2 * N_LATENT * _N].reshape(-1, _N, 2 * N_LATENT)
        mean, log_std = place.chunk(2, dim=-1)
        bond_mean, bond_log_std = out[:, -2:-1], out[:, -1:]
        return Told(
            out[:, :_N],
            Normal(mean, log_std.clamp(_LOWEST, _HIGHEST)),
            Normal(1.0 + bond_mean, bond_log_std.clamp(-6.0, 0.0)),
        )

    def from_plane(self, plane: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of lattices (n, n_lattices) and ln(atoms/80) (n,) at points (n, 2)."""
        out = self.kinds(plane)
        return out[:, :_N], out[:, _N]

    def prior(self, plane: Tensor, lattice: Tensor) -> Normal:
        """Return how details (n, n_detail) are distributed at points of the plane on a lattice."""
        known = functional.one_hot(lattice, _N).to(plane.dtype)
        mean, log_std = self.details(torch.cat([plane, known], dim=1)).chunk(2, dim=1)
        return Normal(mean, log_std.clamp(_LOWEST, _HIGHEST))

    def occupancy(self, z: Tensor, lattice: Tensor, sites: Tensor) -> Tensor:
        """Return the logit of an atom at each site, (n, n_sites).

        Parameters
        ----------
        z : (n, n_latent).
        lattice : (n,) its number in `LATTICES`.
        sites : (n, n_sites, n_features).
        """
        known = functional.one_hot(lattice, _N).to(z.dtype)
        shared = torch.cat([z, known], dim=1)[:, None, :].expand(-1, sites.shape[1], -1)
        return torch.as_tensor(self.decoder(torch.cat([shared, sites], dim=2))[..., 0])


def divergence(one: Normal, other: Normal) -> Tensor:
    """Return the Kullback–Leibler divergence of one from the other, summed over the plane, (n,)."""
    ratio = torch.exp(2 * (one.log_std - other.log_std))
    off = (one.mean - other.mean) ** 2 * torch.exp(-2 * other.log_std)
    return (0.5 * (ratio + off - 1) - (one.log_std - other.log_std)).sum(dim=-1)


def _perceptron(n_in: int, width: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(n_in, width),
        nn.SiLU(),
        nn.Linear(width, width),
        nn.SiLU(),
        nn.Linear(width, width),
        nn.SiLU(),
        nn.Linear(width, n_out),
    )
