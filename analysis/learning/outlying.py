"""How often something as strange as this would be seen among what is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Known:
    """Scores of cases that are known, on which nothing else was learnt.

    Attributes
    ----------
    scores : rising; the higher, the stranger.
    """

    scores: tuple[float, ...]

    def p_value(self, score: ArrayLike) -> FloatArray:
        """Return the conformal p-value of each score, (n,): (1 + known as strange) / (1 + known).

        Of cases exchangeable with the known ones at most a share α has p ≤ α, whatever the scores
        are (Vovk, Gammerman & Shafer 2005, doi:10.1007/b106715; for outliers Bates et al. 2023,
        doi:10.1214/22-AOS2244).
        """
        n = len(self.scores)
        below = np.searchsorted(self.scores, np.atleast_1d(score), side="left")
        return np.asarray((1.0 + n - below) / (1.0 + n))


def known(scores: ArrayLike) -> Known:
    """Return known scores, sorted.

    Raises
    ------
    ValueError
        There are fewer than 19, of which no p-value can be 0.05.
    """
    found = np.sort(np.asarray(scores, dtype=np.float64))
    if len(found) < 19:
        raise ValueError(f"{len(found)} known cases allow no p-value of 0.05; give 19 or more")
    return Known(tuple(map(float, found)))


def area_under_curve(known_scores: ArrayLike, strange_scores: ArrayLike) -> float:
    """Return the chance that a strange case scores above a known one, ties counted half: AUROC."""
    calm = np.asarray(known_scores, dtype=np.float64)
    wild = np.asarray(strange_scores, dtype=np.float64)[:, None]
    return float(np.mean((wild > calm) + 0.5 * (wild == calm)))
