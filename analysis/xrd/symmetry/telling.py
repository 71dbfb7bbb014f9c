"""What is told of a cell: estimates, curves for a person, and whether it is more symmetric."""

from __future__ import annotations

import gemmi
import numpy as np
from numpy.typing import NDArray

from analysis.insight import Curve, Estimate
from analysis.xrd.indexing.forms import SYSTEMS, cell_of, volume
from analysis.xrd.indexing.lines import Lines
from analysis.xrd.indexing.search import IndexedCell
from analysis.xrd.peaks import Peaks
from analysis.xrd.symmetry.attribution import AVERAGE, Attribution
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

ANGLES = {"monoclinic": ("beta",), "triclinic": ("alpha", "beta", "gamma")}
"""Angles that a system leaves free."""

OBLIQUITY = 0.1
"""Angle [deg] by which a lattice may miss a higher symmetry and still be taken for it."""


def estimates_of(cell: IndexedCell, *, scale: float) -> dict[str, Estimate]:
    """Return key → number ± std of a cell's lengths, free angles and volume.

    Parameters
    ----------
    scale : by what the formal std, propagated to first order, is multiplied.
    """
    names = ("a", "b", "c", "alpha", "beta", "gamma")
    here = _parameters(cell.free, cell.system)
    steps = 1e-6 * np.abs(cell.free).max() * np.eye(len(cell.free))
    slopes = np.array([_parameters(cell.free + step, cell.system) - here for step in steps])
    slopes /= np.diag(steps)[:, None]
    std = scale * np.sqrt(np.einsum("pk,pq,qk->k", slopes, cell.covariance, slopes))
    told = {}
    for i, name in enumerate(names):
        if name in ("a", "b", "c", *ANGLES.get(cell.system, ())):
            unit = "Å" if i < 3 else "deg"
            told[f"xrd.cell.{name}"] = Estimate(float(here[i]), float(std[i]), unit)
    told["xrd.cell.volume"] = Estimate(float(here[6]), float(std[6]), "Å³")
    return told


def evidence_of(
    measurement: Measurement, peaks: Peaks, cell: IndexedCell | None, lines: Lines
) -> dict[str, Curve]:
    """Return the pattern, its peaks, and the reflections of a cell where it predicts them."""
    found = {
        "pattern": Curve(
            np.asarray(measurement.x, dtype=np.float64),
            "two_theta",
            "deg",
            {"observed": np.asarray(measurement.y, dtype=np.float64)},
            measurement.y_unit,
        )
    }
    if len(peaks):
        columns = {"height": peaks.height, "significance": peaks.significance}
        found["peaks"] = Curve(peaks.two_theta, "two_theta", "deg", columns)
    if cell is not None:
        q = cell.reflections(lines.end)
        theta = np.arcsin(np.minimum(np.sqrt(q) * lines.wavelength / 2, 1.0))
        position = np.degrees(2 * theta) + cell.displacement * np.cos(theta)
        found[f"reflections.{cell.system}"] = Curve(
            position, "two_theta", "deg", {"strength": np.ones_like(position)}
        )
    return found


def why_of(why: Attribution) -> Curve:
    """Return what each part of the features adds to each system's probability.

    The axis counts the systems in the order of ``xrd.crystal_system``; the columns are the average
    and the parts, and sum to the probabilities told.
    """
    places = np.arange(len(why.average), dtype=np.float64)
    return Curve(places, "crystal_system", "", {AVERAGE: why.average} | why.parts)


def higher_lattice(cell: IndexedCell) -> str:
    """Return the family of the lattice's own symmetry if it is above the cell's, else nothing.

    Two-fold axes of the reduced lattice within `OBLIQUITY`, by gemmi, after Le Page (1982),
    doi:10.1107/S0021889882011959.
    """
    unit_cell = gemmi.UnitCell(*cell.cell)
    operations = gemmi.find_lattice_symmetry(unit_cell, cell.centring, OBLIQUITY)
    family = _FAMILIES[len(operations.sym_ops)]
    return family if SYSTEMS.index(family) < SYSTEMS.index(cell.system) else ""


_FAMILIES = {
    1: "triclinic",
    2: "monoclinic",
    4: "orthorhombic",
    6: "hexagonal",
    8: "tetragonal",
    12: "hexagonal",
    24: "cubic",
}
"""Rotations of a lattice, inversion left out → its family."""


def _parameters(free: FloatArray, system: str) -> FloatArray:
    """Return a, b, c, alpha, beta, gamma and the volume, (7,)."""
    return np.array([*cell_of(free, system=system), float(volume(free, system=system))])
