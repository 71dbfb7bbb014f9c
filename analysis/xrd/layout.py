"""Layout: which profile parameters a fit refines, and how a vector of them becomes phases.

The vector holds numbers of order one: displacement [deg], ln w, then for each phase its free cell
parameters relative to the starting cell, ln size, ln microstrain, and where wanted ln March r and
an extra displacement parameter B [Å²].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis.physics.cell import CELL_NAMES, expand_cell, free_cell_parameters
from analysis.physics.crystal import Crystal
from analysis.xrd.forward import PhaseState
from analysis.xrd.profile import Resolution

FloatArray = NDArray[np.float64]
Axis = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Slot:
    """One refined number.

    Attributes
    ----------
    phase : index of the phase it belongs to, None for the instrument's.
    name : ``displacement``, ``w``, a cell parameter, ``size``, ``microstrain``, ``texture`` or
        ``b_extra``.
    start, low, high : where it starts and may go.
    step : finite difference for its derivative.
    prior : (mean, standard deviation) of weak prior knowledge: it decides only where the pattern
        is silent, such as the size of a phase in traces.
    """

    phase: int | None
    name: str
    start: float
    low: float
    high: float
    step: float
    prior: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """What is refined for some phases.

    Attributes
    ----------
    crystals : the phases.
    resolution : the instrument's; its w is refined unless `fix_resolution`.
    texture : phase name → axis of March–Dollase texture to refine.
    refine_b : refine an extra B for each phase, with a prior of 0 ± 0.3 Å².
    slots : derived: every refined number in order.
    """

    crystals: tuple[Crystal, ...]
    resolution: Resolution
    fix_resolution: bool = False
    texture: Mapping[str, Axis] = field(default_factory=dict)
    refine_b: bool = False
    slots: tuple[Slot, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "slots", tuple(self._make_slots()))

    def _make_slots(self) -> list[Slot]:
        slots = [Slot(None, "displacement", 0.0, -0.3, 0.3, 5e-4, (0.0, 0.1))]
        if not self.fix_resolution:
            start = min(max(self.resolution.w, 2e-4), 0.05)
            slots.append(_log_slot(None, "w", start, low=2e-4, high=0.05, step=1e-3, spread=1.0))
        for i, crystal in enumerate(self.crystals):
            slots += [
                Slot(i, name, 1.0, 0.985, 1.015, 2e-5, (1.0, 0.004))
                for name in free_cell_parameters(crystal)
            ]
            slots += [
                _log_slot(i, "size", 1500.0, low=20.0, high=2e4, step=1e-3, spread=1.5),
                _log_slot(i, "microstrain", 3e-4, low=1e-5, high=2e-2, step=1e-2, spread=1.5),
            ]
            if crystal.name in self.texture:
                slots.append(Slot(i, "texture", 0.0, -1.2, 1.2, 1e-3, (0.0, 0.5)))
            if self.refine_b:
                slots.append(Slot(i, "b_extra", 0.0, -0.6, 3.0, 1e-3, (0.0, 0.3)))
        return slots

    @property
    def start(self) -> FloatArray:
        """Starting vector, (n,)."""
        return np.array([slot.start for slot in self.slots])

    @property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper bounds, (n,) each."""
        return (
            np.array([slot.low for slot in self.slots]),
            np.array([slot.high for slot in self.slots]),
        )

    def index(self, name: str, *, phase: int | None = None) -> int:
        """Return where a number stands in the vector; ValueError if it is not refined."""
        for i, slot in enumerate(self.slots):
            if slot.name == name and slot.phase == phase:
                return i
        raise ValueError(f"{name!r} of phase {phase} is not refined")

    def displacement(self, vector: FloatArray) -> float:
        """Return the displacement [deg]."""
        return float(vector[0])

    def instrument(self, vector: FloatArray) -> Resolution:
        """Return the resolution with its refined w."""
        if self.fix_resolution:
            return self.resolution
        return Resolution(self.resolution.u, self.resolution.v, float(np.exp(vector[1])))

    def phase(self, i: int, vector: FloatArray) -> PhaseState:
        """Return phase `i` as the vector describes it."""
        crystal = self.crystals[i]
        mine = {s.name: float(v) for s, v in zip(self.slots, vector, strict=True) if s.phase == i}
        start = dict(zip(CELL_NAMES, crystal.cell, strict=True))
        free = [start[name] * mine[name] for name in free_cell_parameters(crystal)]
        return PhaseState(
            crystal,
            cell=expand_cell(crystal, free),
            size=float(np.exp(mine["size"])),
            microstrain=float(np.exp(mine["microstrain"])),
            texture_r=float(np.exp(mine.get("texture", 0.0))),
            texture_axis=self.texture.get(crystal.name, (0, 0, 1)),
            b_extra=mine.get("b_extra", 0.0),
        )


def _log_slot(
    phase: int | None,
    name: str,
    start: float,
    *,
    low: float,
    high: float,
    step: float,
    spread: float,
) -> Slot:
    """Return a slot for the logarithm of a positive number, its prior as wide as `spread`."""
    centre = float(np.log(start))
    return Slot(
        phase, name, centre, float(np.log(low)), float(np.log(high)), step, (centre, spread)
    )
