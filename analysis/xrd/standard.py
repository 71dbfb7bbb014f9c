"""Amorphous content by internal standard: a weighed admixture turns shares into absolute fractions.

A sample is spiked with the mass fraction f of a crystalline standard. If the standard makes up the
share w_s of what is crystalline in the mixture, a phase of share w_i has the mass fraction

    y_i = w_i f / (w_s (1 − f))

of the sample before it was spiked, and what the y_i lack of 1 is amorphous or not listed. Madsen,
Scarlett & Kern (2011), doi:10.1524/zkri.2011.1437.

Not modelled: an error of the weighing, and an amorphous share of the standard itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.uncertainty import DETECTABLE, Statement

FloatArray = NDArray[np.float64]

AMORPHOUS = ("amorphous_fraction", "", "")
"""Name of the amorphous mass fraction among the numbers of a fit."""


@dataclass(frozen=True, slots=True, eq=False)
class Absolute:
    """Numbers of a fit whose mass fractions are of the whole sample, without the standard.

    Attributes
    ----------
    names : as in a `Statement`; the standard's fraction has given way to the amorphous one.
    values : (n,) the numbers; an amorphous fraction below 0 is left as it is found.
    covariance : (n, n).
    """

    names: tuple[tuple[str, str, str], ...]
    values: FloatArray
    covariance: FloatArray


def standard_is_seen(statement: Statement, *, index: int) -> bool:
    """Return whether the standard, phase `index`, is there beyond three standard deviations."""
    std = float(np.sqrt(statement.covariance[index, index]))
    return bool(statement.values[index] > DETECTABLE * std)


def absolute(
    statement: Statement, *, index: int, weight_fraction: float, n_phases: int
) -> Absolute:
    """Return a statement with absolute fractions, its covariance propagated to first order.

    Parameters
    ----------
    statement : mass fractions of the crystalline phases first, the standard among them.
    index : of the standard among the phases.
    weight_fraction : f, of the standard in the spiked sample, between 0 and 1.
    """
    shares = statement.values[:n_phases]
    factor = weight_fraction / (1 - weight_fraction)
    fractions = factor * shares / shares[index]
    slopes = np.eye(n_phases) * factor / shares[index]
    slopes[:, index] -= factor * shares / shares[index] ** 2
    others = np.arange(n_phases) != index
    fractions[index] = 1 - fractions[others].sum()
    slopes[index] = -slopes[others].sum(axis=0)
    rows = np.eye(len(statement.values))
    rows[:n_phases, :n_phases] = slopes
    names = list(statement.names)
    names[index] = AMORPHOUS
    return Absolute(
        names=tuple(names),
        values=np.concatenate([fractions, statement.values[n_phases:]]),
        covariance=rows @ statement.covariance @ rows.T,
    )
