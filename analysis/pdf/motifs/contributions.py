"""How much each atom contributes: the main effect of keeping it, learnt from few fits.

ML-MotEx (Anker et al. 2022, doi:10.1038/s41524-022-00896-3) learns mask → R_w with boosted trees
and takes the mean SHAP value of an atom where it is kept minus where it is removed. A SHAP value is
Σ_S∋i f_S/|S| over the terms f_S of the functional ANOVA. Atoms here are kept independently, so each
term of several atoms averages to nothing at a fixed state of one, and what remains is the main
effect E[R_w | i kept] − E[R_w | i removed]. That is read off a Gaussian process in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, hadamard
from scipy.optimize import minimize

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_ENOUGH = 256
"""Fits from which the two numbers of the process are found; all enter the contributions."""

_BOUNDS = ((-7.0, -0.05), (-16.0, 0.0))
"""Of ln λ and of ln (noise variance/variance)."""


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """The contribution of each sampled atom; negative where keeping it makes fits better.

    Attributes
    ----------
    value : (n_sampled,) E[R_w | kept] − E[R_w | removed].
    covariance : (n_sampled, n_sampled) of the values, because fits are few; of other faults, such
        as noise of the data, it knows nothing.
    unexplained : share of the variance of R_w that the process takes for noise.
    """

    value: FloatArray
    covariance: FloatArray
    unexplained: float

    @property
    def std(self) -> FloatArray:
        """(n_sampled,) standard deviations."""
        return np.asarray(np.sqrt(np.clip(np.diag(self.covariance), 0.0, None)))


def draw_masks(n: int, n_sampled: int, *, rng: np.random.Generator) -> BoolArray:
    """Return fragments, (n, n_sampled), in each of which an atom is kept with probability 1/2.

    Within one fragment atoms are kept independently. Fragments come in blocks of rows of a Hadamard
    matrix and their complements, columns and signs at random: in a whole block no interaction of
    two atoms leaks into the effect of one (fold-over, Box & Hunter 1961,
    doi:10.1080/00401706.1961.10489951).
    """
    order = 1 << max(0, (n_sampled - 1).bit_length())
    signs = hadamard(order)
    drawn: list[FloatArray] = []
    while sum(map(len, drawn)) < n:
        rows = signs[np.ix_(rng.permutation(order), rng.permutation(order)[:n_sampled])]
        block = rows * rng.choice([-1, 1], size=n_sampled)
        drawn.append(np.stack([block, -block], axis=1).reshape(-1, n_sampled))
    return np.asarray(np.concatenate(drawn)[:n] > 0)


def contributions(
    masks: BoolArray, rw: FloatArray, *, symmetries: IntArray | None = None
) -> Contributions:
    """Return what keeping each atom does to R_w.

    R_w is a Gaussian process over masks, written z = ±1, with covariance v Π (1 + λ zᵢz′ᵢ): terms
    of k atoms have variance v λᵏ (Durrande et al. 2013, doi:10.1016/j.jmva.2012.08.016). Fragments
    that a symmetry of the starting model maps onto each other have one R_w, so the covariance is
    the mean over all symmetries. λ and the noise come from the marginal likelihood.

    Parameters
    ----------
    masks : (n, n_sampled) of fragments, each atom kept with probability 1/2.
    rw : (n,) of their fits.
    symmetries : (n_symmetries, n_sampled) a group of permutations of the sampled atoms, as
        `analysis.pdf.motifs.symmetry.symmetries` finds it; the identity alone if None.
    """
    n_sampled = masks.shape[1]
    group = np.arange(n_sampled)[None] if symmetries is None else symmetries
    y = rw - rw.mean()
    if not y.any():
        return Contributions(np.zeros(n_sampled), np.zeros((n_sampled, n_sampled)), 1.0)
    ratio, noise = _likeliest(masks[:_ENOUGH], y[:_ENOUGH], group)
    kernel = _noisy(_kernel(_agreements(masks, group), ratio, n_sampled), noise)
    factor = cho_factor(kernel, lower=True)
    mean_over = np.stack([np.eye(n_sampled)[permutation] for permutation in group]).mean(axis=0)
    z = (2.0 * masks - 1.0) @ mean_over.T
    weights = cho_solve(factor, y)
    covariance = ratio * mean_over - ratio**2 * z.T @ cho_solve(factor, z)
    # z = ±1, so that kept and removed differ by 2
    return Contributions(
        value=2 * ratio * z.T @ weights,
        covariance=2 * (covariance + covariance.T) * float(y @ weights) / len(y),
        unexplained=float(noise / (1 + noise)),
    )


def _likeliest(masks: BoolArray, y: FloatArray, group: IntArray) -> tuple[float, float]:
    """Return λ and the noise's variance, as a share of the process's, of most likelihood."""
    agreements = _agreements(masks, group)
    n_sampled = masks.shape[1]

    def loss(parameters: FloatArray) -> float:
        ratio, noise = np.exp(parameters)
        kernel = _noisy(_kernel(agreements, ratio, n_sampled), noise)
        factor, lower = cho_factor(kernel, lower=True, overwrite_a=True)
        variance = y @ cho_solve((factor, lower), y) / len(y)
        return float(len(y) * np.log(variance) + 2 * np.log(factor.diagonal()).sum())

    found = minimize(
        loss,
        np.array([np.log(0.5 / n_sampled), np.log(1e-2)]),
        method="Nelder-Mead",
        bounds=_BOUNDS,
        options={"xatol": 0.05, "fatol": 0.1, "maxiter": 50},
    )
    ratio, noise = np.exp(found.x)
    return float(ratio), float(noise)


def _agreements(masks: BoolArray, group: IntArray) -> IntArray:
    """Return in how many atoms two masks agree, one of them permuted, (n_symmetries, n, n)."""
    z = 2 * masks.astype(np.float32) - 1
    dots = np.stack([z @ z[:, permutation].T for permutation in group])
    return np.asarray(((dots + masks.shape[1]) / 2).round().astype(np.int64))


def _kernel(agreements: IntArray, ratio: float, n_sampled: int) -> FloatArray:
    """Return the mean over symmetries of Π (1 + λ zᵢz′ᵢ), (n, n)."""
    count = np.arange(n_sampled + 1)
    table = np.exp(count * np.log1p(ratio) + (n_sampled - count) * np.log1p(-ratio))
    return np.asarray(table[agreements].mean(axis=0))


def _noisy(kernel: FloatArray, noise: float) -> FloatArray:
    kernel[np.diag_indices_from(kernel)] += noise * kernel.diagonal().mean()
    return kernel
