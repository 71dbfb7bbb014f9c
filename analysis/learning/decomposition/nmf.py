"""Non-negative matrix factorisation: many curves as weighted sums of few non-negative ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

TINY = 1e-12
"""Keeps divisions finite; far below any weight or intensity of normalised curves."""

FLOOR = 1e-9
"""Weights and patterns do not fall below: denormal numbers make a processor ten times slower."""


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """Curves ≈ `weights` @ `patterns`.

    Attributes
    ----------
    weights : (n_curves, n_factors), at least 0.
    patterns : (n_factors, n_points), at least 0, each with a highest point of 1.
    """

    weights: FloatArray
    patterns: FloatArray


def factorise(
    curves: FloatArray,
    n_factors: int,
    *,
    rng: np.random.Generator,
    kullback_leibler: bool = True,
    n_iterations: int = 400,
) -> Factors:
    """Return a non-negative factorisation of curves.

    Multiplicative updates of Lee & Seung (2001, Adv. Neural Inf. Process. Syst. 13, 556), started
    from curves that are unlike one another (`unlike_curves`), so that the factors begin as
    patterns that were measured. The divergence of Kullback and Leibler gives weak peaks more
    weight than the Frobenius norm does: it is the likelihood of counts.

    Parameters
    ----------
    curves : (n_curves, n_points), at least 0, on comparable scales.
    n_factors : how many patterns; at most the number of curves.
    kullback_leibler : False minimises the sum of squares instead.
    n_iterations : updates of weights and patterns each.

    Raises
    ------
    ValueError
        A curve is negative, or there are fewer curves than factors.
    """
    if not 1 <= n_factors <= len(curves):
        raise ValueError(f"{n_factors} factors of {len(curves)} curves; 1 … {len(curves)} can be")
    if np.any(curves < 0):
        raise ValueError("a curve is negative; subtract less background, or clip it at 0")
    patterns = curves[unlike_curves(curves, n_factors, rng=rng)] + 1e-3 * curves.mean() + TINY
    shares = curves @ patterns.T
    weights = shares / (shares.sum(axis=1, keepdims=True) + TINY)
    update = _kullback_leibler if kullback_leibler else _frobenius
    for _ in range(n_iterations):
        weights, patterns = update(curves, weights, patterns)
        weights, patterns = np.maximum(weights, FLOOR), np.maximum(patterns, FLOOR)
    height = patterns.max(axis=1) + TINY
    return Factors(weights * height, patterns / height[:, None])


def unlike_curves(
    curves: FloatArray, n_chosen: int, *, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the rows of curves that are unlike one another, (n_chosen,).

    As in k-means++ (Arthur & Vassilvitskii 2007, Proc. SODA, 1027) each is drawn with a probability
    proportional to the part of it that the ones before leave unexplained, here the squared distance
    to their linear span: of two draws the farther is taken.
    """
    norms = np.linalg.norm(curves, axis=1, keepdims=True)
    rest = curves / np.where(norms > 0, norms, 1.0)
    chosen: list[int] = []
    for _ in range(n_chosen):
        left = (rest**2).sum(axis=1) + TINY
        left[chosen] = 0.0
        drawn = rng.choice(len(curves), size=2, p=left / left.sum())
        best = int(drawn[np.argmax(left[drawn])])
        chosen.append(best)
        direction = rest[best] / np.sqrt((rest[best] ** 2).sum() + TINY)
        rest = rest - np.outer(rest @ direction, direction)
    return np.array(chosen)


def _kullback_leibler(
    curves: FloatArray, weights: FloatArray, patterns: FloatArray
) -> tuple[FloatArray, FloatArray]:
    ratio = curves / (weights @ patterns + TINY)
    weights = weights * (ratio @ patterns.T) / (patterns.sum(axis=1) + TINY)
    ratio = curves / (weights @ patterns + TINY)
    patterns = patterns * (weights.T @ ratio) / (weights.sum(axis=0)[:, None] + TINY)
    return weights, patterns


def _frobenius(
    curves: FloatArray, weights: FloatArray, patterns: FloatArray
) -> tuple[FloatArray, FloatArray]:
    weights = weights * (curves @ patterns.T) / (weights @ (patterns @ patterns.T) + TINY)
    patterns = patterns * (weights.T @ curves) / ((weights.T @ weights) @ patterns + TINY)
    return weights, patterns
