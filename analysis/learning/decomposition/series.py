"""Stretched factorisation by least squares, for signed or non-negative curves of a series.

A curve is Σ weight × pattern, each pattern with a stretch of its own (Gu et al. 2024,
doi:10.1038/s41524-024-01377-5); weights are at least 0 and sum nearly to one, patterns may have
either sign. On an axis of ln x a stretch is a shift, and in Fourier space a shift is a phase: the
best patterns are a small linear system at each frequency. Patterns and weights can be held
(Maffettone et al. 2021, doi:10.1063/5.0052859). Not modelled: phases that stretch differently
along their axes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.learning.decomposition.curve_fit import CurveFit, fit_curve, parts_of
from analysis.learning.decomposition.stretched_model import (
    BoolArray,
    ComplexArray,
    FloatArray,
    Model,
    widened,
)

RIDGE = 1e-3
"""Share of the mean diagonal that holds patterns where they were, where curves say nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A factorised series.

    Attributes
    ----------
    model : patterns and what else curves are made of.
    fits : of each curve, in their order.
    """

    model: Model
    fits: tuple[CurveFit, ...]

    @property
    def weights(self) -> FloatArray:
        """Weights of the phases, (n_curves, n_phases)."""
        return np.array([fit.weights for fit in self.fits])

    @property
    def stretches(self) -> FloatArray:
        """Stretches in ln x, (n_curves, n_phases)."""
        return np.array([fit.stretches for fit in self.fits])

    @property
    def fractions(self) -> FloatArray:
        """Weights as shares of their sum, (n_curves, n_phases)."""
        return np.asarray(self.weights / np.maximum(self.weights.sum(axis=1, keepdims=True), 1e-12))

    @property
    def calculated(self) -> FloatArray:
        """What the patterns make of each curve, (n_curves, n_points)."""
        return np.array([fit.calculated for fit in self.fits])

    def reordered(self, order: NDArray[np.int64]) -> Series:
        """Return the same with the phases in another order.

        Parameters
        ----------
        order : (n_phases,) which phase comes first, second, …
        """
        twice = np.append(order, order + len(order))
        fits = [
            replace(
                fit,
                weights=fit.weights[order],
                stretches=fit.stretches[order],
                widening=fit.widening[twice] if fit.widening.size else fit.widening,
                weight_variance=fit.weight_variance[order],
            )
            for fit in self.fits
        ]
        return Series(replace(self.model, patterns=self.model.patterns[order]), tuple(fits))


def squared_misfits(curves: FloatArray, series: Series) -> FloatArray:
    """Return what the series leaves of each curve, squared and summed over points, (n_curves,)."""
    left = (curves - series.calculated)[:, series.model.observed]
    return np.asarray((left**2).sum(axis=1))


def read_series(
    model: Model, curves: FloatArray, start: FloatArray, *, held: FloatArray | None = None
) -> Series:
    """Return all curves read with the model's patterns.

    Parameters
    ----------
    curves : (n_curves, n_points).
    start : (n_curves, n_phases) stretches [ln x].
    held : (n_curves, n_phases) weights that are known, NaN where not; None if none is.
    """
    known = [None] * len(curves) if held is None else list(held)
    rows = zip(curves, start, known, strict=True)
    return Series(model, tuple(fit_curve(model, c, s, held=h) for c, s, h in rows))


def refine_series(
    curves: FloatArray,
    series: Series,
    *,
    n_turns: int,
    frozen: BoolArray | None = None,
    held: FloatArray | None = None,
) -> Series:
    """Return the series after patterns, then weights and stretches, took turns.

    Parameters
    ----------
    frozen : (n_phases,) patterns that stay as they are; None if none does.
    held : (n_curves, n_phases) weights that are known, NaN where not; None if none is.
    """
    for _ in range(n_turns):
        model = best_patterns(curves, series, frozen=frozen)
        series = read_series(model, curves, series.stretches, held=held)
    return series


def best_patterns(curves: FloatArray, series: Series, *, frozen: BoolArray | None = None) -> Model:
    """Return the model with the patterns that explain the curves best, weights and stretches given.

    At each frequency ω, Σᵢ aᵢₖ aᵢₗ exp(iω(sᵢₖ − sᵢₗ)) Pₗ = Σᵢ aᵢₖ exp(iωsᵢₖ) Yᵢ, with the
    amplitudes a = weight × exp(−exponent × s).

    Parameters
    ----------
    frozen : (n_phases,) patterns that stay as they are; None if none does.
    """
    model = series.model
    plain = whole_and_plain(curves, series)
    normal, right = normal_equations(model, plain, series.weights, series.stretches)
    return solved(model, normal, right, frozen=frozen)


def whole_and_plain(curves: FloatArray, series: Series) -> FloatArray:
    """Return curves filled beyond their ends, with peaks as wide as the patterns'.

    Beyond their ends they are what the series makes of them (expectation maximisation).
    """
    whole = np.where(series.model.observed, curves, series.calculated)
    return np.asarray(whole - _widened_parts(series))


def normal_equations(
    model: Model, curves: FloatArray, weights: FloatArray, stretches: FloatArray
) -> tuple[ComplexArray, ComplexArray]:
    """Return matrix (n_frequencies, k, k) and right side (n_frequencies, k) for the k patterns.

    They are sums over curves: those of further curves can be added.
    """
    amplitude = weights * np.exp(-model.exponent * stretches)
    turned = amplitude[:, :, None] * np.exp(1j * stretches[:, :, None] * model.frequency)
    normal = np.einsum("ikf,ilf->fkl", turned, turned.conj())
    right = np.einsum("ikf,if->fk", turned, model.spectra(curves))
    return normal, right


def solved(
    model: Model,
    normal: ComplexArray,
    right: ComplexArray,
    *,
    frozen: BoolArray | None = None,
) -> Model:
    """Return the model with the patterns that solve normal equations, see `best_patterns`."""
    n_phases = len(model.patterns)
    old = model.spectra(model.patterns).T
    stays = np.zeros(n_phases, dtype=bool) if frozen is None else frozen
    pull = RIDGE * np.trace(normal, axis1=1, axis2=2).real.mean() / n_phases
    hold = np.diag(np.where(stays, 1e9, 1.0) * pull)
    change = np.linalg.solve(
        normal + hold, (right - np.einsum("fkl,fl->fk", normal, old))[..., None]
    )
    patterns = model.curves((old + change[..., 0]).T) * model.window
    if model.non_negative:
        patterns = np.maximum(patterns, 0.0)
    patterns[stays] = model.patterns[stays]
    return replace(model, patterns=patterns)


def _widened_parts(series: Series) -> FloatArray:
    """Return what each curve's widening beyond its phases' mean adds, (n_curves, n_points)."""
    model, weights = series.model, series.weights
    widening = np.array([fit.widening for fit in series.fits])
    if not widening.size:
        return np.zeros((len(weights), len(model.axis)))
    # The mean goes into the patterns: they would sharpen without end if it did not.
    share = np.tile(weights, 2)
    widening = widening - (share * widening).sum(axis=0) / (share.sum(axis=0) + 1e-12)
    return np.array(
        [
            wider @ widened(model, parts_of(model, fit))
            for fit, wider in zip(series.fits, widening, strict=True)
        ]
    )
