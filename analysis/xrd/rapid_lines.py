"""Where the reflections of one phase stand in many samples, how strong, and how they move.

Importing this file imports torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from analysis.physics.cell import CELL_NAMES, expand_cell, free_cell_parameters
from analysis.physics.crystal import Crystal
from analysis.physics.reflections import reflections
from analysis.xrd.forward import D_MIN_MARGIN
from analysis.xrd.world import World

WEAKEST = 2e-3
"""Reflections below this share of the phase's strongest are left out."""

DEGREES = 180 / math.pi

SMALL = 1e-2
"""Finite difference of z for derivatives of the reciprocal metric."""


@dataclass(frozen=True, slots=True, eq=False)
class Sticks:
    """Reflections of one phase in each sample.

    Attributes
    ----------
    position : (n, n_lines) 2θ [deg].
    amplitudes : (n, 1 to n_free + 2, n_lines) areas per unit mass; then areas times the change of
        position with z of each free cell parameter; then with a displacement, where there is one.
    """

    position: Tensor
    amplitudes: Tensor


class Lines:
    """Reflections of one phase, all wavelengths of the radiation.

    Parameters
    ----------
    world : phases, instrument and ranges.
    i : which phase.
    """

    def __init__(self, world: World, i: int) -> None:
        self.crystal = world.crystals[i]
        self.numbers = world.of_phase(i)
        mine = [world.numbers[k] for k in self.numbers[:-1]]
        self._centre = torch.tensor([n.centre for n in mine], dtype=torch.float64)
        self._half = torch.tensor([n.half for n in mine], dtype=torch.float64)
        self._followed = _followed(self.crystal)
        hkl, strength, wavelength = _listed(world, self.crystal)
        h, k, ell = hkl.T
        products = np.stack([h * h, k * k, ell * ell, 2 * h * k, 2 * h * ell, 2 * k * ell])
        self._products = torch.as_tensor(products, dtype=torch.float64)
        self._strength = torch.as_tensor(strength, dtype=torch.float32)
        self._wavelength = torch.as_tensor(wavelength, dtype=torch.float32)
        self._k = world.radiation.polarisation

    def sticks(self, z: Tensor, shift: Tensor | None, *, slopes: bool) -> Sticks:
        """Return the reflections of vectors (n, n_numbers), moved by shift · cosθ [deg]."""
        free = z[:, self.numbers[:-1]].double()
        n_free = free.shape[1] if slopes else 0
        # Rows of vectors as they are, then with each free parameter a little larger.
        moved = free.repeat(1 + n_free, 1)
        for j in range(n_free):
            moved[(1 + j) * len(z) : (2 + j) * len(z), j] += SMALL
        metrics, volumes = self._metric(moved)
        metric, volume = metrics[: len(z)], volumes[: len(z)]
        inverse = (metric @ self._products).float()
        sine = (0.5 * self._wavelength * inverse.sqrt()).clamp_max(0.9999)
        cosine = (1 - sine * sine).sqrt()
        position = 2 * DEGREES * torch.asin(sine)
        if shift is not None:
            position = position + shift[:, None] * cosine
        polarised = 1 + self._k * (1 - 2 * sine * sine) ** 2
        area = self._strength * polarised / ((1 + self._k) * sine * sine * cosine * volume[:, None])
        if not slopes:
            return Sticks(position, area[:, None])
        change = (metrics[len(z) :].view(n_free, len(z), 6) - metric).transpose(0, 1) / SMALL
        along = (DEGREES * sine / (cosine * inverse))[:, None]
        moves = (change @ self._products).float() * along
        kinds = [torch.ones_like(area)[:, None], moves]
        if shift is not None:
            kinds.append(cosine[:, None])
        return Sticks(position, torch.cat(kinds, dim=1) * area[:, None])

    def _metric(self, free: Tensor) -> tuple[Tensor, Tensor]:
        """Return G* as its six numbers, (n, 6) [1/Å²], and the cells' volumes, (n,) [Å³]."""
        values = self._centre + self._half * free
        cells = torch.tensor(self.crystal.cell, dtype=torch.float64).repeat(len(free), 1)
        for column, source in self._followed:
            cells[:, column] = values[:, source]
        (a, b, c), cosines = cells[:, :3].T, torch.cos(torch.deg2rad(cells[:, 3:])).T
        bc, ca, ab = b * c * cosines[0], c * a * cosines[1], a * b * cosines[2]
        aa, bb, cc = a * a, b * b, c * c
        # Cofactors of the symmetric metric tensor: its inverse is G*.
        six = [
            bb * cc - bc * bc,
            cc * aa - ca * ca,
            aa * bb - ab * ab,
            bc * ca - ab * cc,
            ab * bc - ca * bb,
            ca * ab - bc * aa,
        ]
        square = aa * six[0] + ab * six[3] + ca * six[4]
        return torch.stack([x / square for x in six], dim=1), square.sqrt().float()


def _followed(crystal: Crystal) -> list[tuple[int, int]]:
    """Return which of the six cell parameters follow which free one."""
    names = free_cell_parameters(crystal)
    start = [crystal.cell[CELL_NAMES.index(name)] for name in names]
    before = expand_cell(crystal, start)
    found = []
    for j in range(len(start)):
        after = expand_cell(crystal, [*start[:j], 1.001 * start[j], *start[j + 1 :]])
        found += [(column, j) for column in range(6) if after[column] != before[column]]
    return found


def _listed(world: World, crystal: Crystal) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return indices (n, 3), m |F|² / M times the line's share, and wavelengths, (n,)."""
    sine = float(np.sin(np.radians(world.two_theta[1]) / 2))
    shortest = min(wavelength for wavelength, _ in world.radiation.lines)
    d_min = round(D_MIN_MARGIN * shortest / (2 * sine), 3)
    listed = reflections(
        crystal,
        d_min=d_min,
        wavelength=world.radiation.wavelength,
        probe=world.radiation.probe,
    )
    strength = listed.multiplicity * listed.f2 / crystal.mass
    height = strength * listed.d**2
    seen = height > WEAKEST * height.max()
    lines = [wavelength for wavelength, _ in world.radiation.lines]
    return (
        np.concatenate([listed.hkl[seen]] * len(lines)),
        np.concatenate([share * strength[seen] for share in world.radiation.shares]),
        np.concatenate([np.full(int(seen.sum()), wavelength) for wavelength in lines]),
    )
