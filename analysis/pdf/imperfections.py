"""What is left of a misfit when smooth imperfections of sample and reduction are forgiven.

A right structure fits badly when grains have a shape, atoms move unequally, cells are strained
unevenly, or F(Q) was reduced with a slow error. To first order each of these changes a calculated
G(r) by the curve itself, its first or its second derivative, times something smooth in r, or
changes F(Q) by something smooth in Q. A wrong structure, or a second one, does none of this.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

FloatArray = NDArray[np.float64]

_Q_STEP = 0.08
_LEAST_Q = 0.5
_IN_R = 4
"""Terms in r by which the calculated curve is multiplied: damping, size, shape."""
_STRAIN, _WIDTH = 2, 3
"""Terms of r · G′ and of G″."""
_IN_Q = 4
"""Terms in Q of the slow factor, besides the constant, and of the slow offset."""
_NEGLIGIBLE = 1e-3


def unexplained(
    r: FloatArray, observed: FloatArray, calculated: FloatArray, *, q_max: float
) -> float:
    """Return R_w = ‖misfit‖ / ‖observed‖ after least squares of the smooth imperfections.

    The slow offset of S(Q) is taken from the observed curve as well, so that a large one does not
    count as something explained.

    Parameters
    ----------
    r : (n,) even grid [Å].
    observed, calculated : (n,) G(r) [1/Å²].
    q_max : of the transform [1/Å].
    """
    offset = _offsets(r, q_max=q_max)
    columns = np.concatenate([_of_curve(r, calculated, q_max=q_max), offset])
    left = _without(columns, observed - calculated)
    whole = _without(offset, observed)
    return float(np.linalg.norm(left)) / max(float(np.linalg.norm(whole)), 1e-12)


def _of_curve(r: FloatArray, calculated: FloatArray, *, q_max: float) -> FloatArray:
    """Return what imperfections add to a calculated curve, (n_columns, n)."""
    in_r = chebvander(2 * (r - r[0]) / (r[-1] - r[0]) - 1, _IN_R - 1).T
    spline = CubicSpline(r, calculated)
    first, second = spline(r, 1), spline(r, 2)
    _, in_q, sines = _in_q(r, q_max=q_max)
    f_q = float(r[1] - r[0]) * sines @ calculated
    slow = (2 / np.pi) * _Q_STEP * (in_q[1 : _IN_Q + 1] * f_q) @ sines
    parts = [calculated * in_r, r * first * in_r[:_STRAIN], second * in_r[:_WIDTH], slow]
    return np.concatenate(parts)


def _offsets(r: FloatArray, *, q_max: float) -> FloatArray:
    """Return what slow offsets of S(Q) look like in G(r), (n_columns, n)."""
    q, in_q, sines = _in_q(r, q_max=q_max)
    return np.asarray((2 / np.pi) * _Q_STEP * (in_q[:_IN_Q] * q) @ sines)


def _in_q(r: FloatArray, *, q_max: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    q = np.arange(_LEAST_Q, q_max, _Q_STEP)
    terms = chebvander(2 * (q - q[0]) / (q[-1] - q[0]) - 1, _IN_Q).T
    return q, terms, np.sin(np.outer(q, r))


def _without(columns: FloatArray, y: FloatArray) -> FloatArray:
    """Return y without its part in the span of columns, near copies of one another left out."""
    norm = np.linalg.norm(columns, axis=1, keepdims=True)
    basis = (columns / np.where(norm > 0, norm, 1.0)).T
    weights, *_ = np.linalg.lstsq(basis, y, rcond=_NEGLIGIBLE)
    return np.asarray(y - basis @ weights)
