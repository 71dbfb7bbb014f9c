"""How the simulated total-scattering instrument is set up: ranges, noise, errors, faults."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from instruments.capabilities import Accepted, Capabilities
from instruments.simulated.faults import FaultRate, unknown_faults
from instruments.simulated.limits import narrowed
from instruments.simulated.reactor_faults import SCATTERING_FAULTS

CurveName = Literal["s_q", "f_q", "g_r", "i_q"]

ACCEPTS = (
    Accepted(name="curve", choices=("s_q", "f_q", "g_r", "i_q"), default="s_q"),
    Accepted(name="q_min", unit="1/Å", low=0.01, high=5, default=2.0),
    Accepted(name="q_max", unit="1/Å", low=1, high=25, default=10.0, description="not included"),
    Accepted(name="q_step", unit="1/Å", low=0.002, high=0.1, default=0.01),
    Accepted(name="r_max", unit="Å", low=5, high=100, default=30.0, description="of a G(r)"),
    Accepted(name="r_step", unit="Å", low=0.005, high=0.2, default=0.01, description="of a G(r)"),
    Accepted(name="counting_time", unit="s", low=1, high=36_000, default=600.0),
)
"""What the instrument accepts, before the limits of the lab file; defaults are ScattBO's. Small
angles are ``curve = "i_q"`` from 0.01 to 3 1/Å there."""


class TotalScatteringSettings(BaseModel):
    """How the simulated instrument is set up; every error is zero at strength 0, as published.

    Attributes
    ----------
    faults : fault → how often; a bare number is a probability per command.
    limits : setting → (low, high), narrower than the device's own.
    noise : multiplies the standard deviation of counting; 1 is that of `rate` and the counting
        time, 0 the published laboratory, which has none.
    rate : counts a second in one point where atoms scatter forward as free ones do.
    background : scatter of the capillary at its maximum, on the same scale; an empty capillary
        is counted as long as the sample and taken off.
    residual : standard deviation, at each measurement, of the relative error in taking it off.
    calibration : standard deviation of the relative error of this instrument's Q.
    q_damp : damping of G(r) by the resolution [1/Å].
    scaled : curves are scaled to a highest peak of one, as in ScattBO, whose S(Q) is S − 1;
        otherwise S(Q), F(Q), I(Q) per atom and G(r) are absolute.
    overhead : mounting, dismounting, empty capillary [s].
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    faults: dict[str, FaultRate] = Field(default_factory=dict)
    limits: dict[str, tuple[float, float]] = Field(default_factory=dict)
    noise: float = Field(default=0.0, ge=0)
    rate: float = Field(default=200.0, gt=0)
    background: float = Field(default=0.02, ge=0)
    residual: float = Field(default=0.0, ge=0, le=0.5)
    calibration: float = Field(default=0.0, ge=0, le=0.02)
    q_damp: float = Field(default=0.04, ge=0, le=0.5)
    scaled: bool = True
    overhead: float = Field(default=120.0, ge=0)
    hourly_rate: float = Field(default=30.0, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> TotalScatteringSettings:
        if fault := unknown_faults(self.faults, known=SCATTERING_FAULTS):
            raise ValueError(fault)
        narrowed(ACCEPTS, limits=self.limits)
        return self

    def capabilities(self) -> Capabilities:
        """Return what the instrument can do under these settings."""
        return Capabilities(
            role="measure",
            technique="pdf",
            accepts=narrowed(ACCEPTS, limits=self.limits),
            recovery="idempotent",
            hourly_rate=self.hourly_rate,
            stop="abort",
            simulated=True,
        )
