"""Scoring: how much better a fit would be with one phase more, for every candidate outside it.

A score test: the candidate's scale is the only new number, everything that was fitted gives way
linearly, so no candidate need be fitted. Its cell and size are unknown; the likelihood is averaged
over a few of each, which also pays for the freedom to look in several places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, logsumexp

from analysis.physics.cell import scale_cell
from analysis.physics.crystal import Crystal
from analysis.xrd.adaptive.hypotheses import SCALE_PRIOR
from analysis.xrd.adaptive.linear import LinearModel
from analysis.xrd.artefacts import displaced
from analysis.xrd.forward import PhaseState, phase_columns
from analysis.xrd.profile import Resolution
from analysis.xrd.radiation import Radiation

FloatArray = NDArray[np.float64]
Patterns = NDArray[np.float32]

STRAINS = (-0.006, -0.004, -0.002, 0.0, 0.002, 0.004, 0.006)
"""Relative changes of all cell lengths that are tried."""

SIZES = (250.0, 1000.0)
"""Crystallite sizes [Å] that are tried."""


@dataclass(frozen=True, slots=True)
class Score:
    """What one phase more would bring.

    Attributes
    ----------
    log_evidence : logarithm of the Bayes factor of its presence.
    strain, size : of the variant that fits best; relative, and in Å.
    """

    log_evidence: float
    strain: float
    size: float


class Scorer:
    """Every candidate in several variants; the last grid is remembered."""

    def __init__(
        self, crystals: Sequence[Crystal], *, radiation: Radiation, resolution: Resolution
    ) -> None:
        self._crystals = tuple(crystals)
        self._radiation, self._resolution = radiation, resolution
        self._variants = [(strain, size) for strain in STRAINS for size in SIZES]
        self._memory: tuple[tuple[float, float, int], Patterns] | None = None

    def scores(
        self, model: LinearModel, inside: Sequence[int], *, displacement: float
    ) -> dict[int, Score]:
        """Return the score of every candidate outside a fit.

        Parameters
        ----------
        model : of the fit.
        inside : indices of the candidates in it.
        displacement : as fitted [deg].
        """
        outside = [i for i in range(len(self._crystals)) if i not in inside]
        if not outside:
            return {}
        n = len(self._variants)
        rows = np.concatenate([np.arange(i * n, (i + 1) * n) for i in outside])
        columns = self._columns(model.two_theta)[rows].astype(np.float64)
        moved = displaced(columns, model.two_theta, np.full(len(rows), displacement))
        logs = _log_evidence(model, moved).reshape(len(outside), n)
        best = logs.argmax(axis=1)
        averaged = logsumexp(logs, axis=1) - np.log(n)
        return {
            i: Score(float(average), *self._variants[int(b)])
            for i, average, b in zip(outside, averaged, best, strict=True)
        }

    def _columns(self, grid: FloatArray) -> Patterns:
        """Return (n_phases · n_variants, n_points) patterns per unit mass, not displaced."""
        key = (round(float(grid[0]), 6), round(float(grid[-1]), 6), len(grid))
        if self._memory is None or self._memory[0] != key:
            states = [
                PhaseState(c, cell=scale_cell(c, 1.0 + strain), size=size)
                for c in self._crystals
                for strain, size in self._variants
            ]
            made = phase_columns(
                grid, states, radiation=self._radiation, resolution=self._resolution
            )
            self._memory = key, np.ascontiguousarray(made.T, dtype=np.float32)
        return self._memory[1]


def _log_evidence(model: LinearModel, columns: FloatArray) -> FloatArray:
    """Return the log Bayes factor of each column's presence, (n,); its scale is half-normal."""
    weights = model.weights(model.exposure)
    measured = weights > 0
    root = np.sqrt(weights[measured])
    known = np.column_stack([model.columns, model.nuisance])[measured] * root[:, None]
    prior = np.concatenate([np.zeros(model.columns.shape[1]), model.prior])
    pull = np.concatenate([np.zeros(model.columns.shape[1]), model.pull])
    gram = known.T @ known
    gram += np.diag(prior + 1e-9 * np.maximum(np.diag(gram), 1e-9 * gram.diagonal().max()))
    seen = columns[:, measured] / model.per_scale * root
    across = seen @ known
    back = np.linalg.solve(gram, across.T)
    information = (seen**2).sum(axis=1) - (across * back.T).sum(axis=1)
    target = model.residual[measured] * root
    statistic = seen @ target - back.T @ (known.T @ target + prior * pull)
    spread = SCALE_PRIOR * max(float(model.scales.sum()), 1e-300)
    precision = np.maximum(information, 0.0) + 1.0 / spread**2
    z = statistic / np.sqrt(precision)
    return np.asarray(
        0.5 * z**2 - 0.5 * np.log(precision) - np.log(spread) + np.log(2.0) + log_ndtr(z)
    )
