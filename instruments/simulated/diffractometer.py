"""A simulated powder diffractometer: scans a sample of which it is told only what it scatters."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from instruments.capabilities import Accepted, Capabilities
from instruments.clock import Clock
from instruments.commands import Command, Measure
from instruments.device import Action, Device
from instruments.measurement import Measurement, Reading
from instruments.protocols import Estimated
from instruments.sample import Setting
from instruments.simulated.detector import Detector
from instruments.simulated.faults import (
    DIFFRACTOMETER_FAULTS,
    FaultKind,
    FaultRate,
    strike,
    unknown_faults,
)
from instruments.simulated.limits import narrowed
from instruments.simulated.specimen import Optics, Specimen, Truth, air_scatter, amorphous_halo
from instruments.simulated.streams import command_key, stream

FloatArray = NDArray[np.float64]

CU_K_ALPHA_1, CU_K_ALPHA_2, CU_K_BETA = 1.5405929, 1.5444274, 1.392234
"""Wavelengths of copper [Å]; Hölzer et al. 1997, doi:10.1103/PhysRevA.56.4554."""

MOST_POINTS = 20_001

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
    texture: float = Field(default=0.06, ge=0)
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


class DiffractometerDevice(Device):
    """Scans one sample at a time and counts.

    Parameters
    ----------
    truth : tells what a sample scatters; the device adds everything else.
    seed : of the laboratory; a scan draws from (seed, name, its id without the campaign).
    """

    def __init__(
        self,
        name: str,
        settings: DiffractometerSettings,
        *,
        truth: Truth,
        clock: Clock,
        seed: int,
    ) -> None:
        self._name = name
        self._settings = settings
        self._truth = truth
        self._clock = clock
        self._seed = seed
        own = stream(seed, name, "instrument")
        self._zero_shift = settings.zero_shift * float(own.standard_normal())

    def faults(self, command: Command) -> list[str]:
        """Return what is wrong with the scan range, and with a sample nobody can describe."""
        assert isinstance(command, Measure)
        low, high, step, _ = _scan(command.settings)
        found = []
        if high - low < step:
            found.append(f"the scan ends at {high:g} deg, less than a step above {low:g} deg")
        elif (points := _n_points(command.settings)) > MOST_POINTS:
            found.append(f"the scan has {points} points; at most {MOST_POINTS} are stored")
        try:
            self._truth(command.sample)
        except ValueError as error:
            found.append(str(error))
        return found

    def estimate(self, command: Command) -> Estimated:
        """Return points × (counting time + move) + overhead."""
        assert isinstance(command, Measure)
        return Estimated(self._settings.overhead + self._scan_seconds(command.settings))

    async def act(self, action: Action, command: Command) -> Measurement:
        """Mount, scan, and return the counts with their Poisson sigma."""
        assert isinstance(command, Measure)
        rng = stream(self._seed, self._name, "execute", command_key(action.command_id))
        fault = strike(
            self._settings.faults,
            known=DIFFRACTOMETER_FAULTS,
            experiment=command.sample.number,
            rng=rng,
        )
        action.step("mounting the sample")
        await self._clock.sleep(self._settings.overhead * math.exp(0.05 * rng.standard_normal()))
        if fault and fault.step == "load":
            raise fault.raised()
        action.step("scanning")
        seconds = self._scan_seconds(command.settings)
        if fault and not fault.flagged:
            await self._clock.sleep(float(rng.random()) * seconds)
            raise fault.raised()
        await self._clock.sleep(seconds)
        return self._measurement(action, command, fault=fault, rng=rng)

    def _measurement(
        self, action: Action, command: Measure, *, fault: FaultKind | None, rng: np.random.Generator
    ) -> Measurement:
        two_theta = _grid(command.settings)
        *_, counting_time = _scan(command.settings)
        specimen = self._truth(command.sample)
        rate = self._rate(two_theta, specimen, number=command.sample.number, rng=rng)
        rate *= {"shutter_closed": 0.0, "saturated": 1e3}.get(fault.name if fault else "", 1.0)
        counts, saturated = self._settings.detector.count(
            rate, counting_time=counting_time, rng=rng
        )
        flags = ([fault.name] if fault else []) + (["saturated"] if saturated else [])
        return Measurement(
            id=command.measurement_id,
            sample_id=command.sample.id,
            technique="xrd",
            x=two_theta,
            y=counts,
            sigma=np.sqrt(np.maximum(counts, 1.0)),
            x_name="two_theta",
            x_unit="deg",
            y_name="counts",
            y_unit="1",
            instrument=self._name,
            simulated=True,
            started=action.started,
            finished=self._clock.now(),
            settings=self._record(command.settings),
            flags=tuple(dict.fromkeys(flags)),
        )

    def _rate(
        self, two_theta: FloatArray, specimen: Specimen, *, number: int, rng: np.random.Generator
    ) -> FloatArray:
        """Return the rate at the detector [1/s], (n_points,)."""
        s = self._settings
        height, texture, phase = [*rng.standard_normal(2).tolist(), rng.uniform(0, 2 * np.pi)]
        optics = Optics(
            lines=s.lines,
            caglioti=s.caglioti,
            displacement=s.height * height / s.radius,
            zero_shift=self._zero_shift,
            texture=math.exp(-s.texture * abs(texture)),
        )
        air = air_scatter(two_theta) + specimen.fluorescence
        halo = amorphous_halo(two_theta, wavelength=CU_K_ALPHA_1)
        relative = (
            specimen.bragg(two_theta, optics) + s.air * air + s.halo * specimen.amorphous * halo
        )
        return np.asarray(s.peak_rate * relative * self._tube(two_theta.size, number, phase))

    def _tube(self, n_points: int, number: int, phase: float) -> FloatArray:
        """Return the tube's output along the scan, by experiment rather than by the clock.

        A laboratory that is stopped and resumed must repeat itself, and its clock does not.
        """
        s = self._settings
        age = (1.0 - s.ageing) ** number
        swing = np.linspace(0.0, 2 * np.pi, n_points) + phase
        return np.asarray(age * (1.0 + s.ripple * np.sin(swing)), dtype=np.float64)

    def _scan_seconds(self, settings: dict[str, Setting]) -> float:
        *_, counting_time = _scan(settings)
        return _n_points(settings) * (counting_time + self._settings.move)

    def _record(self, settings: dict[str, Setting]) -> dict[str, float | str]:
        return {
            **settings,
            "radiation": "Cu",
            "wavelength": CU_K_ALPHA_1,
            "wavelength_alpha_2": CU_K_ALPHA_2,
            "alpha_2_ratio": self._settings.alpha_2,
            "goniometer_radius": self._settings.radius,
        }

    async def read(self) -> dict[str, Reading]:
        """Return nothing: between scans the instrument has nothing to say."""
        return {}


def _scan(settings: dict[str, Setting]) -> tuple[float, float, float, float]:
    names = ("two_theta_min", "two_theta_max", "step", "counting_time")
    low, high, step, counting_time = (float(settings[name]) for name in names)
    return low, high, step, counting_time


def _n_points(settings: dict[str, Setting]) -> int:
    low, high, step, _ = _scan(settings)
    return int((high - low) / step + 1e-6) + 1


def _grid(settings: dict[str, Setting]) -> FloatArray:
    low, _, step, _ = _scan(settings)
    return low + step * np.arange(_n_points(settings), dtype=np.float64)
