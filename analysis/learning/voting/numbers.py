"""Numbers that several statements give of one quantity, pooled into one with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.learning.voting.causes import Shares
from analysis.learning.voting.verdict import Verdict, members, weigh

FloatArray = NDArray[np.float64]

SHARPEST, BLUNTEST, SCALES = 1e-3, 0.1, 7
"""An unknown standard deviation lies between these shares of the width, in so many steps."""

EXACT: tuple[tuple[float, float], ...] = ((1.0, 1.0),)
"""Stated standard deviations are what they say."""

SMALLEST = 1e-6
"""Standard deviation, as a share of the width, that a statement has at least."""


@dataclass(frozen=True, slots=True)
class PooledNumber:
    """One number from several.

    Attributes
    ----------
    value, std : of what the likeliest subset says, spread over who of its camp is right; std None
        where none of it states one.
    p_wrong : probability that no statement of the likeliest subset is right.
    verdict : which subsets are right.
    """

    value: float
    std: float | None
    p_wrong: float
    verdict: Verdict


def pool_numbers(
    values: Sequence[float],
    stds: Sequence[float | None],
    *,
    p_wrong: Sequence[float],
    causes: Sequence[int],
    width: float,
    shares: Shares,
    shared_error: float,
    stretch: Sequence[tuple[float, float]] = EXACT,
) -> PooledNumber:
    """Return what several statements say of one quantity.

    Right statements are normal about the true value, which may be anywhere, as may a wrong
    statement: both are uniform over `width`. One statement alone comes back as it is. Statements
    with a common cause share a part of their error, so that they sharpen each other less. Where
    stds are unknown they are equal, and the logarithm of their size is uniform between a
    thousandth and a tenth of the width.

    Parameters
    ----------
    values, stds, p_wrong, causes, shares : (n,), see `weigh`; std None if unknown.
    width : range over which the quantity may lie, in its unit.
    shared_error : share of the smallest variance of a group that its statements have in common.
    stretch : (factor, probability) that all standard deviations are too small by a factor; how far
        statements lie apart tells which.
    """
    numbers = np.asarray(values, dtype=np.float64)
    unknown = np.array([s is None for s in stds])
    known = np.array([np.nan if s is None else max(s, SMALLEST * width) for s in stds])
    scales = width * np.geomspace(SHARPEST, BLUNTEST, SCALES) if unknown.any() else np.zeros(1)
    variants = [(scale, *factor) for scale in scales for factor in stretch]
    shape = (len(variants), 2 ** len(numbers))
    log_evidence, means, variances = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for k, (scale, factor, _) in enumerate(variants):
        deviations = np.where(unknown, scale, factor * known)
        for subset in range(1, shape[1]):
            chosen = list(members(subset))
            found = _joined(
                numbers[chosen],
                deviations[chosen] ** 2,
                np.asarray(causes)[chosen],
                shared_error=shared_error,
            )
            log_evidence[k, subset] = found[0] + (len(chosen) - 1) * np.log(width)
            means[k, subset], variances[k, subset] = found[1:]
    verdict = weigh(
        log_evidence,
        p_wrong=p_wrong,
        causes=causes,
        shares=shares,
        variants=[probability / len(scales) for _, _, probability in variants],
    )
    held = verdict.within
    value = float((held * means).sum())
    variance = float((held * (variances + (means - value) ** 2)).sum())
    untold = all(unknown[i] for i in verdict.likeliest)
    return PooledNumber(value, None if untold else variance**0.5, verdict.p_wrong, verdict)


def _joined(
    values: FloatArray, variances: FloatArray, causes: NDArray[np.int_], *, shared_error: float
) -> tuple[float, float, float]:
    """Return the log density of right statements, the true value anywhere, its mean and variance.

    Errors of a group are the sum of one that all have and one of each, both normal.
    """
    total, heads, spreads = 0.0, [], []
    for cause in dict.fromkeys(causes.tolist()):
        mine = causes == cause
        together = shared_error * variances[mine].min() if mine.sum() > 1 else 0.0
        log_density, mean, variance = _flat(values[mine], variances[mine] - together)
        total += log_density
        heads.append(mean)
        spreads.append(variance + together)
    log_density, mean, variance = _flat(np.array(heads), np.array(spreads))
    return total + log_density, mean, variance


def _flat(values: FloatArray, variances: FloatArray) -> tuple[float, float, float]:
    """Return log ∫ Π N(v_i | y, var_i) dy, and mean and variance of y: inverse-variance weights."""
    precision = 1 / variances
    variance = 1 / precision.sum()
    mean = variance * (precision @ values)
    chi2 = precision @ (values - mean) ** 2
    log_density = -0.5 * (
        (len(values) - 1) * np.log(2 * np.pi) + np.log(variances).sum() - np.log(variance) + chi2
    )
    return float(log_density), float(mean), float(variance)
