"""Series: many patterns of one sample as it changes, each fit started from the last."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.fit import Fit, fit_pattern
from analysis.xrd.layout import Layout
from analysis.xrd.preprocess import FitRange
from analysis.xrd.radiation import Radiation

logger = logging.getLogger(__name__)
FloatArray = NDArray[np.float64]

CLEARLY_WORSE = 1.3
"""Ratio of χ²_red to the last pattern's from which the full grid of starts is tried again."""


class Series:
    """Fits patterns in the order in which they were measured.

    The first is fitted from the full grid of starts, every other from its neighbour's result. Where
    χ²_red is 1.3 times the neighbour's or more, the grid is tried too and the better of both fits
    is kept, so that a jump between two patterns is not missed. A cell may move by what the layout
    allows about the listed one, not about the neighbour's.

    A start keeps a symmetry that its neighbour has: a series that begins above a distortion may
    stay undistorted below it. Begin at the side of lower symmetry.

    Parameters
    ----------
    layout : what is refined in each of them.
    radiation : of the instrument.
    background_order : of the Chebyshev background.
    """

    def __init__(self, *, layout: Layout, radiation: Radiation, background_order: int) -> None:
        self.layout = layout
        self.radiation = radiation
        self.background_order = background_order
        self._last: Fit | None = None

    def fit(self, data: FitRange) -> Fit:
        """Return the refined pattern and remember where it ended."""
        last = self._last
        if last is None:
            found = self._from(data, None)
        else:
            found = self._from(data, last.vector)
            if found.chi2_reduced > CLEARLY_WORSE * last.chi2_reduced:
                found = min(found, self._from(data, None), key=lambda fit: fit.chi2_reduced)
                logger.info("tried the full grid chi2_reduced=%.2f", found.chi2_reduced)
        if np.any(found.scales > 0):
            self._last = found
        return found

    def refined(self, data: FitRange, layout: Layout, start: FloatArray | None) -> Fit:
        """Return a fit with another layout; the series does not go on from it.

        Parameters
        ----------
        start : (n,) vector of `layout` to start from; the full grid if None.
        """
        return fit_pattern(
            data,
            layout=layout,
            radiation=self.radiation,
            background_order=self.background_order,
            start=start,
        )

    def _from(self, data: FitRange, start: FloatArray | None) -> Fit:
        return self.refined(data, self.layout, start)
