"""Uncertainty of a fit: the covariance of what it says, statistical and systematic.

Statistical: the inverse of JᵀJ over all refined numbers with their weak priors, the data's part
divided by χ²_red and by the number of neighbouring points that err together; after Bérar &
Lelann (1991), J. Appl. Cryst. 24, 1, who show that residuals of profile fits are correlated and
plain standard deviations therefore too small.

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

from analysis.physics.cell import CELL_NAMES
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
    crystals = fit.problem.layout.crystals
    weights = corrected_weights(
        fit.scales,
        crystals,
        diameter=diameter,
        wavelength=fit.problem.radiation.wavelength,
    )
    parameters = _parameter_covariance(fit, misfit=misfit)
    weight_rows = _weight_rows(fit, weights, n_parameters=len(parameters))
    weight_std = np.sqrt(np.diag(weight_rows @ parameters @ weight_rows.T))
    numbers = _profile_numbers(fit, seen=weights > DETECTABLE * weight_std)
    profile_rows = np.zeros((len(numbers), len(parameters)))
    first_slot = len(parameters) - len(fit.vector)
    for row, number in zip(profile_rows, numbers, strict=True):
        row[first_slot + number.slot] = number.slope
    rows = np.vstack([weight_rows, profile_rows])
    statistical = rows @ parameters @ rows.T
    covariance = statistical.copy()
    n = len(weights)
    relative = _scale_errors(fit, misfit=misfit, weights=weights, diameter=diameter)
    mixing = weights[:, None] * (np.eye(n) - weights[None, :])
    covariance[:n, :n] += mixing @ np.diag(relative**2) @ mixing.T
    covariance[n:, n:] += np.diag([number.error**2 for number in numbers])
    return Statement(
        names=(
            *(("weight_fraction", crystal.name, "") for crystal in crystals),
            *(number.name for number in numbers),
        ),
        values=np.array([*weights, *(number.value for number in numbers)]),
        covariance=covariance,
        statistical_std=np.sqrt(np.diag(statistical)),
    )


@dataclass(frozen=True, slots=True)
class _Number:
    """A refined slot as a physical number: its slope with the slot, and its systematic error."""

    name: tuple[str, str, str]
    slot: int
    value: float
    slope: float
    error: float


_REPORTED = {
    "displacement": "displacement",
    "size": "crystallite_size",
    "microstrain": "microstrain",
    **dict.fromkeys(CELL_NAMES, "lattice"),
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


def _weight_rows(fit: Fit, weights: FloatArray, *, n_parameters: int) -> FloatArray:
    """Derivatives of the mass fractions with all refined numbers, (n_phases, n_parameters)."""
    present = fit.scales > 0
    per_scale = np.zeros(len(weights))
    per_scale[present] = weights[present] / fit.scales[present]
    # A phase whose scale is 0 would gain weight as the others do.
    per_scale[~present] = per_scale[present].mean()
    rows = np.zeros((len(weights), n_parameters))
    rows[:, : len(weights)] = (np.eye(len(weights)) - weights[:, None]) * per_scale
    return rows


def _profile_numbers(fit: Fit, *, seen: NDArray[np.bool_]) -> list[_Number]:
    """Displacement, cells, sizes and microstrains of the phases that are seen."""
    layout = fit.problem.layout
    numbers = []
    for k, slot in enumerate(layout.slots):
        if slot.name not in _REPORTED or (slot.phase is not None and not seen[slot.phase]):
            continue
        phase = "" if slot.phase is None else layout.crystals[slot.phase].name
        quantity = _REPORTED[slot.name]
        name = (quantity, phase, slot.name if quantity == "lattice" else "")
        numbers.append(_Number(name, k, *_physical(fit, k)))
    return numbers


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
    start = crystal.cell[CELL_NAMES.index(slot.name)]
    error = LENGTH_ERROR * start if slot.name in "abc" else ANGLE_ERROR
    return start * number, start, error
