"""From the settings to the target: what it is, where it is compared, and its curves there.

Importing this file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.errors import BadPattern, BadPhase, BadSettings
from analysis.pdf.aims.distances import Goal
from analysis.pdf.aims.measured import (
    LEAST_SHARE,
    WHOLE,
    check_total_scattering,
    is_over_q,
    overlap,
    share,
    show,
    sources_of,
)
from analysis.pdf.aims.settings import CurveName, TargetSettings
from analysis.pdf.aims.structures import (
    CrystalTarget,
    FiniteTarget,
    cluster_target,
    xyz_target,
)
from analysis.pdf.aims.windows import Window, g_r_window, i_q_window, s_q_window
from analysis.pdf.library import cluster_entries
from analysis.physics.crystal import Crystal
from analysis.physics.scattering_factors import Probe
from analysis.physics.structures import ALIASES, STRUCTURES, structure
from analysis.physics.symmetrising import read_symmetrised
from instruments.errors import UnreadableFile
from instruments.formats import read_measurement
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

USUAL_Q_RANGE = (1.0, 15.0)
"""Of S(Q) and G(r) [1/Å] where neither settings nor a target's files say one."""


class Target(Protocol):
    """What is aimed at."""

    def goal(self, window: Window) -> Goal:
        """Return its curve on a window's grid."""
        ...


class HasCurve(Protocol):
    """A structure that can be simulated."""

    def curve(self, window: Window) -> FloatArray:
        """Return its curve on a window's grid, (n,)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class StructureTarget:
    """A simulated structure as the target."""

    structure: HasCurve
    keeps_height: bool

    def goal(self, window: Window) -> Goal:
        """Return its curve on a window's grid."""
        y = self.structure.curve(window)
        return Goal(window.curve, window.x, y, keeps_height=self.keeps_height)


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredTarget:
    """Measured curves as the target."""

    measurements: tuple[Measurement, ...]
    keeps_height: bool
    element: str | None
    probe: Probe

    def goal(self, window: Window) -> Goal:
        """Return its curve on a window's grid, with the scatter of its points.

        Raises
        ------
        BadSettings
            No file holds half of the grid, or all of the Q that a G(r) is made from.
        """
        found = sources_of(window.curve, self.measurements)
        parts = [share(m, window) for m in found]
        needed = [WHOLE if is_over_q(m, window) else LEAST_SHARE for m in found]
        held = [i for i, part in enumerate(parts) if part >= needed[i]]
        if not held:
            raise BadSettings(self._missing(window, found))
        source = found[held[0]]
        shown = show(source, window, element=self.element, probe=self.probe)
        low, high = overlap(source, window)
        if is_over_q(source, window):
            low, high = float(window.x[0]), float(window.x[-1])
        half = float(window.x[1] - window.x[0]) / 2
        first, last = np.searchsorted(window.x, (low - half, high + half))
        inside = slice(int(first), int(last))
        return Goal(
            window.curve,
            window.x[inside],
            shown.y[inside],
            inside=inside,
            noise=shown.scatter,
            peak=shown.peak,
            keeps_height=self.keeps_height,
        )

    def _missing(self, window: Window, found: Sequence[Measurement]) -> str:
        held = ", ".join(f"{m.y_name} from {m.x[0]:g} to {m.x[-1]:g}" for m in found)
        wanted = f"{window.x[0]:g} to {window.x[-1]:g}"
        if window.curve == "g_r":
            wanted += f" Å (Q from {window.q_range[0]:g} to {window.q_range[1]:g} 1/Å)"
        return (
            f"the target's files hold {held or 'nothing'} to compare {window.curve} with, which is "
            f"wanted from {wanted}; name another file or change the range"
        )


def make_target(settings: TargetSettings, folder: Path) -> Target:
    """Return the target that settings describe; relative paths start in `folder`.

    Raises
    ------
    BadPhase, BadSettings
        A file is missing or cannot be read, or the library has no such cluster.
    """
    if settings.files:
        read = _read(settings.files, folder)
        return MeasuredTarget(
            read, settings.target_as_it_is, element=settings.element, probe=settings.probe
        )
    return StructureTarget(_structure(settings, folder), settings.target_as_it_is)


def finite_structure(target: Target) -> FiniteTarget | None:
    """Return the finite structure that is the target, None where it is something else."""
    if isinstance(target, StructureTarget) and isinstance(target.structure, FiniteTarget):
        return target.structure
    return None


def windows(settings: TargetSettings, target: Target) -> dict[CurveName, Window]:
    """Return the grid of each curve that is compared."""
    held = _q_range_of(target.measurements) if isinstance(target, MeasuredTarget) else None
    q_range = settings.q_range or held or USUAL_Q_RANGE
    found: dict[CurveName, Window] = {}
    for name in settings.curves:
        if name == "s_q":
            found[name] = s_q_window(q_range)
        elif name == "g_r":
            found[name] = g_r_window(settings.r_range, q_range=q_range, q_damp=settings.q_damp)
        else:
            found[name] = i_q_window(
                settings.small_q_range, element=settings.element, probe=settings.probe
            )
    return found


def narrowed(
    window: Window, part: tuple[float, float], settings: TargetSettings, *, over_q: bool
) -> Window:
    """Return the window over a part of its range.

    Parameters
    ----------
    part : [Å or 1/Å].
    over_q : the part is of the range of Q that a G(r) is made from.
    """
    if window.curve == "s_q":
        return s_q_window(part)
    if window.curve == "i_q":
        return i_q_window(part, element=settings.element, probe=settings.probe)
    r_range = (float(window.x[0]), float(window.x[-1])) if over_q else part
    q_range = part if over_q else window.q_range
    return g_r_window(r_range, q_range=q_range, q_damp=window.q_damp)


def _structure(settings: TargetSettings, folder: Path) -> HasCurve:
    b_iso, probe = settings.b_iso, settings.probe
    if settings.cluster is not None:
        entries = cluster_entries(settings.most_atoms)
        return cluster_target(settings.cluster, entries, b_iso=b_iso)
    if settings.xyz is not None:
        return xyz_target(folder / settings.xyz, probe=probe, b_iso=b_iso)
    assert settings.cif is not None
    crystal = _crystal(settings.cif, folder)
    return CrystalTarget(crystal, settings.diameter, b_iso, settings.q_damp, probe)


def _crystal(said: str, folder: Path) -> Crystal:
    if (folder / said).exists():
        return read_symmetrised(folder / said)
    if said.lower() in STRUCTURES or said.lower() in ALIASES:
        return structure(said)
    raise BadPhase(
        f"there is no file {folder / said} and no {said} in the structure library; give the path "
        "of a CIF"
    )


def _read(files: Sequence[Path], folder: Path) -> tuple[Measurement, ...]:
    found = []
    for path in files:
        try:
            read = read_measurement(folder / path, technique="pdf")
            check_total_scattering(read)
        except (UnreadableFile, BadPattern, OSError) as error:
            raise BadSettings(
                f"the target's curve {folder / path} cannot be read ({error}); name a .gr, .sq, "
                ".fq, .iq or .chi file"
            ) from error
        found.append(read)
    return tuple(found)


def _q_range_of(measured: Sequence[Measurement]) -> tuple[float, float] | None:
    """Return the range of Q that a target's files hold or state, None if none does."""
    for m in measured:
        if m.y_name in ("s_q", "f_q"):
            return float(m.x[0]), float(m.x[-1])
    for m in measured:
        low, high = m.settings.get("q_min"), m.settings.get("q_max")
        if isinstance(low, float) and isinstance(high, float):
            return low, high
    return None
