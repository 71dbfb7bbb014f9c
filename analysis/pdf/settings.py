"""Settings of `pdf.parameters`: what a campaign file may say about a fit to a G(r)."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.errors import BadPhase
from analysis.physics.crystal import Crystal
from analysis.physics.scattering_factors import Probe
from analysis.physics.structures import ALIASES, STRUCTURES, structure
from analysis.physics.symmetrising import read_symmetrised


class ParametersSettings(BaseModel):
    """What a campaign file says under the agent ``pdf.parameters``.

    Attributes
    ----------
    phase : name in the structure library, or path of a CIF.
    name : what to call the phase; its own name if None.
    r_range : first and last distance that is fitted [Å].
    q_min, q_max : range of Q [1/Å], where the measurement does not state it or states it wrongly.
    probe : what was scattered; None takes what the measurement states, X-rays if it is silent.
    q_damp : of the instrument, from a standard [1/Å]; None refines it.
    q_broad : of the instrument, from a standard [1/Å].
    finite : refine the diameter of spherical grains; needs `q_damp`, which damps alike.
    prior_wrong : how often the phase is not the sample's, before the data are looked at.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    phase: str
    name: str | None = None
    r_range: tuple[float, float] = (1.5, 30.0)
    q_min: float | None = Field(default=None, ge=0)
    q_max: float | None = Field(default=None, gt=0, le=100)
    probe: Probe | None = None
    q_damp: float | None = Field(default=None, ge=0, le=0.5)
    q_broad: float = Field(default=0.0, ge=0, le=0.5)
    finite: bool = False
    prior_wrong: float = Field(default=0.3, gt=0, lt=1)

    @model_validator(mode="after")
    def _consistent(self) -> ParametersSettings:
        if not 0 < self.r_range[0] < self.r_range[1] <= 200:
            raise ValueError(
                f"r_range runs from {self.r_range[0]:g} to {self.r_range[1]:g} Å; it must rise "
                "between 0 and 200"
            )
        if self.finite and self.q_damp is None:
            raise ValueError(
                "the size of grains and Q_damp fade G(r) alike; give q_damp from a standard to "
                "refine the size"
            )
        return self

    def crystal(self, folder: Path) -> Crystal:
        """Return the phase, from the library or from a CIF relative to `folder`.

        Raises
        ------
        BadPhase
            It is neither.
        """
        listed = self.phase.lower() in STRUCTURES or self.phase.lower() in ALIASES
        if listed or not (folder / self.phase).exists():
            if self.phase.lower().endswith(".cif"):
                raise BadPhase(f"there is no phase file {folder / self.phase}; give its path")
            return structure(self.phase)
        return read_symmetrised(folder / self.phase, name=self.name)
