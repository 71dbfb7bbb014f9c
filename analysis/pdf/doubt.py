"""How likely a fit is of the wrong crystal, from its R_w.

A logistic curve of ln R_w, fitted to simulations of which half hold another crystal, or a second
one of 20 to 50 % besides (`benchmarks/pdf_doubt.py`, the 31 even seeds below 62). Among all 62, R_w
reached 0.10 where the crystal was right and began at 0.17 where it was not, so the curve's slope is
held back by a weak pull and means little in between. A second crystal of less than 20 % was never
simulated, nor were stacking faults, of which real particles are full; right crystals then look
doubtful.
"""

from __future__ import annotations

import numpy as np

WORST_RW = 0.6
"""R_w above which a crystal has nothing to do with the data; in the simulations 0.63 was the least
of a wrong crystal without the right one."""

_OFFSET, _SLOPE = 4.90, 2.26


def doubt(rw: float, *, prior: float) -> float:
    """Return the probability that the sample holds another crystal, or a second one besides.

    Parameters
    ----------
    rw : of the fit.
    prior : the probability before the data are looked at.
    """
    odds = _OFFSET + _SLOPE * np.log(max(rw, 1e-6)) + np.log(prior / (1 - prior))
    return float(1 / (1 + np.exp(-odds)))
