"""How the simulated diffractometer is set up: scans, artefacts and their strengths, faults."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from instruments.capabilities import Accepted, Capabilities
from instruments.simulated.detector import Detector
from instruments.simulated.faults import DIFFRACTOMETER_FAULTS, FaultRate, unknown_faults
from instruments.simulated.limits import narrowed

CU_K_ALPHA_1, CU_K_ALPHA_2, CU_K_BETA = 1.5405929, 1.5444274, 1.392234
"""Wavelengths of copper [Å]; Hölzer et al. 1997, doi:10.1103/PhysRevA.56.4554."""

ACCEPTS = (
    Accepted(name="two_theta_min", unit="deg", low=5, high=150, default=20.0),
    Accepted(name="two_theta_max", unit="deg", low=6, high=155, default=80.0),
    Accepted(name="step", unit="deg", low=0.002, high=0.2, default=0.02),
    Accepted(name="counting_time", unit="s", low=0.01, high=120, default=0.5),
)
"""What the diffractometer accepts, before the limits of the lab file."""


class DiffractometerSettings(BaseModel):
    """How the simulated diffractometer is set up; every artefact is zero at strength 0.

    Attributes
    ----------
    faults : fault → how often; a bare number is a probability per command.
    limits : setting → (low, high), narrower than the device's own.
    peak_rate : counts a second at the strongest point of a corundum standard.
    caglioti : u, v, w of the resolution [deg²].
    alpha_2, beta : weights of Kα2 and of the Kβ that passes the filter, Kα1 being 1.
    zero_shift, height : standard deviations of the zero error of this instrument [deg] and of a
        sample's height at each mounting [mm].
    radius : of the goniometer [mm].
    texture : standard deviation of ln r at each mounting, r being March's coefficient below 1.
    air, halo : air scatter at 20°, and halo of a wholly amorphous sample, as shares of
        `peak_rate`.
    ageing, ripple : loss of tube output per experiment, and amplitude of its swing over an hour.
    detector_dead_time, saturation, dark : of the detector [s, 1/s, 1/s].
    overhead, move : mounting and dismounting [s]; from point to point [s].
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    faults: dict[str, FaultRate] = Field(default_factory=dict)
    limits: dict[str, tuple[float, float]] = Field(default_factory=dict)
    peak_rate: float = Field(default=8000.0, gt=0)
    caglioti: tuple[float, float, float] = (0.006, -0.003, 0.0055)
    alpha_2: float = Field(default=0.5, ge=0, le=1)
    beta: float = Field(default=0.004, ge=0, le=1)
    zero_shift: float = Field(default=0.015, ge=0)
    height: float = Field(default=0.04, ge=0)
    radius: float = Field(default=173.0, gt=0)
    texture: float = Field(default=0.03, ge=0)
    air: float = Field(default=0.015, ge=0)
    halo: float = Field(default=0.12, ge=0)
    ageing: float = Field(default=2e-4, ge=0, le=0.01)
    ripple: float = Field(default=0.003, ge=0, lt=1)
    detector_dead_time: float = Field(default=1e-7, ge=0)
    saturation: float = Field(default=5e5, gt=0)
    dark: float = Field(default=0.3, ge=0)
    overhead: float = Field(default=180.0, ge=0)
    move: float = Field(default=0.02, ge=0)
    hourly_rate: float = Field(default=25.0, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> DiffractometerSettings:
        if fault := unknown_faults(self.faults, known=DIFFRACTOMETER_FAULTS):
            raise ValueError(fault)
        narrowed(ACCEPTS, limits=self.limits)
        return self

    @property
    def lines(self) -> tuple[tuple[float, float], ...]:
        """Wavelengths [Å] with weights, those of weight zero left out."""
        lines = ((CU_K_ALPHA_1, 1.0), (CU_K_ALPHA_2, self.alpha_2), (CU_K_BETA, self.beta))
        return tuple(line for line in lines if line[1] > 0)

    @property
    def detector(self) -> Detector:
        """The detector."""
        return Detector(self.detector_dead_time, self.saturation, self.dark)

    def capabilities(self) -> Capabilities:
        """Return what the diffractometer can do under these settings."""
        return Capabilities(
            role="measure",
            technique="xrd",
            accepts=narrowed(ACCEPTS, limits=self.limits),
            recovery="idempotent",
            hourly_rate=self.hourly_rate,
            stop="abort",
            simulated=True,
        )
