"""How unlike everything known a total scattering curve is: what the nearest known thing leaves.

Known things are structures, scanned and fitted as `pdf.match` does, or earlier curves, stretched
and scaled. What counts is the misfit that no smooth imperfection of sample or reduction explains
(`analysis.pdf.imperfections`). Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.pdf.curves import Reading
from analysis.pdf.imperfections import unexplained
from analysis.pdf.matching import Scanner, chosen, fit

FloatArray = NDArray[np.float64]

FITTED = 8
"""Structures that are fitted after the scan."""

STRETCHES = np.linspace(-0.03, 0.03, 31)
"""Relative changes of all lengths between an earlier curve and this one."""

R = np.arange(1.5, 20.0, 0.1)
"""Distances [Å] over which curves are compared, whatever they were measured over."""

FEWEST_Q = 60
"""Points of Q that two curves must share."""


@dataclass(frozen=True, slots=True, eq=False)
class Signs:
    """What the nearest known thing leaves of a curve.

    Attributes
    ----------
    nearest : its name.
    rw : of its fit.
    unexplained : R_w after smooth imperfections.
    x, observed, calculated : (n,) the curve and the fit, over r [Å] or q [1/Å].
    over_r : which of the two.
    """

    nearest: str
    rw: float
    unexplained: float
    x: FloatArray
    observed: FloatArray
    calculated: FloatArray
    over_r: bool


class KnownThings(Protocol):
    """Something that a curve can be compared with."""

    def signs(self, reading: Reading) -> Signs:
        """Return what its nearest member leaves of a curve."""
        ...


class Structures:
    """A library of structures.

    Parameters
    ----------
    scanner : of the library.
    """

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner

    def signs(self, reading: Reading) -> Signs:
        """Return what the nearest structure leaves, after scan and fits."""
        candidates = chosen(self.scanner.scan(reading), best=FITTED, each=0)
        found = []
        over_r = reading.to_curve.ndim == 2
        for match in (fit(c, reading) for c in candidates):
            left = left_over(reading, match.calculated)
            found.append(
                Signs(
                    match.entry.name, match.rw, left, reading.x, reading.y, match.calculated, over_r
                )
            )
        return min(found, key=lambda s: s.unexplained)


class EarlierCurves:
    """Curves that were seen before, of any of the four kinds.

    Parameters
    ----------
    names, readings : of each.
    """

    def __init__(self, names: Sequence[str], readings: Sequence[Reading]) -> None:
        self.names, self.readings = tuple(names), tuple(readings)

    def signs(self, reading: Reading) -> Signs:
        """Return what the nearest curve leaves, stretched by up to 3 % and scaled."""
        found = [
            _compared(reading, other, name)
            for name, other in zip(self.names, self.readings, strict=True)
        ]
        return min(found, key=lambda s: s.unexplained)


def _compared(reading: Reading, other: Reading, name: str) -> Signs:
    """Return what one earlier curve leaves of a curve, in the Q that both have."""
    shortest = other.scan_q[-1] / (1 + STRETCHES[-1])
    inside = (reading.scan_q >= other.scan_q[0] / (1 + STRETCHES[0])) & (reading.scan_q <= shortest)
    q = reading.scan_q[inside]
    if q.size < FEWEST_Q:
        return Signs(name, 1.0, 1.0, R, np.zeros_like(R), np.zeros_like(R), True)
    kernel = (2 / np.pi) * float(q[1] - q[0]) * np.sin(np.outer(q, R))
    observed = (q * reading.scan_y[inside]) @ kernel
    moved = np.outer(1 + STRETCHES, q)
    curves = (q * np.interp(moved, other.scan_q, other.scan_y)) @ kernel
    score = curves @ observed / np.maximum(np.linalg.norm(curves, axis=1), 1e-12)
    best = curves[int(score.argmax())]
    calculated = max(float(best @ observed / (best @ best)), 0.0) * best
    norm = max(float(np.linalg.norm(observed)), 1e-12)
    return Signs(
        nearest=name,
        rw=float(np.linalg.norm(observed - calculated)) / norm,
        unexplained=unexplained(R, observed, calculated, q_max=float(q[-1])),
        x=R,
        observed=observed,
        calculated=calculated,
        over_r=True,
    )


def left_over(reading: Reading, calculated: FloatArray) -> float:
    """Return what a fit leaves after smooth imperfections; curves over Q are taken to r first."""
    if reading.to_curve.ndim == 2:
        q_max = float(reading.model_q[-1])
        return unexplained(reading.x, reading.y, calculated, q_max=q_max)
    q = reading.model_q
    width = np.gradient(q)[:, None]
    kernel = (2 / np.pi) * width * np.sin(np.outer(q, R)) * (q / reading.to_curve)[:, None]
    level = 0.0 if reading.constant is None else float(calculated.mean())
    observed, fitted = (reading.y - level) @ kernel, (calculated - level) @ kernel
    return unexplained(R, observed, fitted, q_max=float(q[-1]))
