"""How likely a named motif is not the sample's, from its fit and those of random fragments.

A logistic curve learnt on 99 simulations (`benchmarks/pdf_doubt_of_motifs.py --learn`): oxide
clusters with pieces beside them or a second copy, their atoms displaced and the data faulty, of
which half do not hold the sample. Clusters of one chemistry share bonds, so that a wrong one often
fits to R_w = 0.4 to 0.5; what tells best is by how much a motif beats random fragments.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.learning.calibration import Logistic, with_prior

FloatArray = NDArray[np.float64]

WORST_RW = 0.7
"""R_w above which a motif explains less than half of Σy²."""

_BEST_SHARE = 0.01
"""Share of random fragments that fit better than the R_w that a motif is compared with."""

LEARNT = Logistic(mean=(-0.960, -0.255), scale=(0.390, 0.231), slopes=(0.890, 1.532), offset=0.169)
"""From `features`, slopes held back by a normal prior."""

_BASE = 0.58
"""Share of wrong motifs among the simulations."""


def features(rw: float, random_rw: FloatArray) -> FloatArray:
    """Return ln R_w of the motif, and ln of how it stands to that of the best random fragments."""
    return np.log([max(rw, 1e-6), max(rw, 1e-6) / float(np.quantile(random_rw, _BEST_SHARE))])


def doubt(rw: float, random_rw: FloatArray, *, prior: float) -> float:
    """Return the probability that less than four fifths of the motif is the sample's.

    That is, that atoms in both are less than 0.8 of those in either.

    Parameters
    ----------
    rw : of the motif's fit.
    random_rw : (n,) of random fragments.
    prior : the probability before the data are looked at.
    """
    told = float(LEARNT.probability(features(rw, random_rw))[0])
    return with_prior(told, base=_BASE, prior=prior)
