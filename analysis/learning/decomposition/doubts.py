"""How far fractions and sets of phases may be wrong, learnt from simulated spreads.

Candidates that nearly explain the curves as well as the chosen one are other readings of them; what
they say differently is a lower bound of the error, for all of them may be wrong together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm

from analysis.learning.decomposition.grouping import matched_columns

FloatArray = NDArray[np.float64]

TEMPERATURE = 0.1
"""Cost by which a candidate is believed e times less than the chosen one."""

SPREAD, MIXED, MISFIT, LEAST_STD = 1.75, 0.068, 0.95, 0.006
"""Parts of a std, added in squares: times the spread over candidates, times f (1 − f) of the
fraction, times f (1 − f) and the set's unexplained share, and always. Most probable (Student's t of
four degrees) on 24 spreads of `analysis.xrd.demixing_worlds`, then widened by 1.5, so that two stds
hold 95 % there."""

WRONG = (1.36, 0.647, 0.948)
"""Log odds of a wrong set: constant, per log odds that a fraction is on the other side of the
limit, and per ln of the set's unexplained share. A logistic regression on the same spreads."""


@dataclass(frozen=True, slots=True, eq=False)
class Doubts:
    """Doubts about fractions.

    Attributes
    ----------
    std : (n_curves, n_phases) of the fractions.
    presence : (n_curves, n_phases) probability that the phase is in the curve.
    p_wrong : (n_curves,) probability that another set of phases is there.
    """

    std: FloatArray
    presence: FloatArray
    p_wrong: FloatArray


def doubts(
    fractions: FloatArray,
    answers: Sequence[FloatArray],
    *,
    costs: Sequence[float],
    unexplained: FloatArray,
    detection_limit: float,
) -> Doubts:
    """Return stds, probabilities of presence and of a wrong set of phases.

    Parameters
    ----------
    fractions : (n_curves, n_phases) of the chosen answer.
    answers : of candidates, (n_curves, any number of phases) each.
    costs : of the candidates.
    unexplained : (n_curves,) share of each curve's area; its mean counts.
    detection_limit : fraction from which a phase counts as present.
    """
    belief = np.exp(-(np.array(costs) - min(costs)) / TEMPERATURE)
    belief /= belief.sum()
    beside = np.stack([matched_columns(answer, fractions) for answer in answers])
    spread = np.sqrt(np.tensordot(belief, (beside - fractions) ** 2, axes=1))
    left = float(unexplained.mean()) + 1e-3
    mixed = fractions * (1 - fractions)
    std = np.sqrt(
        (SPREAD * spread) ** 2 + (MIXED**2 + (MISFIT * left) ** 2) * mixed**2 + LEAST_STD**2
    )
    flips = _flips(fractions, std, detection_limit)
    any_flip = np.clip(1 - np.prod(1 - flips, axis=1), 0.01, 0.99)
    constant, by_flip, by_left = WRONG
    p_wrong = expit(constant + by_flip * logit(any_flip) + by_left * np.log(left))
    seen = fractions >= detection_limit
    return Doubts(std, np.where(seen, 1 - flips, flips), np.asarray(p_wrong))


def _flips(fractions: FloatArray, std: FloatArray, detection_limit: float) -> FloatArray:
    """Return the probability that the truth is on the other side of the limit."""
    return np.asarray(norm.cdf(-np.abs(fractions - detection_limit) / std))
