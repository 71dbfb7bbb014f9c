"""Patterns of many samples at once, with their derivatives: the forward model in batches.

The same physics as `forward`. Reflections become sticks on the grid (B-splines over four points,
their smoothing undone) and are folded with their profile in Fourier space, where a derivative with
position is a factor. Widths change slowly along a pattern: profiles are taken at a few nodes and
blended.

Not modelled here: texture, zero shift, and the change of intensities with the cell beyond 1/V and
the Lorentz-polarisation factor. Importing this file imports torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor

from analysis.xrd.profile import LN2, SCHERRER, lorentzian_fwhm, pseudo_voigt_shape
from analysis.xrd.rapid_lines import DEGREES, Lines
from analysis.xrd.world import World

SPREAD = (-1, 0, 1, 2)
"""Grid points, from the one below a stick, over which it is spread."""

PADDING = 1.3
"""Length of the transformed grid over the pattern's."""

ALIKE, DIFFERENT = 1.01, 1.15
"""Ratios of widths within a pattern up to which one profile serves all, or two do."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Patterns per unit mass of every phase in every sample, and their slopes.

    Attributes
    ----------
    values : (n, n_phases, n_points).
    slopes : (n, n_numbers, n_points) d values / dz, of the phase that each number belongs to; the
        displacement's, where there is one, stands first and is 0 here.
    moved : (n, n_phases, n_points) d values / dz of the displacement; None without one.
    """

    values: Tensor
    slopes: Tensor
    moved: Tensor | None


class RapidColumns:
    """Draws the phases of a world for vectors z.

    Parameters
    ----------
    world : phases, instrument and ranges.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        n = len(world.grid)
        self._n_points = n
        self._length = int(next_fast_len(int(PADDING * n), real=True))
        self._before = (self._length - n) // 2
        self._phases = [Lines(world, i) for i in range(len(world.crystals))]
        k = 2 * math.pi * np.fft.rfftfreq(self._length, world.step)
        self._k = torch.as_tensor(k, dtype=torch.float32)
        # A B-spline of order n smooths by sincⁿ; the transform of the sticks is divided by it.
        smoothing = np.sinc(k * world.step / (2 * math.pi)) ** len(SPREAD)
        self._sharpen = torch.as_tensor(1 / (smoothing * world.step), dtype=torch.float32)
        self._nodes = _nodes(world)

    def values(self, z: Tensor, *, w: Tensor | None = None) -> Tensor:
        """Return the columns, (n, n_phases, n_points), of vectors (n, n_numbers).

        Parameters
        ----------
        w : (n,) added to the instrument's Caglioti w [deg²].
        """
        drawn = [self._drawn(phase, z, w, slopes=False) for phase in self._phases]
        return torch.cat(drawn, dim=1)

    def __call__(self, z: Tensor, *, w: Tensor | None = None) -> Columns:
        """Return columns with slopes."""
        n, world = len(z), self.world
        values = torch.empty(n, len(self._phases), self._n_points)
        slopes = torch.zeros(n, len(world.numbers), self._n_points)
        moved = torch.empty_like(values) if world.displacement else None
        for i, phase in enumerate(self._phases):
            drawn, mine = self._drawn(phase, z, w, slopes=True), phase.numbers
            values[:, i] = drawn[:, 0]
            slopes[:, mine[0] : mine[-1] + 1] = drawn[:, 1 : 1 + len(mine)]
            if moved is not None:
                torch.mul(drawn[:, -1], world.displacement, out=moved[:, i])
        return Columns(values, slopes, moved)

    def _drawn(self, phase: Lines, z: Tensor, w: Tensor | None, *, slopes: bool) -> Tensor:
        """Return values, then slopes of the phase's numbers, then that with a shift [1/deg].

        The shape is (n, 1 to n_mine + 2, n_points); there is no last one without displacement.
        """
        world = self.world
        shift = z[:, 0] * world.displacement if world.displacement else None
        sticks = phase.sticks(z, shift, slopes=slopes)
        spectra = self._spectra(sticks.position, sticks.amplitudes)
        kernel, by_size = self._kernels(z[:, phase.numbers[-1]], phase, w)
        found = (spectra[:, :, :1] * kernel[:, :, None]).sum(dim=1)
        if slopes:
            moving = (spectra[:, :, 1:] * (kernel * self._k)[:, :, None]).sum(dim=1) * (-1j)
            sized = (spectra[:, :, :1] * by_size[:, :, None]).sum(dim=1)
            n_free = len(phase.numbers) - 1
            found = torch.cat([found, moving[:, :n_free], sized, moving[:, n_free:]], dim=1)
        drawn: Tensor = torch.fft.irfft(found, n=self._length)
        return drawn[:, :, self._before : self._before + self._n_points]

    def _spectra(self, position: Tensor, amplitudes: Tensor) -> Tensor:
        """Return the transforms of sticks, (n, n_nodes, n_kinds, n_frequencies).

        Parameters
        ----------
        position : (n, n_lines) [deg].
        amplitudes : (n, n_kinds, n_lines).
        """
        grid = self.world.grid
        at = (position - float(grid[0])) / self.world.step + self._before
        inside = (at > -SPREAD[0]) & (at < self._length - 1 - SPREAD[-1])
        at = at.clamp(-SPREAD[0], self._length - 2 - SPREAD[-1])
        below = at.floor()
        weights = _spline(at - below) * inside[:, :, None]
        index = below.long()[:, :, None] + torch.tensor(SPREAD)
        near = _hats((at - self._before) / (self._n_points - 1), len(self._nodes))
        n, kinds, lines = amplitudes.shape
        spread = (near.transpose(1, 2)[:, :, None] * amplitudes[:, None])[..., None] * (
            weights[:, None, None]
        )
        sets = len(self._nodes) * kinds
        target = torch.zeros(n, sets, self._length)
        flat = index.reshape(n, 1, -1).expand(n, sets, -1)
        target.scatter_add_(2, flat, spread.reshape(n, sets, lines * len(SPREAD)))
        spectra: Tensor = torch.fft.rfft(target) * self._sharpen
        return spectra.view(n, len(self._nodes), kinds, -1)

    def _kernels(self, z: Tensor, phase: Lines, w: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return transforms of the profile at the nodes, and their slopes with the size's z.

        Each (n, n_nodes, n_frequencies). A pseudo-Voigt's transform is
        η exp(−|k| H / 2) + (1 − η) exp(−k² H² / (16 ln 2)).
        """
        world, theta = self.world, torch.deg2rad(self._nodes / 2)
        tangent, cosine = torch.tan(theta), torch.cos(theta)
        r = world.resolution
        square = (r.u * tangent**2 + r.v * tangent + r.w).expand(len(z), -1)
        if w is not None:
            square = square + w[:, None]
        gaussian = square.clamp_min(1e-5).sqrt()
        number = world.numbers[phase.numbers[-1]]
        size = torch.exp(number.centre + number.half * z)[:, None]
        by_size = DEGREES * SCHERRER * world.radiation.wavelength / (size * cosine)
        lorentzian = by_size + DEGREES * 4 * world.microstrain * tangent
        width, eta = _shape(gaussian, lorentzian)
        step = 0.01 * lorentzian
        wider, mixed = _shape(gaussian, lorentzian + step)
        change = -number.half * by_size / step
        tail = torch.exp(-0.5 * width[:, :, None] * self._k)
        bell = torch.exp(-((width[:, :, None] * self._k) ** 2) / (16 * LN2))
        kernel = bell + eta[:, :, None] * (tail - bell)
        widened = eta[:, :, None] * tail * (-0.5 * self._k) - (1 - eta)[
            :, :, None
        ] * bell * self._k**2 * width[:, :, None] / (8 * LN2)
        slope = ((wider - width) * change)[:, :, None] * widened
        return kernel, slope + ((mixed - eta) * change)[:, :, None] * (tail - bell)


def _nodes(world: World) -> Tensor:
    """Return the angles [deg] at which profiles are taken, evenly spaced over the pattern."""
    low, high = world.two_theta
    tangent = np.tan(np.radians(np.linspace(low, high, 20)) / 2)
    lorentzian = lorentzian_fwhm(
        tangent,
        wavelength=world.radiation.wavelength,
        size=world.size[1],
        microstrain=world.microstrain,
    )
    width, _ = pseudo_voigt_shape(world.resolution.fwhm(tangent), lorentzian)
    if width.max() < ALIKE * width.min():
        return torch.tensor([(low + high) / 2])
    return torch.linspace(low, high, 2 if width.max() < DIFFERENT * width.min() else 3)


def _hats(at: Tensor, n_nodes: int) -> Tensor:
    """Return the share of each node, (…, n_nodes), at positions 0 … 1 along the pattern."""
    if n_nodes == 1:
        return torch.ones(*at.shape, 1)
    scaled = at.clamp(0, 1)[..., None] * (n_nodes - 1)
    return (1 - (scaled - torch.arange(n_nodes)).abs()).clamp_min(0)


def _spline(part: Tensor) -> Tensor:
    """Return the B-spline weights, (…, 4), of the points `SPREAD` about a stick.

    Cardinal B-splines by recursion, as in Essmann et al. (1995),
    doi:10.1063/1.470117, eq. 4.1.

    Parameters
    ----------
    part : 0 … 1, from the point below the stick to the stick.
    """
    order = len(SPREAD)
    weights = [1 - part, part]
    for n in range(3, order + 1):
        padded = [torch.zeros_like(part), *weights, torch.zeros_like(part)]
        weights = [
            ((part + n - 1 - j) * padded[j] + (1 - part + j) * padded[j + 1]) / (n - 1)
            for j in range(n)
        ]
    return torch.stack(weights, dim=-1)


def _shape(gaussian: Tensor, lorentzian: Tensor) -> tuple[Tensor, Tensor]:
    """Return width and mixing; the same arithmetic serves tensors."""
    return cast(Any, pseudo_voigt_shape)(gaussian, lorentzian)  # type: ignore[no-any-return]
