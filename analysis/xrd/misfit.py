"""Misfit: figures of merit of a fit, and what of the pattern it leaves unexplained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.fit import Fit

FloatArray = NDArray[np.float64]

BIN = 0.7
"""Width [deg] over which intensities are integrated: a peak with its shoulders."""

SIGNIFICANT = 3.0
"""Excess of a bin, in its standard deviation, from which it counts as unexplained."""


@dataclass(frozen=True, slots=True, eq=False)
class Misfit:
    """How well a pattern is described.

    Attributes
    ----------
    rp, rwp, rexp : profile R factors, 0 … 1, background included.
    chi2_reduced : weighted sum of squares per degree of freedom.
    durbin_watson : 2 for uncorrelated residuals, near 0 for smooth ones.
    correlation : number of neighbouring points that err together, at least 1.
    phase_misfit : (n_phases,) share of a phase's integrated intensity that is off, beyond noise.
    overall : the same of the whole pattern.
    unexplained : area of peaks that no phase explains, relative to all Bragg intensity.
    detectable : smallest area in one bin that would stand out of the noise, relative to the same.
    """

    rp: float
    rwp: float
    rexp: float
    chi2_reduced: float
    durbin_watson: float
    correlation: float
    phase_misfit: FloatArray
    overall: float
    unexplained: float
    detectable: float


def assess(fit: Fit) -> Misfit:
    """Return the figures of merit of a fit.

    The misfit of a phase is Σ_b s_b |Δ_b| / Σ_b I_b over bins b of 0.7°: I_b the phase's
    calculated intensity, s_b its share of the bin's Bragg intensity, |Δ_b| observed minus
    calculated with the counting noise taken out in quadrature (0 below two sigma). Integrating
    over bins makes it blind to errors of the peak shape, which harm no fraction.
    """
    sigma = fit.problem.sigma
    difference = fit.counts - fit.calculated
    weighted_counts = fit.counts / sigma
    residual = fit.residual
    square = float(residual @ residual)
    total = float(weighted_counts @ weighted_counts)
    freedom = max(len(residual) - fit.n_parameters, 1)
    phase_misfit, overall, unexplained, detectable = _integrated(fit)
    return Misfit(
        rp=float(np.abs(difference).sum() / fit.counts.sum()),
        rwp=float(np.sqrt(square / total)),
        rexp=float(np.sqrt(freedom / total)),
        chi2_reduced=fit.chi2_reduced,
        durbin_watson=float(np.sum(np.diff(residual) ** 2) / square) if square else 2.0,
        correlation=_correlation(residual),
        phase_misfit=phase_misfit,
        overall=overall,
        unexplained=unexplained,
        detectable=detectable,
    )


def _integrated(fit: Fit) -> tuple[FloatArray, float, float, float]:
    problem = fit.problem
    bins = ((problem.two_theta - problem.two_theta[0]) / BIN).astype(np.intp)
    bragg = problem.solve(fit.vector).columns * fit.scales
    of_phase = np.stack([np.bincount(bins, column) for column in bragg.T])
    of_all = of_phase.sum(axis=0)
    off = np.bincount(bins, fit.counts - fit.calculated)
    noise = np.sqrt(np.bincount(bins, problem.sigma**2))
    # Below two sigma a bin says nothing, and summing many such bins would call noise a misfit.
    beyond = np.where(np.abs(off) > 2 * noise, np.sqrt(np.maximum(off**2 - noise**2, 0.0)), 0.0)
    share = of_phase / np.maximum(of_all, 1e-12 * of_all.max())
    area = np.maximum(of_phase.sum(axis=1), 1e-300)
    whole = float(max(of_all.sum(), 1e-300))
    extra = np.where(off > SIGNIFICANT * noise, off, 0.0)
    # A peak without a phase has extra >> calculated; a peak of wrong height has extra << it.
    unexplained = float(np.sum(extra**2 / np.maximum(of_all + extra, 1e-300)) / whole)
    overall = float(beyond.sum() / whole)
    detectable = float(SIGNIFICANT * np.median(noise) / whole)
    return (share * beyond).sum(axis=1) / area, min(overall, 1.0), unexplained, detectable


def _correlation(residual: FloatArray) -> float:
    """Return 1 + 2 Σ ρ_k, summed until the autocorrelation ρ_k falls below 0.05."""
    n = len(residual)
    centred = residual - residual.mean()
    spectrum = np.fft.rfft(centred, 2 * n)
    autocovariance = np.fft.irfft(spectrum * spectrum.conj())[: n // 2]
    if autocovariance[0] <= 0:
        return 1.0
    rho = autocovariance[1:] / autocovariance[0]
    end = int(np.argmax(rho < 0.05))
    return float(1 + 2 * rho[:end].sum())
