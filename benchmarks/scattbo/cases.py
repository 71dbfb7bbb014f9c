"""The scoreboard's cases: which curve of which target, and when it counts as met.

Author's rule: converged when R_wp is below a threshold; where both curves are wanted, the loss is
the sum of both misfits and each must be below its own threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from planners.space import Point
from scattbo.laboratory import (
    LARGE,
    SMALL,
    Bounds,
    Edition,
    particle,
    table,
)
from scattbo.scattering import Q_GRID, Array, r_grid, reduced_pdf, rwp, structure_function

SIMULATED = {"sq": 0.04, "gr": 0.04}
MEASURED = {"sq": 0.84, "gr": 0.80}
FILES = {"sq": "Experimental_Sq.sq", "gr": "Experimental_PDF.gr"}
BOTH = ("sq", "gr")
TARGET_R_STEP = 0.01
"""Step of every target's r, Å."""


@dataclass(frozen=True, slots=True)
class Case:
    """One table of the scoreboard.

    Attributes
    ----------
    curves : ``sq``, ``gr`` or both; the loss is the sum of their R_wp.
    measured : the target is a measured curve.
    published : best single run the author lists, None where none converged within 200.
    """

    name: str
    bounds: Bounds
    curves: tuple[str, ...]
    measured: bool
    published: int | None

    @property
    def thresholds(self) -> dict[str, float]:
        """R_wp below which each curve counts as met."""
        return {c: (MEASURED if self.measured else SIMULATED)[c] for c in self.curves}


CASES = {
    case.name: case
    for case in (
        Case("small-sq", SMALL, ("sq",), measured=False, published=25),
        Case("small-gr", SMALL, ("gr",), measured=False, published=39),
        Case("small-both", SMALL, BOTH, measured=False, published=37),
        Case("large-sq", LARGE, ("sq",), measured=False, published=11),
        Case("large-gr", LARGE, ("gr",), measured=False, published=36),
        Case("large-both", LARGE, BOTH, measured=False, published=36),
        Case("exp-sq", SMALL, ("sq",), measured=True, published=20),
        Case("exp-gr", SMALL, ("gr",), measured=True, published=16),
        Case("exp-both", SMALL, BOTH, measured=True, published=None),
        Case("large-exp-sq", LARGE, ("sq",), measured=True, published=35),
        Case("large-exp-gr", LARGE, ("gr",), measured=True, published=33),
        Case("large-exp-both", LARGE, BOTH, measured=True, published=None),
    )
}


@dataclass(frozen=True, slots=True)
class Laboratory:
    """A case with its targets: makes an experiment and says how far it is off.

    Attributes
    ----------
    targets : curve → its grid and values, each of shape (n_points,).
    """

    case: Case
    edition: Edition
    targets: Mapping[str, tuple[Array, Array]]

    def misfits(self, point: Point) -> dict[str, float]:
        """Return R_wp of each curve, the simulation interpolated to the target's grid."""
        found: dict[str, float] = {}
        for name, (x, y) in self.targets.items():
            grid, simulated = simulated_curve(name, point, self.edition)
            found[name] = rwp(y, np.interp(x, grid, simulated))
        return found

    def is_met(self, misfits: Mapping[str, float]) -> bool:
        """Return whether every curve is below its threshold."""
        return all(misfits[c] < limit for c, limit in self.case.thresholds.items())


def simulated_curve(name: str, point: Point, edition: Edition) -> tuple[Array, Array]:
    """Return the grid and the curve, scaled to a highest peak of one.

    What the author calls S(Q) is the sum over pairs, S(Q) - 1; the scaling hides its factor.
    """
    made = particle(point, edition)
    s_minus_one = structure_function(table(made.kind, made.size), length=made.length)
    if name == "sq":
        return Q_GRID, s_minus_one / s_minus_one.max()
    g = reduced_pdf(s_minus_one, r_step=edition.r_step)
    return r_grid(edition.r_step), g / g.max()


def measured_curve(name: str, edition: Edition, data: Path) -> tuple[Array, Array]:
    """Return the grid and the values of a measured target.

    Raises
    ------
    FileNotFoundError
        The file is not in `data`.
    """
    path = data / FILES[name]
    lines = path.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("#L")) + 1
    x, y = np.loadtxt(lines[start:], unpack=True)
    return x, y / y.max() if edition.scales_measured else y


def laboratory(case: Case, edition: Edition, data: Path | None = None) -> Laboratory:
    """Return the laboratory of a case.

    Parameters
    ----------
    data : folder of the measured curves; simulated targets are made from their settings.

    Raises
    ------
    ValueError
        A measured target is wanted and no folder is given.
    FileNotFoundError
        The measured curve is not in the folder.
    """
    if not case.measured:
        fine = replace(edition, r_step=TARGET_R_STEP)
        targets = {c: simulated_curve(c, edition.target, fine) for c in case.curves}
    elif data is None:
        raise ValueError(
            f"the case {case.name} has a measured target and no folder was given; name the folder "
            f"with {', '.join(FILES[c] for c in case.curves)}"
        )
    else:
        targets = {c: measured_curve(c, edition, data) for c in case.curves}
    return Laboratory(case=case, edition=edition, targets=targets)
