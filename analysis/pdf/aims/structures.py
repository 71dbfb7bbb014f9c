"""Structures as curves: S(Q) − 1 of finite ones at any bond, and of crystals by periodic sums.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ase.io import read as read_atoms
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.spatial.distance import pdist

from analysis.errors import BadPhase, BadSettings
from analysis.pdf.aims.settings import ClusterTarget
from analysis.pdf.aims.windows import Window
from analysis.pdf.forward import CrystalParameters, CrystalPDF, parameters_of
from analysis.pdf.library import Entry, shells
from analysis.pdf.matching import debye
from analysis.pdf.transform import QRange
from analysis.physics.crystal import Crystal
from analysis.physics.scattering_factors import Probe, forward_scattering

FloatArray = NDArray[np.float64]

_X_STEP = 0.04
"""Step of tables in Q · bond: a cubic spline errs by 2e-4 of a pair at twelve bonds."""

_SAME_SIZE = 0.05
_FADED = 4.0
"""Q_damp · r beyond which nothing of a G(r) is left."""


class DebyeTable:
    """The Debye sum of one finite structure, tabulated once for all bonds.

    Parameters
    ----------
    x_max : largest Q · bond that will be asked for.
    """

    def __init__(self, entry: Entry, *, x_max: float) -> None:
        x = _X_STEP * np.arange(1, int(x_max / _X_STEP) + 4, dtype=np.float64)
        x = np.concatenate([[1e-4], x])
        self.entry, self.x_max = entry, x_max
        self._sum = CubicSpline(x, debye(entry, x)[0])

    def sum(self, x: FloatArray) -> FloatArray:
        """Return S(Q) − 1 of atoms at rest at x = Q · bond, in its shape."""
        return np.asarray(self._sum(x))


def debye_waller(q: FloatArray, b_iso: float) -> FloatArray:
    """Return exp(−2B(Q/4π)²), which damps pairs of atoms that move independently.

    Parameters
    ----------
    q : [1/Å].
    b_iso : displacement parameter B [Å²]; correlated motion is not modelled.
    """
    return np.asarray(np.exp(-2 * b_iso * (q / (4 * np.pi)) ** 2))


@dataclass(frozen=True, slots=True, eq=False)
class FiniteTarget:
    """A finite structure at its bond [Å]."""

    entry: Entry
    bond: float
    b_iso: float

    def curve(self, window: Window) -> FloatArray:
        """Return its curve on a window's grid, (n,)."""
        table = DebyeTable(self.entry, x_max=float(window.q[-1]) * self.bond)
        s_minus_one = table.sum(window.q * self.bond) * debye_waller(window.q, self.b_iso)
        return window.show(s_minus_one)


@dataclass(frozen=True, slots=True, eq=False)
class CrystalTarget:
    """A crystal, without end or as spherical grains.

    S(Q) and G(r) come from periodic sums, as `analysis.pdf.forward` makes them: S(Q) is as broad
    as the instrument's Q_damp makes it. I(Q) at small angles is that of one grain, cut out as a
    sphere around an atom.

    Attributes
    ----------
    diameter : of the grains [Å], None for a crystal without end.
    b_iso : displacement parameter [Å²] of every site, unless the crystal states its own.
    """

    crystal: Crystal
    diameter: float | None
    b_iso: float
    q_damp: float
    probe: Probe

    def curve(self, window: Window) -> FloatArray:
        """Return its curve on a window's grid, (n,).

        Raises
        ------
        BadSettings
            I(Q) of a crystal without end is asked for.
        """
        if window.curve == "i_q":
            if self.diameter is None:
                raise BadSettings(
                    f"{self.crystal.name} has no end and so no small-angle I(Q); say the diameter "
                    "of its grains"
                )
            entry = grain(self.crystal, self.diameter, probe=self.probe)
            assert entry.bond is not None
            return FiniteTarget(entry, entry.bond, self.b_iso).curve(window)
        if window.curve == "g_r":
            return self._g_r(window)
        return self._s_minus_one(window)

    def _g_r(self, window: Window) -> FloatArray:
        forward = CrystalPDF(self.crystal, window.x, QRange(*window.q_range), probe=self.probe)
        found = forward.g_r(replace(self._parameters(), q_damp=window.q_damp))
        return np.asarray(found.numpy(), dtype=np.float64)

    def _s_minus_one(self, window: Window) -> FloatArray:
        far = _FADED / max(self.q_damp, 0.02)
        if self.diameter is not None:
            far = min(far, self.diameter)
        span = QRange(max(float(window.q[0]) - 0.1, 0.0), float(window.q[-1]) + 0.1)
        forward = CrystalPDF(self.crystal, np.array([1.0, far]), span, probe=self.probe)
        f_q = forward.f_q(replace(self._parameters(), q_damp=self.q_damp)).numpy()
        q = forward.termination.q
        return np.asarray(CubicSpline(q, f_q / q)(window.q))

    def _parameters(self) -> CrystalParameters:
        stated = parameters_of(self.crystal)
        u_iso = stated.u_iso.clone()
        u_iso[u_iso <= 0] = self.b_iso / (8 * np.pi**2)
        return replace(stated, u_iso=u_iso, diameter=self.diameter)


def cluster_target(said: ClusterTarget, entries: Sequence[Entry], *, b_iso: float) -> FiniteTarget:
    """Return the cluster of the library that settings describe.

    Raises
    ------
    BadSettings
        The library has no such size.
    """
    kin = [e for e in entries if e.kind == said.type]
    if said.size is not None:
        found = [e for e in kin if e.name == f"{said.type} {said.size}"]
        wanted = f"the size {said.size!r}"
    else:
        assert said.n_atoms is not None
        atoms = said.n_atoms
        kin.sort(key=lambda e: abs(np.log(e.n_atoms / atoms)))
        found = [e for e in kin if abs(np.log(e.n_atoms / atoms)) <= _SAME_SIZE]
        wanted = f"{atoms} atoms"
    if not found:
        near = ", ".join(f"{e.name} ({e.n_atoms} atoms)" for e in kin[:5])
        raise BadSettings(
            f"the library has no {said.type} of {wanted}; it has {near or 'none of the type'}"
            f"{', …' if len(kin) > 5 else ''}; name one of its sizes, or raise most_atoms"
        )
    return FiniteTarget(found[0], said.bond, b_iso)


def xyz_target(path: Path, *, probe: Probe, b_iso: float) -> FiniteTarget:
    """Return the finite structure of a file; unlike atoms share one shape of form factor.

    Raises
    ------
    BadPhase
        The file is missing, cannot be read, or holds fewer than two atoms.
    """
    try:
        atoms = read_atoms(path, format="xyz")
    except (ValueError, IndexError, KeyError, OSError) as error:
        raise BadPhase(f"{path} cannot be read as .xyz ({error}); correct its path") from error
    if len(atoms) < 2:
        raise BadPhase(f"{path} holds {len(atoms)} atoms; at least two were expected")
    positions = np.asarray(atoms.positions, dtype=np.float64)
    entry = _heap(path.stem, positions, atoms.get_chemical_symbols(), probe=probe)
    assert entry.bond is not None
    return FiniteTarget(entry, entry.bond, b_iso)


def grain(crystal: Crystal, diameter: float, *, probe: Probe) -> Entry:
    """Return a sphere of a crystal around its first atom, diameter in Å.

    Raises
    ------
    BadSettings
        Fewer than two atoms lie in it.
    """
    structure = crystal.structure
    cell = np.asarray(structure.cell.orth.mat, dtype=np.float64)
    sites = structure.get_all_unit_cell_sites()
    fractions = np.array([[s.fract.x, s.fract.y, s.fract.z] for s in sites])
    reach = np.ceil(diameter / 2 * np.linalg.norm(np.linalg.inv(cell), axis=1)).astype(int) + 1
    axes = (np.arange(-n, n + 1) for n in reach)
    steps = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    positions = ((steps + fractions - fractions[0]) @ cell.T).reshape(-1, 3)
    inside = np.linalg.norm(positions, axis=1) <= diameter / 2
    if inside.sum() < 2:
        raise BadSettings(
            f"a grain of {crystal.name} of {diameter:g} Å holds {inside.sum()} atoms; at least two "
            "were expected; raise the diameter"
        )
    symbols = np.tile(np.array([s.element.name for s in sites]), len(steps))[inside]
    name = f"{crystal.name} {diameter:g} Å"
    return _heap(name, positions[inside], [str(s) for s in symbols], probe=probe)


def _heap(name: str, positions: FloatArray, symbols: list[str], *, probe: Probe) -> Entry:
    strength = {s: forward_scattering(s, probe=probe) for s in set(symbols)}
    bond = float(pdist(positions).min())
    distance, weight = shells(positions / bond, np.array([strength[s] for s in symbols]))
    return Entry(name, name, name, len(positions), distance, weight, bond)
