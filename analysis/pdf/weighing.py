"""From the R_w of several fitted structures to probabilities, and what they say together.

A structure counts as (R_w² + ε²)^(−τ): as residuals of unknown size would, were τ half of the
independent points. Models err by more than noise, so τ is far less. τ and ε come from 60 simulated
curves of irregular clusters that the library lacks, of half of which it lacked the lattice as well;
R_w had the median 0.055 with the lattice and 0.24 without. What doubt and stds are worth elsewhere
is measured by `benchmarks/pdf_doubt.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.learning.calibration import Logistic, with_prior
from analysis.pdf.curves import Reading
from analysis.pdf.matching import Match
from analysis.pdf.strangeness import left_over

FloatArray = NDArray[np.float64]

SHARPNESS = 4.0
"""τ."""

MODEL_ERROR = 0.02
"""ε: an R_w below which structures can no longer be told apart."""

WORST_RW = 0.6
"""R_w of the best structure above which nothing is said."""

FEATURES = ("ln R_w", "ln unexplained", "ln lead")
"""What doubt is told by: the best structure's misfit, what no imperfection explains of it, and R_w
of the best of another lattice over its own."""

LEARNT = Logistic(
    mean=(-2.273, -2.379, 1.129),
    scale=(0.952, 0.993, 1.019),
    slopes=(1.515, 0.987, -1.420),
    offset=-1.654,
)
"""From 93 simulated clusters of the usual world (`benchmarks/pdf_doubt.py match --learn`); of half
of them the library lacked the lattice."""

_BASE = 0.42
"""Share of wrong lattices among them."""

_LEAST_RW = 0.005
"""Misfit below which differences mean nothing."""

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


def features(matches: Sequence[Match], reading: Reading) -> FloatArray:
    """Return the numbers that doubt is told by, (3,).

    Parameters
    ----------
    matches : the best first.
    reading : that they were fitted to.
    """
    best = matches[0]
    others = [m.rw for m in matches if m.entry.lattice != best.entry.lattice]
    lead = min(others, default=1.0) / max(best.rw, _LEAST_RW)
    left = left_over(reading, best.calculated)
    return np.log([max(best.rw, _LEAST_RW), max(left, _LEAST_RW), lead])


def doubt(matches: Sequence[Match], reading: Reading) -> float:
    """Return the probability that the best structure's lattice is not the sample's.

    Because another of the library is, or none. Before the data are looked at it is one half.
    """
    told = float(LEARNT.probability(features(matches, reading))[0])
    return with_prior(told, base=_BASE, prior=0.5)
