"""What speaks for a cell: the likelihood of the lines' positions beside that of random lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.xrd.indexing.lines import Lines

FloatArray = NDArray[np.float64]

CORE, TAIL, IN_TAIL = 0.012, 0.035, 0.25
"""Standard deviations [deg] of a line's position: of most lines, and of a share `IN_TAIL`."""

UNRESOLVED = 0.015
"""Reflections closer than this [deg] count as one."""


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """How a cell meets the lines.

    Attributes
    ----------
    evidence : ln of the likelihood ratio, see `match`.
    terms : (n_lines,) each line's part of it.
    residual : (n_lines,) line less nearest reflection [deg].
    n_possible : distinct reflections up to the last line, extinct ones included.
    merit : M of de Wolff over the lines within three `CORE` of a reflection.
    """

    evidence: float
    terms: FloatArray
    residual: FloatArray
    n_possible: int
    merit: float


def match(possible: FloatArray, displacement: float, lines: Lines) -> Match | None:
    """Return how reflections meet the lines; None if fewer than three lie in their range.

    Lines of the phase lie at reflections, every reflection being as likely to be seen; foreign
    ones lie anywhere. With ε a line's probability of being foreign, r its residual and ρ the
    density of reflections per degree, which grows as √Q, its term is ln(ε + (1 − ε) p(r) / ρ):
    positive where a line lies better than among random reflections as dense. Cells with many
    reflections thus pay for them, as in the figure of merit of de Wolff (1968,
    doi:10.1107/S002188986800508X), and a line left out costs ln ε at most.

    Parameters
    ----------
    possible : (n,) Q of the reflections [Å⁻²], in any order.
    displacement : of the sample [deg].
    """
    rising = np.sort(possible[(possible > 0) & (possible < 1.02 * lines.end)])
    if len(rising) < 3:
        return None
    n_possible = _resolved(rising[rising <= lines.end], lines.wavelength)
    target = lines.q - displacement * lines.lean
    right = np.clip(np.searchsorted(rising, target), 1, len(rising) - 1)
    right -= target - rising[right - 1] < rising[right] - target
    residual = (target - rising[right]) / lines.slope
    density = 1.5 * max(n_possible, 1) / lines.end * np.sqrt(lines.q / lines.end) * lines.slope
    terms = np.log(lines.foreign + (1 - lines.foreign) * _probability(residual) / density)
    merit = _merit(target, residual * lines.slope, np.abs(residual) < 3 * CORE, n_possible)
    return Match(float(terms.sum()), terms, residual, n_possible, merit)


def _probability(residual: FloatArray) -> FloatArray:
    """Return the density [1/deg] of a line's residual: two Gaussians."""
    parts = [
        share * np.exp(-0.5 * (residual / std) ** 2) / (std * np.sqrt(2 * np.pi))
        for std, share in ((CORE, 1 - IN_TAIL), (TAIL, IN_TAIL))
    ]
    return np.asarray(sum(parts))


def _resolved(rising: FloatArray, wavelength: float) -> int:
    """Return the number of reflections, those closer than `UNRESOLVED` to the last being one."""
    if not len(rising):
        return 0
    angle = 2 * np.degrees(np.arcsin(np.minimum(np.sqrt(rising) * wavelength / 2, 1.0)))
    return 1 + int((np.diff(angle) > UNRESOLVED).sum())


def _merit(q: FloatArray, gap: FloatArray, indexed: NDArray[np.bool_], n_possible: int) -> float:
    """Return Q_N / (2 ⟨ΔQ⟩ n) over the indexed lines; real lines agree to 1 in 10⁵ at best."""
    if not indexed.any() or n_possible == 0:
        return 0.0
    last = float(q[indexed].max())
    mean = max(float(np.abs(gap[indexed]).mean()), 1e-5 * last)
    return last / (2 * mean * n_possible)
