"""A laboratory with a hidden phase diagram: a fired oxide whose conductivity follows its phases.

Thermodynamics and property are invented (`instruments.simulated.phase_diagram`), crystals and their
scattering are real. The twin's world differs from what an analysis assumes: grains are textured,
doping strains the cells, some matter is amorphous, a trace of quartz wears off the mortar; on
request a new lot of precursor brings a phase that nobody listed, or the diffractometer drifts.

The truth of a sample is a pure function of the laboratory's seed and of the sample's own record, as
in `orchestrator.twin`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from analysis.physics.structures import structure
from analysis.xrd.forward import PhaseState
from instruments import Bench, Sample
from instruments.execution import Executor
from instruments.simulated.conductivity import ConductivityDevice, ConductivitySettings
from instruments.simulated.diffractometer import DiffractometerDevice
from instruments.simulated.diffractometer_settings import DiffractometerSettings
from instruments.simulated.faults import DIFFRACTOMETER_FAULTS
from instruments.simulated.fidelity import FidelityCard
from instruments.simulated.phase_diagram import Law, PhaseDiagram, shares_of
from instruments.simulated.specimen import Optics, Specimen, Truth
from instruments.simulated.streams import stream
from orchestrator.twin_optics import relative_pattern

FloatArray = NDArray[np.float64]

PHASES = ("anatase", "rutile", "zincite", "bixbyite")
"""Crystals that stand for the diagram's phases; the first is what was not fired enough."""

STRANGER, WEAR = "bunsenite", "quartz"
"""What a new lot of precursor brings, and what wears off the mortar."""

TEXTURES: Mapping[str, tuple[int, int, int]] = {
    "anatase": (0, 0, 1),
    "rutile": (1, 1, 0),
    "zincite": (0, 0, 1),
}
"""Direction along which grains of a phase prefer to lie."""

WORN = 0.01
"""Mean weight fraction of `WEAR`."""


class WorldSettings(BaseModel):
    """What the instruments of one laboratory must agree on.

    Attributes
    ----------
    law : what the conductivity follows; see `PhaseDiagram`.
    new_lot : number of the experiment from which on the precursor holds `STRANGER`; None for never.
    stranger : its mean weight fraction.
    batch_spread : scales the accidents of a batch that nobody records; 0 repeats exactly.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    law: Law = "phases"
    new_lot: int | None = Field(default=None, ge=0)
    stranger: float = Field(default=0.15, gt=0, lt=1)
    batch_spread: float = Field(default=1.0, ge=0)


class DriftSettings(BaseModel):
    """How a diffractometer goes astray with every experiment; a realignment is not simulated.

    Attributes
    ----------
    since : number of the first experiment that is astray; None for never.
    zero : shift of 2θ per experiment [deg].
    fading : share of the intensity lost per experiment.
    blurring : growth of the squared peak width w per experiment, as a share.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    since: int | None = Field(default=None, ge=0)
    zero: float = 0.03
    fading: float = Field(default=0.08, ge=0, lt=1)
    blurring: float = Field(default=0.15, ge=0)


class PhaseDiffractometerSettings(DiffractometerSettings):
    """Settings of the entry point ``simulated.phase_diffractometer``."""

    world: WorldSettings = WorldSettings()
    drift: DriftSettings = DriftSettings()


class PhaseConductivitySettings(ConductivitySettings):
    """Settings of the entry point ``simulated.conductivity``."""

    world: WorldSettings = WorldSettings()


@dataclass(frozen=True, slots=True)
class Ceramic:
    """What a sample really is.

    Attributes
    ----------
    weight_fractions : phase → share of the crystalline mass, strangers included.
    conductivity : [S/m].
    amorphous : weight fraction without order.
    strain : relative change of every cell's lengths.
    texture : March's r of all phases.
    size : volume-weighted column length [Å].
    """

    weight_fractions: Mapping[str, float]
    conductivity: float
    amorphous: float
    strain: float
    texture: float
    size: float


def diffractometer(name: str, settings: Mapping[str, object], bench: Bench) -> Executor:
    """Return the simulated diffractometer; see `PhaseDiffractometerSettings`.

    Raises
    ------
    pydantic.ValidationError
        The settings are wrong.
    """
    checked = PhaseDiffractometerSettings.model_validate(dict(settings))
    truth = scattering_truth(bench.seed, checked.world, checked.drift)
    device = DiffractometerDevice(name, checked, truth=truth, clock=bench.clock, seed=bench.seed)
    return Executor(name, checked.capabilities(), bench.clock, device)


def conductivity_meter(name: str, settings: Mapping[str, object], bench: Bench) -> Executor:
    """Return the simulated bridge; see `PhaseConductivitySettings`.

    Raises
    ------
    pydantic.ValidationError
        The settings are wrong.
    """
    checked = PhaseConductivitySettings.model_validate(dict(settings))
    device = ConductivityDevice(
        name,
        checked,
        truth=lambda sample: (
            hidden_ceramic(sample, seed=bench.seed, world=checked.world).conductivity
        ),
        clock=bench.clock,
        seed=bench.seed,
    )
    return Executor(name, checked.capabilities(), bench.clock, device)


def scattering_truth(seed: int, world: WorldSettings, drift: DriftSettings) -> Truth:
    """Return what tells the scattering of any sample of the laboratory with `seed`."""

    def truth(sample: Sample) -> Specimen:
        ceramic = hidden_ceramic(sample, seed=seed, world=world)
        astray = 0 if drift.since is None else max(sample.number - drift.since + 1, 0)
        return Specimen(_bragg(ceramic, drift, astray), ceramic.amorphous, fluorescence=0.3)

    return truth


def hidden_ceramic(sample: Sample, *, seed: int, world: WorldSettings) -> Ceramic:
    """Return what a sample really is; for benchmarks and tests, never for an agent.

    Parameters
    ----------
    seed : of the laboratory.

    Raises
    ------
    ValueError
        The sample's recipe does not tell how it was fired.
    """
    dopant, temperature, dwell = _fired(sample)
    record = [f"{name}={value!r}" for name, value in sorted(sample.recipe.items())]
    rng = stream(seed, "ceramic", sample.made_by, sample.number, *record)
    spread = world.batch_spread
    off, worn, brought, texture, amorphous = rng.standard_normal(5)
    shares = shares_of(
        np.array([dopant]), np.array([temperature + 3.0 * spread * off]), np.array([dwell])
    )
    diagram = hidden_diagram(seed, world.law)
    listed = diagram.fractions(np.clip(shares, 0.0, 1.0))
    strange = 0.0
    if world.new_lot is not None and sample.number >= world.new_lot:
        strange = world.stranger * float(np.exp(0.2 * spread * brought))
    wear = WORN * spread * float(np.exp(0.5 * worn))
    listed = listed * (1.0 - strange - wear)
    found = {p: float(w) for p, w in zip(PHASES, listed[0], strict=True)}
    return Ceramic(
        weight_fractions={**found, STRANGER: strange, WEAR: wear},
        conductivity=float(diagram.value(shares, listed)[0]),
        amorphous=0.05 * float(np.exp(0.3 * spread * amorphous)),
        strain=0.003 * float(shares[0, 0]),
        texture=float(np.exp(-0.1 * spread * abs(texture))),
        size=400.0 + 800.0 * float(shares[0, 1]),
    )


@cache
def hidden_diagram(seed: int, law: Law = "phases") -> PhaseDiagram:
    """Return the phase diagram of the laboratory with `seed`; for benchmarks and tests."""
    return PhaseDiagram.draw(seed, n_phases=len(PHASES), law=law)


def _fired(sample: Sample) -> tuple[float, float, float]:
    names = ("dopant", "temperature", "dwell")
    missing = [n for n in names if not isinstance(sample.recipe.get(n), int | float)]
    if missing:
        raise ValueError(
            f"the record of sample {sample.id} gives no number for {', '.join(missing)}; the twin "
            "can only measure an oxide that was fired by a furnace that records them"
        )
    dopant, temperature, dwell = (float(sample.recipe[name]) for name in names)
    return dopant, temperature, dwell


def _bragg(
    ceramic: Ceramic, drift: DriftSettings, astray: int
) -> Callable[[FloatArray, Optics], FloatArray]:
    def bragg(two_theta: FloatArray, optics: Optics) -> FloatArray:
        u, v, w = optics.caglioti
        found = replace(
            optics,
            zero_shift=optics.zero_shift + drift.zero * astray,
            caglioti=(u, v, w * (1.0 + drift.blurring) ** astray),
        )
        states = [
            _state(phase, ceramic, optics)
            for phase, fraction in ceramic.weight_fractions.items()
            if fraction > 1e-5
        ]
        return relative_pattern(two_theta, states, found) * (1.0 - drift.fading) ** astray

    return bragg


def _state(phase: str, ceramic: Ceramic, optics: Optics) -> PhaseState:
    crystal = structure(phase)
    a, b, c, alpha, beta, gamma = crystal.cell
    longer = 1.0 + ceramic.strain
    return PhaseState(
        crystal,
        weight_fraction=ceramic.weight_fractions[phase],
        cell=(a * longer, b * longer, c * longer, alpha, beta, gamma),
        size=ceramic.size,
        microstrain=5e-4,
        texture_r=ceramic.texture * optics.texture if phase in TEXTURES else 1.0,
        texture_axis=TEXTURES.get(phase, (0, 0, 1)),
    )


PHASE_CARDS: Mapping[str, FidelityCard] = {
    "simulated.phase_diffractometer": FidelityCard(
        models=(
            "patterns of real oxides in amounts that an invented phase diagram leaves, with "
            "texture, strain by doping, amorphous matter and a trace of quartz",
            "if asked for: a new lot of precursor with a phase that nobody listed; drift of zero, "
            "intensity and resolution by experiment",
            "everything else as the simulated diffractometer",
        ),
        leaves_out=(
            "any chemistry: which phase is stable where is invented, as is the reaction's rate",
            "solid solutions: cells follow the doping, not the phase's own composition",
        ),
        faults=DIFFRACTOMETER_FAULTS,
        repeats="bit for bit for the same laboratory seed, instrument name and command id without "
        "its campaign, whatever ran before",
    ),
    "simulated.conductivity": FidelityCard(
        models=(
            "a conductivity that jumps where a phase connects through the sample, with normal "
            "noise that is stated",
        ),
        leaves_out=("frequency, temperature, electrodes, porosity", "any fault"),
        faults={},
        repeats="bit for bit, as the diffractometer",
    ),
}
"""Entry point → what its twin models, what it leaves out, and which faults it can produce."""
