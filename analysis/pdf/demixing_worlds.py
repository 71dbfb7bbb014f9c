"""Simulated in-situ series whose phases and transitions are known.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from analysis.pdf.forward import CrystalPDF, parameters_of
from analysis.pdf.transform import QRange
from analysis.physics.crystal import Crystal
from analysis.physics.structures import structure

FloatArray = NDArray[np.float64]

PHASES = ("rutile", "anatase", "corundum", "halite", "fluorite", "periclase", "zincite", "nickel")
"""Of the structure library, that series are drawn from."""

R = np.arange(1.5, 30.0, 0.04)
"""Distances of the drawn curves [Å]."""

RANGE = QRange(0.6, 22.0)


@dataclass(frozen=True, slots=True, eq=False)
class Heating:
    """A simulated series along a temperature.

    Attributes
    ----------
    temperature : (n_curves,) increasing.
    r : (n_points,) [Å].
    g_r : (n_curves, n_points) [1/Å²], with noise.
    fractions : (n_curves, n_phases) share of each phase's G(r), rows sum to 1.
    stretches : (n_curves, n_phases) of the phases' lengths, 1 in the mean.
    changes : temperatures at which a phase begins or ends, or its symmetry changes.
    """

    temperature: FloatArray
    r: FloatArray
    g_r: FloatArray
    fractions: FloatArray
    stretches: FloatArray
    changes: tuple[float, ...]


def simulate_heating(
    phases: Sequence[Crystal],
    fractions: FloatArray,
    stretches: FloatArray,
    *,
    rng: np.random.Generator,
    u_iso: tuple[float, float] = (0.005, 0.010),
    distortion: FloatArray | None = None,
    anisotropy: float = 0.0,
    scatter: float = 0.0,
    noise: float = 0.01,
    changes: tuple[float, ...] = (),
    r: FloatArray = R,
) -> Heating:
    """Return G(r) of mixtures of crystals that expand, and whose atoms move more, when heated.

    Parameters
    ----------
    fractions, stretches : (n_curves, n_phases).
    u_iso : mean square displacements of the first and the last curve [Å²].
    distortion : (n_curves,) relative change of the first phase's a, its b changes by as much the
        other way; None for none.
    anisotropy : c stretches by so much more than a and b, 0.5 for half as much again.
    scatter : standard deviation of the curves' scale, which no expansion explains.
    noise : standard deviation as a share of the mean root mean square of the curves; white within
        the range of Q.
    """
    n = len(fractions)
    motion = np.linspace(*u_iso, n)
    engines = [CrystalPDF(phase, r, RANGE) for phase in phases]
    tilt = np.zeros(n) if distortion is None else distortion
    g_r = np.zeros((n, len(r)))
    for k, engine in enumerate(engines):
        plain = parameters_of(engine.crystal)
        for i in np.flatnonzero(fractions[:, k] > 0):
            cell = plain.cell.clone()
            cell[:3] *= float(stretches[i, k])
            cell[2] *= float(stretches[i, k]) ** anisotropy
            if k == 0:
                cell[0], cell[1] = cell[0] * (1 + tilt[i]), cell[1] * (1 - tilt[i])
            moved = torch.full_like(plain.u_iso, float(motion[i]))
            curve = engine.g_r(replace(plain, cell=cell, u_iso=moved, q_damp=0.03))
            g_r[i] += fractions[i, k] * curve.numpy()
    g_r *= 1 + scatter * rng.normal(size=(n, 1))
    size = noise * float(np.sqrt(np.mean(g_r**2)))
    knots = np.arange(r[0] - 1.0, r[-1] + 1.0, np.pi / RANGE.q_max)
    white = CubicSpline(knots, rng.normal(size=(len(knots), n)) * size)(r).T
    return Heating(
        np.linspace(300.0, 300.0 + 10.0 * (n - 1), n), r, g_r + white, fractions, stretches, changes
    )


def draw_mixture(
    rng: np.random.Generator, *, n_curves: int = 24, largest: float = 0.02, hard: bool = False
) -> Heating:
    """Return a series of two phases, one turning to the other, each stretched up to `largest`.

    It begins with the one pure and ends with the other pure, as in a transition that is seen whole.

    Parameters
    ----------
    hard : c expands half as much again as a and b, and scales scatter by 2 %: nothing that the
        factorisation models.
    """
    names = rng.choice(len(PHASES), size=2, replace=False)
    phases = [structure(PHASES[k]) for k in names]
    place = np.arange(n_curves) / (n_curves - 1)
    first, last = rng.uniform(0.15, 0.4), rng.uniform(0.6, 0.85)
    share = np.clip((place - first) / (last - first), 0, 1)
    fractions = np.stack([1 - share, share], axis=1)
    ends = rng.uniform(0.3, 1.0, 2) * largest * rng.choice([-1, 1], 2)
    stretches = 1 + np.outer(place - 0.5, ends)
    temperature = 300.0 + 10.0 * (n_curves - 1) * np.array([first, last])
    changes = tuple(float(t) for t in temperature)
    return simulate_heating(
        phases,
        fractions,
        stretches,
        rng=rng,
        changes=changes,
        anisotropy=0.5 if hard else 0.0,
        scatter=0.02 if hard else 0.0,
    )


def draw_distortion(rng: np.random.Generator, *, n_curves: int = 12) -> Heating:
    """Return a series of one tetragonal or cubic crystal whose a and b differ when it is cold.

    The distortion falls from 0.3 … 0.6 % to 0 within one step, as in a transition of first order.
    """
    phase = structure(PHASES[int(rng.integers(len(PHASES)))])
    change = int(rng.integers(3, n_curves - 3))
    size = rng.uniform(0.003, 0.006)
    cold = np.arange(n_curves) < change
    place = np.arange(n_curves) / (n_curves - 1)
    # It shrinks a little already before it vanishes.
    distortion = np.where(cold, size * (1 - 0.3 * place), 0.0)
    stretches = 1 + np.outer(place - 0.5, [rng.uniform(0.0005, 0.003)])
    return simulate_heating(
        [phase],
        np.ones((n_curves, 1)),
        stretches,
        rng=rng,
        distortion=distortion,
        changes=(300.0 + 10.0 * (change - 0.5),),
    )


def draw_quiet(rng: np.random.Generator, *, n_curves: int = 20) -> Heating:
    """Return a series of one crystal, or of a constant mixture of two, that only expands."""
    names = rng.choice(len(PHASES), size=int(rng.integers(1, 3)), replace=False)
    share = rng.uniform(0.2, 0.8)
    mean = np.array([share, 1 - share]) if len(names) == 2 else np.ones(1)
    place = np.arange(n_curves) / (n_curves - 1)
    ends = rng.uniform(0.001, 0.02, len(names))
    return simulate_heating(
        [structure(PHASES[k]) for k in names],
        np.tile(mean, (n_curves, 1)),
        1 + np.outer(place - 0.5, ends),
        rng=rng,
    )
