"""How likely a fit is of the wrong crystal, from what it leaves and from how its parts agree.

A logistic curve of two numbers (`FEATURES`), fitted to simulations of which half hold another
crystal, or a second one of 10 to 50 % besides (`benchmarks/pdf_doubt.py parameters --learn`). R_w
alone cannot tell a right crystal of strained or faulty grains from a wrong one; what no smooth
imperfection explains (`analysis.pdf.imperfections`) tells better. Tried and left out: by how much
near and far distances want other lengths, which right crystals of uneven grains do as well; and how
alike neighbouring residuals are, which tells simulations apart, but not measured crystals, whose
residuals are smooth when the crystal is right. A second crystal of less than a tenth was never
simulated.

Importing this file imports torch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.learning.calibration import Logistic, with_prior
from analysis.pdf.fit import Fit
from analysis.pdf.imperfections import unexplained

FloatArray = NDArray[np.float64]

WORST_RW = 0.6
"""R_w above which a crystal has nothing to do with the data; in the simulations 0.63 was the least
of a wrong crystal without the right one."""

FEATURES = ("ln R_w", "ln unexplained")
"""What the doubt is told by, in this order."""

LEARNT = Logistic(mean=(-2.252, -2.627), scale=(1.049, 1.292), slopes=(1.710, 1.995), offset=-1.755)
"""From 119 fits of the usual world (seeds 0 … 158) that did not end above `WORST_RW`."""

_BASE = 0.361
"""Share of wrong ones among them."""

STD_FACTOR = 1.25
"""By which stated deviations exceed those of residuals alone: the smaller ones held 61 % of 137
lengths of the 76 right crystals among these fits, whose imperfections the fit does not model."""


def features(fit: Fit) -> FloatArray:
    """Return the numbers that doubt is told by, (2,)."""
    left = unexplained(fit.data.r, fit.data.g_r, fit.calculated, q_max=fit.data.q_max)
    return np.log([max(fit.rw, 1e-6), max(left, 1e-6)])


def doubt(fit: Fit, *, prior: float) -> float:
    """Return the probability that the sample holds another crystal, or a second one besides.

    Parameters
    ----------
    prior : the probability before the data are looked at.
    """
    return with_prior(float(LEARNT.probability(features(fit))[0]), base=_BASE, prior=prior)
