"""One curve read with given patterns: weights, stretches, and how much wider its peaks are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from analysis.learning.decomposition.stretched_model import Model, widened

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

SUM_PULL = 0.3
"""How strongly weights are pulled to a sum of one, beside the mean norm of the patterns."""

LOOSE = 0.01
"""Standard deviation of a stretch about that of the curve before, in ln x, where data say little:
a faint phase keeps its neighbours' stretch."""

WIDENING = (0.005, 3e-5)
"""Standard deviations of the widening's coefficients [x², x⁴]; for r in Å those of displacements
that double."""

MISFIT = 0.05
"""Relative misfit that the pull on the widening supposes."""

LONGEST_STEP = 0.004
"""Of one Gauss–Newton step of a stretch, in ln x."""


@dataclass(frozen=True, slots=True, eq=False)
class CurveFit:
    """One curve read with given patterns.

    Attributes
    ----------
    weights : (n_phases,), at least 0.
    stretches : (n_phases,) in ln x.
    widening : (0,) or (2 n_phases,) coefficients of the patterns' second, then their fourth
        derivatives, times weight [x², x⁴]: half the variance by which a phase's peaks are wider
        than its pattern's, and the next term of that expansion.
    calculated : (n_points,).
    weight_variance : (n_phases,) per unit variance of one point, stretches and widening fitted too.
    """

    weights: FloatArray
    stretches: FloatArray
    widening: FloatArray
    calculated: FloatArray
    weight_variance: FloatArray


def fit_curve(
    model: Model,
    curve: FloatArray,
    start: FloatArray,
    *,
    held: FloatArray | None = None,
    n_steps: int = 3,
) -> CurveFit:
    """Return weights and stretches of the model's patterns in one curve.

    Gauss–Newton steps of the stretches with all weights free, each followed by non-negative least
    squares of the weights (Lawson & Hanson 1974).

    Parameters
    ----------
    curve : (n_points,) on the model's axis.
    start : (n_phases,) stretches to begin with, and near which faint phases stay [ln x].
    held : (n_phases,) weights that are known, NaN where they are not; None if none is.
    """
    known = np.full(len(start), np.nan) if held is None else held
    spectra = model.spectra(model.patterns)
    stretches = start.copy()
    seen = model.observed
    weights, widening, columns, slopes = _solve(model, spectra, curve, stretches, known)
    for _ in range(n_steps):
        step = _stretch_step(
            curve[seen], columns[:, seen], slopes[:, seen], weights, widening, stretches - start
        )
        stretches = stretches + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        weights, widening, columns, slopes = _solve(model, spectra, curve, stretches, known)
    return CurveFit(
        weights,
        stretches,
        widening,
        np.append(weights, widening) @ columns,
        _weight_variance(columns[:, seen], slopes[:, seen] * weights[:, None], len(weights)),
    )


def parts_of(model: Model, fit: CurveFit) -> FloatArray:
    """Return each phase's part of a curve, (n_phases, n_points), widening left out."""
    turn = np.exp(-(1j * model.frequency + model.exponent) * fit.stretches[:, None])
    return fit.weights[:, None] * model.curves(turn * model.spectra(model.patterns))


def _solve(
    model: Model, spectra: ComplexArray, curve: FloatArray, stretches: FloatArray, known: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return weights, widening, the columns that they multiply, and the patterns' slopes."""
    phase = np.exp(-1j * stretches[:, None] * model.frequency - model.exponent * stretches[:, None])
    turned = spectra * phase
    columns = model.curves(turned)
    slopes = model.curves(-1j * model.frequency * turned)
    seen = model.observed
    weights = _weights(columns[:, seen], curve[seen], known)
    if model.nuisance == "none":
        return weights, np.empty(0), columns, slopes
    wider = widened(model, weights[:, None] * columns)
    weights, widening = _weights_beside(columns[:, seen], wider[:, seen], curve[seen], known)
    return weights, widening, np.vstack([columns, wider]), slopes


def _weights(columns: FloatArray, curve: FloatArray, known: FloatArray) -> FloatArray:
    free = np.isnan(known)
    weights = np.where(free, 0.0, known)
    if not free.any():
        return weights
    pull = SUM_PULL * np.linalg.norm(columns) / len(columns) ** 0.5
    matrix = np.vstack([columns[free].T, np.full(int(free.sum()), pull)])
    target = np.append(curve - weights @ columns, pull * (1 - weights.sum()))
    weights[free] = _non_negative(matrix, target)
    return weights


def _weights_beside(
    columns: FloatArray, beside: FloatArray, curve: FloatArray, known: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return weights of columns, and the coefficients, of either sign, of those beside them."""
    pull = _widening_pull(curve, len(beside))
    inverse = np.linalg.inv(beside @ beside.T + np.diag(pull))
    # Taken off is what the others explain: the weights are then those of the whole problem.
    gram = columns @ columns.T
    cross, told = beside @ columns.T, beside @ curve
    matrix = gram - cross.T @ inverse @ cross
    free = np.isnan(known)
    weights = np.where(free, 0.0, known)
    target = columns @ curve - cross.T @ inverse @ told - matrix @ weights
    if free.any():
        size = SUM_PULL**2 * float(np.trace(gram)) / len(columns)
        normal = matrix[np.ix_(free, free)] + size
        weights[free] = _from_normal(normal, target[free] + size * (1 - weights.sum()))
    return weights, np.asarray(inverse @ (told - cross @ weights))


def _widening_pull(curve: FloatArray, n_terms: int) -> FloatArray:
    variance = MISFIT**2 * float(curve @ curve) / len(curve)
    return np.asarray(variance / np.repeat(WIDENING, n_terms // 2) ** 2)


def _from_normal(normal: FloatArray, target: FloatArray) -> FloatArray:
    """Return the non-negative solution of normal equations, through their Cholesky factor."""
    jitter = 1e-10 * np.trace(normal) * np.eye(len(normal))
    triangle = np.linalg.cholesky(normal + jitter).T
    return np.asarray(nnls(triangle, np.linalg.solve(triangle.T, target))[0])


def _non_negative(matrix: FloatArray, target: FloatArray) -> FloatArray:
    """Return non-negative least squares, through the small triangle of a QR decomposition."""
    q, r = np.linalg.qr(matrix)
    return np.asarray(nnls(r, q.T @ target)[0])


def _stretch_step(
    curve: FloatArray,
    columns: FloatArray,
    slopes: FloatArray,
    weights: FloatArray,
    widening: FloatArray,
    moved: FloatArray,
) -> FloatArray:
    n_phases = len(weights)
    left = curve - np.append(weights, widening) @ columns
    jacobian = np.vstack([weights[:, None] * slopes, columns])
    matrix = jacobian @ jacobian.T
    matrix[np.diag_indices_from(matrix)] *= 1 + 1e-6
    pull = np.zeros(len(jacobian))
    pull[:n_phases] = max(float(left @ left), 1e-12 * float(curve @ curve)) / LOOSE**2 / 50
    pull[2 * n_phases :] = _widening_pull(curve, len(widening))
    right = jacobian @ left
    right[2 * n_phases :] -= pull[2 * n_phases :] * widening
    right[:n_phases] -= pull[:n_phases] * moved
    scale = np.sqrt(np.diag(matrix) + pull)
    scale += 1e-9 * scale.max()
    system = (matrix + np.diag(pull)) / np.outer(scale, scale) + 1e-9 * np.eye(len(scale))
    return np.asarray((np.linalg.solve(system, right / scale) / scale)[:n_phases])


def _weight_variance(columns: FloatArray, slopes: FloatArray, n_phases: int) -> FloatArray:
    """Return the diagonal of the inverse normal matrix, for the weights."""
    jacobian = np.vstack([columns, slopes])
    matrix = jacobian @ jacobian.T
    scale = np.sqrt(np.diag(matrix)) + 1e-12 * np.linalg.norm(columns)
    inverse = np.linalg.inv(matrix / np.outer(scale, scale) + 1e-6 * np.eye(len(scale)))
    return np.asarray(np.diag(inverse)[:n_phases] / scale[:n_phases] ** 2)
