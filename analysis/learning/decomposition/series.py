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
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.optimize import nnls

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
BoolArray = NDArray[np.bool_]
Nuisance = Literal["widen", "none"]

SUM_PULL = 0.3
"""How strongly weights are pulled to a sum of one, beside the mean norm of the patterns."""

LOOSE = 0.01
"""Standard deviation of a stretch about that of the curve before, in ln x, where data say little:
a faint phase keeps its neighbours' stretch."""

WIDENING = (0.005, 3e-5)
"""Standard deviations of the widening's coefficients [x², x⁴]; for r in Å those of displacements
that double."""

MISFIT = 0.05
"""Relative misfit that the pull on the widening supposes."""

LONGEST_STEP = 0.004
"""Of one Gauss–Newton step of a stretch, in ln x."""

FADE = 0.3
"""Share of the room beyond the curves over which patterns fade."""

REACH = 2.0
"""Distance of the points between which curvature is taken, in steps at the axis's far end."""

RIDGE = 1e-3
"""Share of the mean diagonal that holds patterns where they were, where curves say nothing."""

MARGIN = 0.06
"""Empty room beside the axis, in ln x, so that a shift does not come in at the other end."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What curves are made of.

    Attributes
    ----------
    axis : (n_points,) evenly spaced in ln x.
    patterns : (n_phases, n_points).
    observed : (n_points,) True where curves were measured. The axis goes a little beyond at both
        ends, for what stretches bring in; there the model fills what is missing.
    exponent : a pattern stretched by s is s^−exponent times as high.
    nuisance : ``widen`` lets each curve have its peaks wider or narrower than the patterns by one
        variance in x, as thermal motion does.
    non_negative : patterns are at least 0.
    """

    axis: FloatArray
    patterns: FloatArray
    observed: BoolArray
    exponent: float = 0.0
    nuisance: Nuisance = "none"
    non_negative: bool = False

    @property
    def step(self) -> float:
        """Distance of two points in ln x."""
        return float(np.log(self.axis[1] / self.axis[0]))

    @property
    def window(self) -> FloatArray:
        """1 where curves were measured and a little beyond, fading to 0 at the axis's ends."""
        ends = np.flatnonzero(self.observed)[[0, -1]]
        room = max(ends[0], len(self.axis) - 1 - ends[1], 1)
        n = max(int(FADE * room), 1)
        window = np.ones(len(self.axis))
        rise = np.sin(0.5 * np.pi * np.arange(1, n + 1) / (n + 1)) ** 2
        window[:n], window[-n:] = rise, rise[::-1]
        return window

    @property
    def length(self) -> int:
        """Points of a spectrum's curve, margin included."""
        return int(next_fast_len(int(len(self.axis) + np.ceil(MARGIN / self.step)), real=True))

    @property
    def frequency(self) -> FloatArray:
        """Angular frequency of each point of a spectrum, per unit of ln x."""
        return np.asarray(2 * np.pi * np.fft.rfftfreq(self.length, self.step))

    def spectra(self, curves: FloatArray) -> ComplexArray:
        """Return the Fourier transforms of curves on the axis, (..., n_frequencies)."""
        return np.asarray(np.fft.rfft(curves, self.length, axis=-1))

    def curves(self, spectra: ComplexArray) -> FloatArray:
        """Return the curves of Fourier transforms, (..., n_points)."""
        return np.asarray(np.fft.irfft(spectra, self.length, axis=-1)[..., : len(self.axis)])


@dataclass(frozen=True, slots=True, eq=False)
class CurveFit:
    """One curve read with given patterns.

    Attributes
    ----------
    weights : (n_phases,), at least 0.
    stretches : (n_phases,) in ln x.
    widening : (0,) or (2 n_phases,) coefficients of the patterns' second, then their fourth
        derivatives, times weight [x², x⁴]: half the variance by which a phase's peaks are wider
        than its pattern's, and the next term of that expansion.
    calculated : (n_points,).
    weight_variance : (n_phases,) per unit variance of one point, stretches and widening fitted too.
    """

    weights: FloatArray
    stretches: FloatArray
    widening: FloatArray
    calculated: FloatArray
    weight_variance: FloatArray


def fit_curve(
    model: Model,
    curve: FloatArray,
    start: FloatArray,
    *,
    held: FloatArray | None = None,
    n_steps: int = 3,
) -> CurveFit:
    """Return weights and stretches of the model's patterns in one curve.

    Gauss–Newton steps of the stretches with all weights free, each followed by non-negative least
    squares of the weights (Lawson & Hanson 1974).

    Parameters
    ----------
    curve : (n_points,) on the model's axis.
    start : (n_phases,) stretches to begin with, and near which faint phases stay [ln x].
    held : (n_phases,) weights that are known, NaN where they are not; None if none is.
    """
    known = np.full(len(start), np.nan) if held is None else held
    spectra = model.spectra(model.patterns)
    stretches = start.copy()
    seen = model.observed
    weights, widening, columns, slopes = _solve(model, spectra, curve, stretches, known)
    for _ in range(n_steps):
        step = _stretch_step(
            curve[seen], columns[:, seen], slopes[:, seen], weights, widening, stretches - start
        )
        stretches = stretches + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        weights, widening, columns, slopes = _solve(model, spectra, curve, stretches, known)
    return CurveFit(
        weights,
        stretches,
        widening,
        np.append(weights, widening) @ columns,
        _weight_variance(columns[:, seen], slopes[:, seen] * weights[:, None], len(weights)),
    )


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


def parts_of(model: Model, fit: CurveFit) -> FloatArray:
    """Return each phase's part of a curve, (n_phases, n_points), widening left out."""
    turn = np.exp(-(1j * model.frequency + model.exponent) * fit.stretches[:, None])
    return fit.weights[:, None] * model.curves(turn * model.spectra(model.patterns))


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


def _solve(
    model: Model, spectra: ComplexArray, curve: FloatArray, stretches: FloatArray, known: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return weights, widening, the columns that they multiply, and the patterns' slopes."""
    phase = np.exp(-1j * stretches[:, None] * model.frequency - model.exponent * stretches[:, None])
    turned = spectra * phase
    columns = model.curves(turned)
    slopes = model.curves(-1j * model.frequency * turned)
    seen = model.observed
    weights = _weights(columns[:, seen], curve[seen], known)
    if model.nuisance == "none":
        return weights, np.empty(0), columns, slopes
    wider = _wider(model, weights[:, None] * columns)
    weights, widening = _weights_beside(columns[:, seen], wider[:, seen], curve[seen], known)
    return weights, widening, np.vstack([columns, wider]), slopes


def _wider(model: Model, curves: FloatArray) -> FloatArray:
    """Return d²y/dx² of k curves, then d⁴y/dx⁴, (2 k, n_points)."""
    second = _curvature(model, curves)
    return np.vstack([second, _curvature(model, second)])


def _curvature(model: Model, curves: FloatArray) -> FloatArray:
    # Differences over one length of x everywhere: points of the axis crowd at its low end, where
    # neighbours differ by noise, and in Fourier space its ends would ring through the whole curve.
    axis = model.axis
    reach = REACH * (axis[-1] - axis[-2])
    total = -2 * curves
    for there in (axis + reach, axis - reach):
        right = np.clip(np.searchsorted(axis, there), 1, len(axis) - 1)
        share = np.clip((there - axis[right - 1]) / (axis[right] - axis[right - 1]), 0, 1)
        total = total + (1 - share) * curves[:, right - 1] + share * curves[:, right]
    return np.asarray(total / reach**2)


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
            wider @ _wider(model, parts_of(model, fit))
            for fit, wider in zip(series.fits, widening, strict=True)
        ]
    )


def _weights(columns: FloatArray, curve: FloatArray, known: FloatArray) -> FloatArray:
    free = np.isnan(known)
    weights = np.where(free, 0.0, known)
    if not free.any():
        return weights
    pull = SUM_PULL * np.linalg.norm(columns) / len(columns) ** 0.5
    matrix = np.vstack([columns[free].T, np.full(int(free.sum()), pull)])
    target = np.append(curve - weights @ columns, pull * (1 - weights.sum()))
    weights[free] = _non_negative(matrix, target)
    return weights


def _weights_beside(
    columns: FloatArray, beside: FloatArray, curve: FloatArray, known: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return weights of columns, and the coefficients, of either sign, of those beside them."""
    pull = _widening_pull(curve, len(beside))
    inverse = np.linalg.inv(beside @ beside.T + np.diag(pull))
    # Taken off is what the others explain: the weights are then those of the whole problem.
    gram = columns @ columns.T
    cross, told = beside @ columns.T, beside @ curve
    matrix = gram - cross.T @ inverse @ cross
    free = np.isnan(known)
    weights = np.where(free, 0.0, known)
    target = columns @ curve - cross.T @ inverse @ told - matrix @ weights
    if free.any():
        size = SUM_PULL**2 * float(np.trace(gram)) / len(columns)
        normal = matrix[np.ix_(free, free)] + size
        weights[free] = _from_normal(normal, target[free] + size * (1 - weights.sum()))
    return weights, np.asarray(inverse @ (told - cross @ weights))


def _widening_pull(curve: FloatArray, n_terms: int) -> FloatArray:
    variance = MISFIT**2 * float(curve @ curve) / len(curve)
    return np.asarray(variance / np.repeat(WIDENING, n_terms // 2) ** 2)


def _from_normal(normal: FloatArray, target: FloatArray) -> FloatArray:
    """Return the non-negative solution of normal equations, through their Cholesky factor."""
    jitter = 1e-10 * np.trace(normal) * np.eye(len(normal))
    triangle = np.linalg.cholesky(normal + jitter).T
    return np.asarray(nnls(triangle, np.linalg.solve(triangle.T, target))[0])


def _non_negative(matrix: FloatArray, target: FloatArray) -> FloatArray:
    """Return non-negative least squares, through the small triangle of a QR decomposition."""
    q, r = np.linalg.qr(matrix)
    return np.asarray(nnls(r, q.T @ target)[0])


def _stretch_step(
    curve: FloatArray,
    columns: FloatArray,
    slopes: FloatArray,
    weights: FloatArray,
    widening: FloatArray,
    moved: FloatArray,
) -> FloatArray:
    n_phases = len(weights)
    left = curve - np.append(weights, widening) @ columns
    jacobian = np.vstack([weights[:, None] * slopes, columns])
    matrix = jacobian @ jacobian.T
    matrix[np.diag_indices_from(matrix)] *= 1 + 1e-6
    pull = np.zeros(len(jacobian))
    pull[:n_phases] = max(float(left @ left), 1e-12 * float(curve @ curve)) / LOOSE**2 / 50
    pull[2 * n_phases :] = _widening_pull(curve, len(widening))
    right = jacobian @ left
    right[2 * n_phases :] -= pull[2 * n_phases :] * widening
    right[:n_phases] -= pull[:n_phases] * moved
    scale = np.sqrt(np.diag(matrix) + pull)
    scale += 1e-9 * scale.max()
    system = (matrix + np.diag(pull)) / np.outer(scale, scale) + 1e-9 * np.eye(len(scale))
    return np.asarray((np.linalg.solve(system, right / scale) / scale)[:n_phases])


def _weight_variance(columns: FloatArray, slopes: FloatArray, n_phases: int) -> FloatArray:
    """Return the diagonal of the inverse normal matrix, for the weights."""
    jacobian = np.vstack([columns, slopes])
    matrix = jacobian @ jacobian.T
    scale = np.sqrt(np.diag(matrix)) + 1e-12 * np.linalg.norm(columns)
    inverse = np.linalg.inv(matrix / np.outer(scale, scale) + 1e-6 * np.eye(len(scale)))
    return np.asarray(np.diag(inverse)[:n_phases] / scale[:n_phases] ** 2)
