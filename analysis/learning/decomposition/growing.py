"""One more curve beside a factorised series, in milliseconds: read, and patterns follow.

The normal equations of the patterns are sums over curves, so a new curve only adds to them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.learning.decomposition.curve_fit import CurveFit, fit_curve
from analysis.learning.decomposition.series import (
    Series,
    normal_equations,
    solved,
    squared_misfits,
    whole_and_plain,
)
from analysis.learning.decomposition.stretched_model import ComplexArray

FloatArray = NDArray[np.float64]


class Growing:
    """A factorised series that takes further curves.

    Earlier curves keep the weights they have; `refine_series` from time to time mends that.

    Parameters
    ----------
    series : factorised.
    curves : (n_curves, n_points) it was made from.
    """

    def __init__(self, series: Series, curves: FloatArray) -> None:
        self.model = series.model
        self._sums: tuple[ComplexArray, ComplexArray] = normal_equations(
            series.model, whole_and_plain(curves, series), series.weights, series.stretches
        )
        self._last = series.fits[-1]
        norms = (curves[:, series.model.observed] ** 2).sum(axis=1)
        self._usual = float(np.quantile(squared_misfits(curves, series) / norms, 0.95))

    def add(self, curve: FloatArray, *, steps: int = 4) -> tuple[CurveFit, float]:
        """Return a further curve read, and its squared misfit over the largest usual one.

        The patterns follow, unless the misfit is more than `STRANGE` times the usual: then it may
        hold a phase that they do not know, and the series should be factorised anew.

        Parameters
        ----------
        curve : (n_points,) on the model's axis, after those before in the series.
        """
        fit = fit_curve(self.model, curve, self._last.stretches, n_steps=steps)
        one = Series(self.model, (fit,))
        seen = curve[self.model.observed]
        strange = float(squared_misfits(curve[None], one)[0] / (seen @ seen)) / self._usual
        self._last = fit
        if strange <= STRANGE:
            plain = whole_and_plain(curve[None], one)
            normal, right = normal_equations(self.model, plain, one.weights, one.stretches)
            self._sums = (self._sums[0] + normal, self._sums[1] + right)
            self.model = solved(self.model, *self._sums)
        return fit, strange


STRANGE = 4.0
"""Squared misfit, over that of 95 % of the curves before, from which patterns do not follow."""
