"""Proposing: which candidates a spliced pattern could hold, by a fit of unrefined patterns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from analysis.physics.crystal import Crystal
from analysis.xrd.artefacts import displaced
from analysis.xrd.background import background_basis
from analysis.xrd.forward import PhaseState, phase_columns
from analysis.xrd.preprocess import FitRange
from analysis.xrd.profile import Resolution
from analysis.xrd.radiation import Radiation
from analysis.xrd.screen import BACKGROUND_ORDER, DISPLACEMENTS

FloatArray = NDArray[np.float64]

SIZE = 600.0
"""Crystallite size [Å] of the candidates' patterns."""

MARGIN = 1.0
"""Patterns are computed this far beyond what was measured [deg], so that peaks can move in."""


class Proposer:
    """Candidates as unrefined patterns; grids that were met before are remembered.

    Parameters
    ----------
    least : share of the Bragg area from which a candidate is proposed.
    most : candidates that are proposed at most.
    """

    def __init__(
        self,
        crystals: Sequence[Crystal],
        *,
        radiation: Radiation,
        resolution: Resolution,
        least: float,
        most: int,
    ) -> None:
        self._crystals = tuple(crystals)
        self._radiation, self._resolution = radiation, resolution
        self._least, self._most = least, most
        self._memory: dict[tuple[float, float, int], list[FloatArray]] = {}

    def propose(self, data: FitRange, *, step: float) -> tuple[int, ...]:
        """Return the indices of the candidates of largest share, in order.

        The best non-negative combination of all candidates over a background of either sign,
        weighted by `sigma`, at the displacement that describes the pattern best.

        Parameters
        ----------
        data : measured cells of an even grid, gaps allowed.
        step : width of a cell [deg].
        """
        place = np.rint((data.two_theta - data.two_theta[0]) / step).astype(np.intp)
        basis, _ = np.linalg.qr(
            background_basis(data.two_theta, order=BACKGROUND_ORDER) / data.sigma[:, None]
        )
        target = data.counts / data.sigma
        target = target - basis @ (basis.T @ target)
        best: tuple[float, FloatArray] | None = None
        for columns in self._moved(float(data.two_theta[0]), step, int(place[-1]) + 1):
            shares, rest = _combined(columns[:, place] / data.sigma, basis, target)
            if best is None or rest < best[0]:
                best = rest, shares
        assert best is not None
        order = np.argsort(-best[1], kind="stable")[: self._most]
        return tuple(sorted(int(i) for i in order if best[1][i] > self._least))

    def _moved(self, low: float, step: float, n_points: int) -> list[FloatArray]:
        """Return (n_phases, n_points) patterns of unit area at each displacement."""
        key = (round(low, 6), round(step, 6), n_points)
        if key not in self._memory:
            margin = int(MARGIN / step)
            grid = low + step * np.arange(-margin, n_points + margin, dtype=np.float64)
            states = [PhaseState(c, size=SIZE) for c in self._crystals]
            columns = phase_columns(
                grid, states, radiation=self._radiation, resolution=self._resolution
            ).T
            inside = slice(margin, margin + n_points)
            area = np.maximum(columns[:, inside].sum(axis=1, keepdims=True), 1e-300)
            self._memory[key] = [
                displaced(columns / area, grid, np.full(len(columns), shift))[:, inside]
                for shift in DISPLACEMENTS
            ]
        return self._memory[key]


def _combined(
    columns: FloatArray, basis: FloatArray, target: FloatArray
) -> tuple[FloatArray, float]:
    """Return the shares of weighted columns in a weighted pattern, and the norm that is left."""
    bare = columns.T - basis @ (basis.T @ columns.T)
    gram = bare.T @ bare
    root = np.linalg.cholesky(gram + 1e-9 * np.trace(gram) / len(gram) * np.eye(len(gram)))
    found, rest = nnls(root.T, np.linalg.solve(root, bare.T @ target))
    total = found.sum()
    return found / total if total > 0 else found, float(rest)
