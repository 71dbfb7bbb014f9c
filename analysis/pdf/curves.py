"""Measured I(Q), S(Q), F(Q) or G(r), ready to be compared with S(Q) − 1 of a structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.errors import BadPattern
from analysis.pdf.preprocess import FEWEST, prepare
from analysis.pdf.transform import QRange, even_grid
from analysis.physics.scattering_factors import Probe, scattering_factor
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

SCAN_Q_MAX = 12.0
"""Q [1/Å] beyond which the scan does not look: it tells types by near order and outline."""

LEAST_Q_MIN = 0.7
"""Q_min [1/Å] of a G(r) that states none or less: programs take small angles for background."""

_SCAN_STEP = 0.05
_LARGEST = 40.0
"""Extent of particles [Å] that the grids are made for."""
_POINTS = 400


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One curve in two forms: as it is fitted, and in Q for the scan.

    Attributes
    ----------
    x, y : (n,) what is fitted, thinned.
    weight : (n,) by which residuals count; all one.
    constant : (n,) unit vector of a free constant, None for F(Q) and G(r).
    model_q : (n_q,) momentum transfer [1/Å] at which S(Q) − 1 is needed.
    to_curve : (n_q, n) matrix from S(Q) − 1 to the curve, or (n_q,) factors.
    fade : (n,) damping of the curve.
    scan_q, scan_y, scan_weight : (n_scan,) the curve for the scan; weight times S(Q) − 1 is shown.
    scan_constant : (n_scan,) as `constant`.
    n_independent : points that tell something new.
    """

    x: FloatArray
    y: FloatArray
    weight: FloatArray
    constant: FloatArray | None
    model_q: FloatArray
    to_curve: FloatArray
    fade: FloatArray
    scan_q: FloatArray
    scan_y: FloatArray
    scan_weight: FloatArray
    scan_constant: FloatArray | None
    n_independent: float

    def show(self, s_minus_one: FloatArray) -> FloatArray:
        """Return the curve, (n,), that S(Q) − 1 (n_q,) gives."""
        if self.to_curve.ndim == 1:
            return s_minus_one * self.to_curve
        return np.asarray(s_minus_one @ self.to_curve) * self.fade


def read_curve(
    measurement: Measurement,
    *,
    r_range: tuple[float, float],
    q_range: tuple[float | None, float | None],
    q_damp: float,
    element: str | None,
    probe: Probe,
) -> Reading:
    """Return a measured curve, ready for the scan and the fit.

    Parameters
    ----------
    r_range : of a G(r) [Å].
    q_range : ends [1/Å] that replace what the measurement states (G(r)) or holds (the others).
    q_damp : of the instrument, for G(r) [1/Å].
    element : whose form factor an I(Q) is divided by.

    Raises
    ------
    BadPattern
        It is none of the four curves, too short, or an I(Q) without an element.
    """
    m = measurement
    if m.technique == "pdf" and m.y_name == "g_r":
        return _from_g_r(m, r_range=r_range, q_range=q_range, q_damp=q_damp)
    known = m.technique == "pdf" and m.y_name in ("i_q", "s_q", "f_q") and m.x_name == "q"
    if not known or m.x_unit != "1/Å":
        raise BadPattern(
            f"{m.id} is {m.y_name or 'nothing'} over {m.x_name} in {m.x_unit!r} by technique "
            f"{m.technique!r}; i_q, s_q or f_q over q in 1/Å or g_r over r in Å was expected"
        )
    return _from_q(m, q_range=q_range, element=element, probe=probe)


def _from_g_r(
    m: Measurement,
    *,
    r_range: tuple[float, float],
    q_range: tuple[float | None, float | None],
    q_damp: float,
) -> Reading:
    data = prepare(m, r_range=r_range, q_min=q_range[0], q_max=q_range[1])
    low = data.q_min if q_range[0] is not None else max(data.q_min, LEAST_Q_MIN)
    span = QRange(low, data.q_max)
    q = even_grid(span, r_max=float(data.r[-1]), extent=_LARGEST)
    q = np.maximum(q, 1e-3)
    width = np.full_like(q, q[1] - q[0])
    width[[0, -1]] /= 2
    kernel = (2 / np.pi) * (width * q)[:, None] * np.sin(np.outer(q, data.r))
    scan_q = np.arange(max(span.q_min, 0.5), min(data.q_max, SCAN_Q_MAX), _SCAN_STEP)
    step = float(np.median(np.diff(data.r)))
    f_q = step * np.sin(np.outer(scan_q, data.r)) @ data.g_r
    return Reading(
        x=data.r,
        y=data.g_r,
        weight=np.ones_like(data.r),
        constant=None,
        model_q=q,
        to_curve=kernel,
        fade=np.exp(-0.5 * (q_damp * data.r) ** 2),
        scan_q=scan_q,
        scan_y=f_q / scan_q,
        scan_weight=scan_q,
        scan_constant=None,
        n_independent=data.n_independent,
    )


def _from_q(
    m: Measurement,
    *,
    q_range: tuple[float | None, float | None],
    element: str | None,
    probe: Probe,
) -> Reading:
    low = q_range[0] if q_range[0] is not None else 0.0
    high = q_range[1] if q_range[1] is not None else np.inf
    inside = (m.x >= max(low, 1e-3)) & (m.x <= high)
    q, y = m.x[inside], m.y[inside]
    n_independent = float((q[-1] - q[0]) * _LARGEST / np.pi) if q.size > 1 else 0.0
    if q.size < FEWEST or n_independent < FEWEST:
        raise BadPattern(
            f"{m.id} has {q.size} points in the range of Q, over too little of it for a match; "
            f"at least {FEWEST} independent ones were expected; widen q_min and q_max"
        )
    if m.y_name == "i_q":
        if element is None:
            raise BadPattern(
                f"{m.id} is an intensity, which needs a form factor; say element in the settings"
            )
        y = y / scattering_factor(element, q, probe=probe) ** 2
    stride = max(1, q.size // _POINTS)
    kept_q, kept = q[::stride], _smoothed(y, stride)[::stride]
    is_f = m.y_name == "f_q"
    scan_q = np.arange(max(q[0], 0.5), min(q[-1], SCAN_Q_MAX), _SCAN_STEP)
    width = max(1, round(_SCAN_STEP / float(np.median(np.diff(q)))))
    scan_y = np.interp(scan_q, q, _smoothed(y, width))
    return Reading(
        x=kept_q,
        y=kept,
        weight=np.ones_like(kept_q),
        constant=None if is_f else np.full(kept_q.size, kept_q.size**-0.5),
        model_q=kept_q,
        to_curve=kept_q if is_f else np.ones_like(kept_q),
        fade=np.ones_like(kept_q),
        scan_q=scan_q,
        scan_y=scan_y / scan_q if is_f else scan_y,
        scan_weight=scan_q if is_f else np.ones_like(scan_q),
        scan_constant=None if is_f else np.full(scan_q.size, scan_q.size**-0.5),
        n_independent=n_independent,
    )


def _smoothed(y: FloatArray, width: int) -> FloatArray:
    """Return the running mean over an odd number of points, ends as they are."""
    half = width // 2
    if half == 0:
        return y
    padded = np.pad(y, half, mode="edge")
    return np.asarray(np.convolve(padded, np.full(2 * half + 1, 1 / (2 * half + 1)), "valid"))
