"""How likely a named motif is not the sample's, from its fit and those of random fragments.

A logistic curve fitted to simulations (`benchmarks/pdf_motifs.py --doubt`): oxide clusters with
pieces beside them, their atoms displaced and the data faulty, of which half do not hold the sample.
Clusters of one chemistry share bonds, so that a wrong one often fits to R_w = 0.4 to 0.5; the
curve is shallow for that reason.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

WORST_RW = 0.7
"""R_w above which a motif explains less than half of Σy²."""

_BEST_SHARE = 0.01
"""Share of random fragments that fit better than the R_w that a motif is compared with."""

_OFFSET, _OF_RW, _OF_LEAD = 2.36, 2.00, 1.53


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
    odds = _OFFSET + float(np.array([_OF_RW, _OF_LEAD]) @ features(rw, random_rw))
    return float(1 / (1 + np.exp(-odds - np.log(prior / (1 - prior)))))
