"""Uncertainty of a fit: the covariance of what it says, statistical and systematic.

Statistical: the inverse of JᵀJ over all refined numbers with their weak priors, the data's part
divided by χ²_red and by the number of neighbouring points that err together; after Bérar &
Lelann (1991), doi:10.1107/S0021889890008391, who show that residuals of profile fits are
correlated and plain standard deviations therefore too small.

Systematic, for mass fractions: each phase's scale is off by a relative error of standard deviation
√((0.7 m)² + (0.75 |μ − μ̄| D)²), independent of the other phases: m is the misfit of its
integrated intensities (`misfit`), which tells wrong atomic positions, texture and extinction, and
the second term says that the grain diameter D in `microabsorption` is known to ± 100 %. D = 3 µm
and the factor 0.7 were chosen on the 2-minute scans of twelve weighed mixtures of oxides and
carbonates (Fei et al. 2026), where 26 of 30 intervals of 90 % then hold the weighed fraction; the
round robin's mixtures took no part in it.

Systematic, for the rest, chosen by judgement: 10 % of a size; 10 % and 5·10⁻⁵ of a microstrain,
for instrument functions that are not pseudo-Voigt; 3·10⁻⁵ of a cell length; 0.002° of an angle;
0.01° of the displacement, for a goniometer whose zero is not refined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.physics.reflections import linear_attenuation
from analysis.xrd.fit import Fit
from analysis.xrd.microabsorption import CM_PER_UM, corrected_weights
from analysis.xrd.misfit import Misfit

FloatArray = NDArray[np.float64]

MISFIT_FACTOR = 0.7
"""Relative error of a phase's scale per unit of its integrated misfit."""

PROFILE_ERROR = 0.1
"""Relative systematic error of sizes and microstrains."""

LENGTH_ERROR = 3e-5
"""Relative systematic error of cell lengths."""

ANGLE_ERROR = 0.002
"""Systematic error of cell angles [deg]."""

ZERO_ERROR = 0.01
"""Systematic error of the displacement [deg]."""

STRAIN_ERROR = 5e-5
"""Systematic error of a microstrain, beside the relative one."""

DETECTABLE = 3.0
"""Mass fraction, in its statistical std, from which a phase's cell and size are reported."""


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """Numbers read from a fit, with their covariance.

    Attributes
    ----------
    names : (quantity, phase or "", cell parameter or ""), in order.
    values : (n,) the numbers.
    covariance : (n, n), statistical and systematic.
    statistical_std : (n,) what counting statistics alone would leave.
    """

    names: tuple[tuple[str, str, str], ...]
    values: FloatArray
    covariance: FloatArray
    statistical_std: FloatArray


def state(fit: Fit, *, misfit: Misfit, diameter: float) -> Statement:
    """Return what a fit says and how sure it is.

    Mass fractions of all phases come first, then the displacement, then the cell, size and
    microstrain of each phase that is there beyond three statistical standard deviations.

    Parameters
    ----------
    diameter : of the grains [µm], see `microabsorption`.
    """
    layout = fit.problem.layout
    crystals = layout.crystals
    wavelength = fit.problem.radiation.wavelength
    weights = corrected_weights(fit.scales, crystals, diameter=diameter, wavelength=wavelength)
    parameters = _parameter_covariance(fit, misfit=misfit)
    n_slots, n_phases = len(layout.slots), len(crystals)
    first_slot = len(parameters) - n_slots
    mixing = weights[:, None] * (np.eye(n_phases) - weights[None, :])
    to_weights = np.zeros((n_phases, len(parameters)))
    # Where a scale is 0 its weight moves as if it were any small positive number.
    tau = np.where(fit.scales > 0, weights / np.maximum(fit.scales, 1e-300), 0.0)
    tau[fit.scales == 0] = tau[fit.scales > 0].mean()
    to_weights[:, :n_phases] = (np.eye(n_phases) - weights[:, None]) * tau[None, :]
    weight_std = np.sqrt(np.diag(to_weights @ parameters @ to_weights.T))
    relative = _scale_errors(fit, misfit=misfit, weights=weights, diameter=diameter)

    names: list[tuple[str, str, str]] = [("weight_fraction", c.name, "") for c in crystals]
    values, rows = list(weights), list(to_weights)
    systematic = [0.0] * n_phases
    for k, slot in enumerate(layout.slots):
        there = slot.phase is None or weights[slot.phase] > DETECTABLE * weight_std[slot.phase]
        if not there or slot.name not in _REPORTED:
            continue
        phase = "" if slot.phase is None else crystals[slot.phase].name
        value, slope, error = _physical(fit, k)
        quantity = _REPORTED[slot.name]
        names.append((quantity, phase, slot.name if quantity == "lattice" else ""))
        row = np.zeros(len(parameters))
        row[first_slot + k] = slope
        rows.append(row)
        values.append(value)
        systematic.append(error)
    to_all = np.array(rows)
    statistical = to_all @ parameters @ to_all.T
    covariance = statistical + np.diag(np.square(systematic))
    covariance[:n_phases, :n_phases] += mixing @ np.diag(relative**2) @ mixing.T
    return Statement(tuple(names), np.array(values), covariance, np.sqrt(np.diag(statistical)))


_REPORTED = {
    "displacement": "displacement",
    "size": "crystallite_size",
    "microstrain": "microstrain",
    **dict.fromkeys(("a", "b", "c", "alpha", "beta", "gamma"), "lattice"),
}


def _parameter_covariance(fit: Fit, *, misfit: Misfit) -> FloatArray:
    """Covariance of scales, background and slots, (n, n), with inflated residual variance."""
    problem = fit.problem
    inflation = max(misfit.chi2_reduced, 1.0) * max(misfit.correlation, 1.0)
    information = problem.information(fit.vector) / inflation
    n_slots = len(problem.layout.slots)
    slots = np.arange(len(information) - n_slots, len(information))
    information[slots, slots] += problem.prior_information
    # Columns differ by many orders of magnitude, so the inverse is taken of the scaled matrix.
    size = np.sqrt(np.diag(information))
    size[size == 0] = 1.0
    inverse = np.linalg.pinv(information / np.outer(size, size), rcond=1e-12, hermitian=True)
    return np.asarray(inverse / np.outer(size, size), dtype=np.float64)


def _scale_errors(fit: Fit, *, misfit: Misfit, weights: FloatArray, diameter: float) -> FloatArray:
    """Relative systematic error of each phase's scale, (n_phases,)."""
    crystals = fit.problem.layout.crystals
    wavelength = fit.problem.radiation.wavelength
    mu = np.array([linear_attenuation(c, wavelength=wavelength) for c in crystals])
    volumes = weights / np.array([c.density for c in crystals])
    contrast = mu - float(volumes @ mu / volumes.sum())
    grains = 0.75 * contrast * diameter * CM_PER_UM
    intensities = MISFIT_FACTOR * np.minimum(misfit.phase_misfit, 1.0)
    return np.asarray(np.hypot(grains, intensities), dtype=np.float64)


def _physical(fit: Fit, k: int) -> tuple[float, float, float]:
    """Return slot k's physical value, its slope with the slot, and its systematic error."""
    slot, number = fit.problem.layout.slots[k], float(fit.vector[k])
    if slot.name in ("size", "microstrain"):
        value = float(np.exp(number))
        floor = STRAIN_ERROR if slot.name == "microstrain" else 0.0
        return value, value, float(np.hypot(PROFILE_ERROR * value, floor))
    if slot.name == "displacement":
        return number, 1.0, ZERO_ERROR
    assert slot.phase is not None
    crystal = fit.problem.layout.crystals[slot.phase]
    start = crystal.cell[("a", "b", "c", "alpha", "beta", "gamma").index(slot.name)]
    error = LENGTH_ERROR * start if slot.name in "abc" else ANGLE_ERROR
    return start * number, start, error
