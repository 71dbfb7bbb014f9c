"""The simulated laboratory: a hidden truth, forward physics and faults joined into instruments.

The truth of a sample is a pure function of the laboratory's seed and of the sample's own record
(number, maker, recipe as executed), so the twin remembers no samples: after a kill and a resume,
and in a second process, everything repeats bit for bit.

The twin's world differs from what an analysis assumes, on purpose: surfaces and gel scatter
without peaks, doping strains the cells, undissolved dopant and crucible wear are phases nobody
looks for, powders are textured, Kβ leaks through the filter, and the tube drifts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from analysis.physics.crystal import Cell, Crystal, Site, make_crystal
from analysis.physics.structures import structure
from analysis.xrd.forward import PhaseState
from instruments import Bench, Sample
from instruments.execution import Executor
from instruments.simulated.diffractometer import DiffractometerDevice
from instruments.simulated.diffractometer_settings import DiffractometerSettings
from instruments.simulated.fidelity import DIFFRACTOMETER_CARD, FURNACE_CARD, FidelityCard
from instruments.simulated.furnace import FurnaceDevice
from instruments.simulated.furnace_settings import FurnaceSettings
from instruments.simulated.kinetics import DOPANTS, Batch, Powder, Titania, calcine
from instruments.simulated.programme import Programme
from instruments.simulated.specimen import Optics, Specimen, Truth
from instruments.simulated.streams import stream
from orchestrator.gold_twin import GOLD_CARDS
from orchestrator.phase_twin import PHASE_CARDS
from orchestrator.twin_optics import relative_pattern

FloatArray = NDArray[np.float64]

World = Literal["tio2"]
"""The chemistry the twin knows: doped titania, fired from a gel."""

TEXTURE_AXES: Mapping[str, tuple[int, int, int]] = {
    "anatase": (0, 0, 1),
    "rutile": (1, 1, 0),
    "brookite": (0, 0, 1),
}
"""Direction along which grains of a phase prefer to lie."""


class SimulatedFurnaceSettings(FurnaceSettings):
    """Settings of the entry point ``simulated.furnace``."""

    world: World = "tio2"


class SimulatedDiffractometerSettings(DiffractometerSettings):
    """Settings of the entry point ``simulated.diffractometer``.

    Attributes
    ----------
    thermocouple : standard deviation of the constant error of a furnace's thermocouple [K].
    batch_spread : scales every accident of a batch that nobody records; 0 repeats exactly.
    """

    world: World = "tio2"
    thermocouple: float = Field(default=3.0, ge=0)
    batch_spread: float = Field(default=1.0, ge=0)


def furnace(name: str, settings: Mapping[str, object], bench: Bench) -> Executor:
    """Return the simulated dosing and firing station; see `SimulatedFurnaceSettings`.

    Raises
    ------
    pydantic.ValidationError
        The settings are wrong.
    """
    checked = SimulatedFurnaceSettings.model_validate(dict(settings))
    device = FurnaceDevice(name, checked, clock=bench.clock, seed=bench.seed)
    return Executor(name, checked.capabilities(), bench.clock, device)


def diffractometer(name: str, settings: Mapping[str, object], bench: Bench) -> Executor:
    """Return the simulated diffractometer; see `SimulatedDiffractometerSettings`.

    Raises
    ------
    pydantic.ValidationError
        The settings are wrong.
    """
    checked = SimulatedDiffractometerSettings.model_validate(dict(settings))
    truth = titania_truth(
        bench.seed, thermocouple=checked.thermocouple, batch_spread=checked.batch_spread
    )
    device = DiffractometerDevice(name, checked, truth=truth, clock=bench.clock, seed=bench.seed)
    return Executor(name, checked.capabilities(), bench.clock, device)


FIDELITY_CARDS: Mapping[str, FidelityCard] = {
    "simulated.furnace": FURNACE_CARD,
    "simulated.diffractometer": DIFFRACTOMETER_CARD,
    **GOLD_CARDS,
    **PHASE_CARDS,
}
"""Entry point → what its twin models, what it leaves out, and which faults it can produce."""


def fidelity_card() -> str:
    """Return the cards of all twins as Markdown, for a person who plans with a dry run."""
    return "\n".join(card.as_text(name) for name, card in FIDELITY_CARDS.items())


def titania_truth(seed: int, *, thermocouple: float = 3.0, batch_spread: float = 1.0) -> Truth:
    """Return what tells the scattering of any titania sample of the laboratory with `seed`."""

    def truth(sample: Sample) -> Specimen:
        powder = hidden_powder(
            sample, seed=seed, thermocouple=thermocouple, batch_spread=batch_spread
        )
        return Specimen(
            bragg=lambda two_theta, optics: _bragg(two_theta, powder, optics),
            amorphous=powder.amorphous,
            fluorescence=powder.fluorescence,
        )

    return truth


def hidden_powder(
    sample: Sample, *, seed: int, thermocouple: float = 3.0, batch_spread: float = 1.0
) -> Powder:
    """Return what a sample really is; for benchmarks and tests, never for an agent.

    Parameters
    ----------
    seed : of the laboratory.
    thermocouple, batch_spread : as in `SimulatedDiffractometerSettings`.

    Raises
    ------
    ValueError
        The sample's recipe does not tell how it was fired.
    """
    temperature, dwell, ramp, dopant = _fired(sample)
    element = str(sample.recipe.get("dopant_element", "Fe"))
    if element not in DOPANTS:
        raise ValueError(
            f"sample {sample.id} is doped with {element}; this twin knows {', '.join(DOPANTS)}"
        )
    offset = thermocouple * float(stream(seed, "thermocouple", sample.made_by).standard_normal())
    record = [f"{name}={value!r}" for name, value in sorted(sample.recipe.items())]
    rng = stream(seed, "batch", sample.made_by, sample.number, *record)
    return calcine(
        Programme(temperature, dwell, ramp),
        dopant=dopant,
        system=Titania(dopant=DOPANTS[element]),
        batch=Batch.draw(rng, offset=offset, spread=batch_spread),
    )


def _fired(sample: Sample) -> tuple[float, float, float, float]:
    names = ("temperature", "dwell", "ramp", "dopant")
    missing = [n for n in names if not isinstance(sample.recipe.get(n), int | float)]
    if missing:
        raise ValueError(
            f"the record of sample {sample.id} gives no number for {', '.join(missing)}; the twin "
            "can only measure titania that was fired by a furnace that records them"
        )
    temperature, dwell, ramp, dopant = (float(sample.recipe[name]) for name in names)
    return temperature, dwell, ramp, dopant


def _bragg(two_theta: FloatArray, powder: Powder, optics: Optics) -> FloatArray:
    """Return the Bragg intensity relative to the strongest point of the corundum standard."""
    states = [
        _state(phase, powder, texture=optics.texture)
        for phase, fraction in powder.weight_fractions.items()
        if fraction > 1e-5
    ]
    return relative_pattern(two_theta, states, optics)


def _state(phase: str, powder: Powder, *, texture: float) -> PhaseState:
    titania = phase in TEXTURE_AXES
    crystal = _crystal(phase)
    return PhaseState(
        crystal,
        weight_fraction=powder.weight_fractions[phase],
        cell=_strained(crystal.cell, powder.cell_strain) if titania else None,
        size=powder.sizes[phase],
        microstrain=powder.microstrain[phase],
        texture_r=powder.texture * texture if titania else 1.0,
        texture_axis=TEXTURE_AXES.get(phase, (0, 0, 1)),
    )


def _strained(cell: Cell, strain: tuple[float, float]) -> Cell:
    a, b, c, alpha, beta, gamma = cell
    along_a, along_c = strain
    return a * (1 + along_a), b * (1 + along_a), c * (1 + along_c), alpha, beta, gamma


@cache
def _crystal(phase: str) -> Crystal:
    return _hematite() if phase == "hematite" else structure(phase)


def _hematite() -> Crystal:
    return make_crystal(
        "hematite",
        cell=(5.038, 5.038, 13.772, 90.0, 90.0, 120.0),
        space_group="R -3 c:H",
        sites=(Site("Fe", (0.0, 0.0, 0.3553)), Site("O", (0.3059, 0.0, 0.25))),
        reference="Blake, Hessevick, Zoltai & Finger (1966), Am. Mineral. 51, 123",
    )
