"""How much of a phase could hide in a pattern in which it was not found."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.disposing import Disposed
from analysis.xrd.misfit import BIN

FloatArray = NDArray[np.float64]


def hidden_fractions(
    disposed: Disposed,
    fractions: FloatArray,
    columns: FloatArray,
    probability: FloatArray,
    *,
    step: float,
) -> FloatArray:
    """Return the standard deviation of each phase's weight fraction about 0, (n_phases,).

    √(h² + p w²): h is the fraction whose strongest line would just stand out of the noise, w the
    fraction that the last fit gave the phase, if it was in one, and p the probability that the
    phase is there after all. At most 1.

    Parameters
    ----------
    disposed : with a fit.
    fractions : (n_phases,) weight fractions of the phases found, 0 for the others.
    columns : (n_phases, n_points) pattern of each phase per unit mass, on an even grid.
    probability : (n_phases,) of each phase being there.
    step : of the grid [deg].
    """
    assert disposed.misfit is not None
    width = max(round(BIN / step), 1)
    usable = columns.shape[1] // width * width
    lines = columns[:, :usable].reshape(len(columns), -1, width).sum(axis=2).max(axis=1)
    area = columns.sum(axis=1)
    whole = float(fractions @ area)
    hidden = disposed.misfit.detectable * whole / np.maximum(lines, 1e-12 * area)
    shares = np.zeros(len(columns))
    for index, evidence in disposed.evidence.items():
        shares[index] = evidence.share
    last = shares * whole / area
    std = np.sqrt(hidden**2 + probability * last**2)
    return np.asarray(np.minimum(std, 1.0))
