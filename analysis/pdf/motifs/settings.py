"""Settings of `pdf.motifs`: what a campaign file may say about fragments of a starting model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.pdf.motifs.fragments import FragmentConditions
from analysis.pdf.motifs.starting import StartingModel, read_atoms, starting_model
from analysis.physics.scattering_factors import Probe

_ZOOM_STEP = 0.005


class MotifsSettings(BaseModel):
    """What a campaign file says under the agent ``pdf.motifs``.

    Attributes
    ----------
    model : path of the starting model: an XYZ file, or a CIF of which a ball is cut.
    radius : of that ball [Å], around the centre of the cell.
    sampled : elements whose atoms are kept or removed; the strongest scatterers if None.
    bond : another atom stays if it is this close [Å] to a sampled one that stays.
    fits : how many random fragments are fitted.
    r_range : first and last distance that is fitted [Å].
    q_min, q_max : range of Q [1/Å], where the measurement does not state it or states it wrongly.
    probe : what was scattered; None takes what the measurement states, X-rays if it is silent.
    zoom : distances may be this share longer or shorter than the starting model's.
    b_iso : displacement parameter B of every atom [Å²].
    delta2 : of correlated motion [Å²].
    q_damp : of the instrument [1/Å].
    prior_wrong : how often the starting model does not hold the sample's motif, before the data
        are looked at.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model: str
    radius: float = Field(default=8.0, gt=0, le=30)
    sampled: tuple[str, ...] | None = Field(default=None, min_length=1)
    bond: float = Field(default=2.5, gt=0, le=10)
    fits: int = Field(default=1000, ge=64, le=20_000)
    r_range: tuple[float, float] = (1.6, 10.0)
    q_min: float | None = Field(default=None, ge=0)
    q_max: float | None = Field(default=None, gt=0, le=100)
    probe: Probe | None = None
    zoom: float = Field(default=0.025, ge=0, le=0.1)
    b_iso: float = Field(default=0.4, ge=0, le=20)
    delta2: float = Field(default=0.0, ge=0, le=20)
    q_damp: float = Field(default=0.05, ge=0, le=0.5)
    prior_wrong: float = Field(default=0.3, gt=0, lt=1)

    @model_validator(mode="after")
    def _consistent(self) -> MotifsSettings:
        if not 0 < self.r_range[0] < self.r_range[1] <= 100:
            raise ValueError(
                f"r_range runs from {self.r_range[0]:g} to {self.r_range[1]:g} Å; it must rise "
                "between 0 and 100"
            )
        return self

    @property
    def conditions(self) -> FragmentConditions:
        """What all fragments share."""
        n = int(np.ceil(self.zoom / _ZOOM_STEP - 1e-9))
        zooms = 1 + np.linspace(-self.zoom, self.zoom, 2 * n + 1)
        return FragmentConditions(tuple(zooms.tolist()), self.b_iso, self.delta2, self.q_damp)

    def starting_model(self, folder: Path) -> StartingModel:
        """Return the starting model, its path relative to `folder`.

        Raises
        ------
        BadPhase, BadSettings
            It cannot be read, or has too few atoms to choose from.
        """
        positions, elements = read_atoms(folder / self.model, radius=self.radius)
        return starting_model(
            positions,
            elements,
            sampled=self.sampled,
            bond=self.bond,
            probe=self.probe or "x-ray",
        )
