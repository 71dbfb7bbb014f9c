"""From the R_w of several fitted structures to probabilities, and what they say together.

A structure counts as (R_w² + ε²)^(−τ): as residuals of unknown size would, were τ half of the
independent points. Models err by more than noise, so τ is far less. The constants come from 60
simulated curves of irregular clusters that the library lacks, of half of which it lacked the
lattice as well (as `benchmarks/pdf_match.py --calibrate` makes them). There the stds of the size
were right and those of the bond too large by half; R_w had the median 0.055 with the lattice and
0.24 without.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.pdf.matching import Match

FloatArray = NDArray[np.float64]

SHARPNESS = 4.0
"""τ."""

MODEL_ERROR = 0.02
"""ε: an R_w below which structures can no longer be told apart."""

WORST_RW = 0.6
"""R_w of the best structure above which nothing is said."""

_DOUBT_AT, _DOUBT_SLOPE = 0.15, 5.0
"""R_w at which a structure of the library is as likely as none, and the slope in ln R_w: a
logistic curve through the same simulations, as many with the lattice as without."""

_BETWEEN_SIZES = 0.03
"""Spread of ln N that neighbouring sizes of the library leave open."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A mean with its standard deviation."""

    mean: float
    std: float


def probabilities(matches: Sequence[Match]) -> FloatArray:
    """Return how likely each structure is, were one of them the sample's, (n,)."""
    rw = np.array([m.rw for m in matches])
    log = -SHARPNESS * np.log(rw**2 + MODEL_ERROR**2)
    weight = np.exp(log - log.max())
    return np.asarray(weight / weight.sum())


def by_class(
    matches: Sequence[Match], *, of: Callable[[Match], str], known: Sequence[str]
) -> dict[str, float]:
    """Return the probability of each class, by its best structure.

    The best, not the sum: a type with many shapes in the library is no likelier for it.
    """
    best = dict.fromkeys(known, 0.0)
    for match, p in zip(matches, probabilities(matches), strict=True):
        best[of(match)] = max(best[of(match)], float(p))
    total = sum(best.values())
    return {name: p / total for name, p in best.items()}


def bond(matches: Sequence[Match]) -> Spread:
    """Return the bond [Å] of the structures together, their own errors included."""
    p = probabilities(matches)
    values = np.array([m.bond for m in matches])
    own = np.array([m.bond_std for m in matches])
    mean = float(p @ values)
    return Spread(mean, float(np.sqrt(p @ (own**2 + (values - mean) ** 2))))


def n_atoms(matches: Sequence[Match]) -> Spread:
    """Return the number of atoms of the structures together, with sizes between them open."""
    p = probabilities(matches)
    log = np.log([m.entry.n_atoms for m in matches])
    mean = float(p @ log)
    std = float(np.sqrt(p @ (log - mean) ** 2 + _BETWEEN_SIZES**2))
    return Spread(float(np.exp(mean)), float(np.exp(mean) * std))


def doubt(rw: float) -> float:
    """Return the probability that no structure of the library is the sample's, from its R_w."""
    return float(1 / (1 + (_DOUBT_AT / max(rw, 1e-6)) ** _DOUBT_SLOPE))
