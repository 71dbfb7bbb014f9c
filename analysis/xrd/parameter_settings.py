"""Settings of `xrd.parameters`: a known system, its instrument, and how far samples may differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.errors import BadSettings
from analysis.physics.cell import free_cell_parameters
from analysis.physics.crystal import Crystal
from analysis.physics.reflections import reflections
from analysis.xrd.settings import QuantifySettings, RadiationSettings, ResolutionSettings
from analysis.xrd.world import World

FEWEST_POINTS, MOST_POINTS = 150, 4000
"""Points of the grid between which a fit makes sense and is still quick."""


class ParametersSettings(BaseModel):
    """What a campaign file says under the agent ``xrd.parameters``.

    Attributes
    ----------
    phases : the system's phases, as for ``xrd.quantify``.
    radiation : what the instrument shines.
    resolution : of the instrument, as measured on a standard; it is not refined.
    two_theta : lowest and highest angle [deg]; every pattern must cover it.
    strain : largest relative difference of a cell length from the listed one; angles a tenth of it.
    size : smallest and largest crystallite size [Å].
    microstrain : of all phases, not refined.
    displacement : largest displacement [deg]; 0 where the geometry excludes one.
    background_order : of the Chebyshev background in the fit; 1/2θ comes on top.
    prior_wrong : how often a sample holds a foreign phase, or is otherwise unlike the system,
        before the pattern is looked at.
    recipe, seed : which trained networks are used; ``sdlab train`` makes them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    phases: tuple[str, ...] | dict[str, str] | str
    radiation: RadiationSettings = RadiationSettings()
    resolution: ResolutionSettings = ResolutionSettings()
    two_theta: tuple[float, float] = (20.0, 80.0)
    strain: float = Field(default=0.005, gt=0, le=0.02)
    size: tuple[float, float] = (30.0, 500.0)
    microstrain: float = Field(default=1e-4, ge=0, le=0.01)
    displacement: float = Field(default=0.05, ge=0, le=0.3)
    background_order: int = Field(default=4, ge=0, le=30)
    prior_wrong: float = Field(default=0.1, gt=0, lt=1)
    recipe: str = "standard"
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> ParametersSettings:
        if not 0 < self.two_theta[0] < self.two_theta[1] < 170:
            raise ValueError(
                f"two_theta runs from {self.two_theta[0]:g} to {self.two_theta[1]:g}°; it must "
                "rise between 0 and 170"
            )
        if not 5 <= self.size[0] < self.size[1] <= 2e4:
            raise ValueError(
                f"sizes run from {self.size[0]:g} to {self.size[1]:g} Å; they must rise between 5 "
                "and 20000"
            )
        return self

    def world(self, folder: Path) -> World:
        """Return the phases, instrument and ranges; relative paths of CIFs start in `folder`.

        Raises
        ------
        BadPhase
            A phase cannot be read.
        BadSettings
            The range is too short or long for the widths of peaks, or shows too little of a phase.
        """
        made = World(
            QuantifySettings(phases=self.phases).crystals(folder),
            self.radiation.radiation(),
            self.resolution.resolution(),
            self.two_theta,
            strain=self.strain,
            size=self.size,
            microstrain=self.microstrain,
            displacement=self.displacement,
        )
        if not FEWEST_POINTS <= len(made.grid) <= MOST_POINTS:
            raise BadSettings(
                f"from {self.two_theta[0]:g} to {self.two_theta[1]:g}° with peaks of "
                f"{made.narrowest:.3g}° there are {len(made.grid)} points; between {FEWEST_POINTS} "
                f"and {MOST_POINTS} are of use. Change two_theta, the largest size or resolution.w"
            )
        for crystal in made.crystals:
            _check_lines(crystal, made)
        return made


def _check_lines(crystal: Crystal, world: World) -> None:
    """Raise BadSettings if a phase has fewer lines in range than free cell parameters."""
    low, high = np.sin(np.radians(world.two_theta) / 2)
    wavelength = world.radiation.wavelength
    d_min, d_max = wavelength / (2 * high), wavelength / (2 * low)
    listed = reflections(
        crystal,
        d_min=round(float(d_min), 3),
        wavelength=wavelength,
        probe=world.radiation.probe,
    )
    n = int(np.sum((listed.d >= d_min) & (listed.d <= d_max)))
    names = free_cell_parameters(crystal)
    if n < len(names):
        raise BadSettings(
            f"{crystal.name} has {n} reflections between {world.two_theta[0]:g} and "
            f"{world.two_theta[1]:g}°, too few for {', '.join(names)}; widen two_theta or leave "
            "the phase out"
        )
