"""A simulated powder diffractometer: scans a sample of which it is told only what it scatters."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from instruments.clock import Clock
from instruments.commands import Command, Measure
from instruments.device import Action, Device
from instruments.measurement import Measurement, Reading
from instruments.protocols import Estimated
from instruments.sample import Setting
from instruments.simulated.diffractometer_settings import (
    CU_K_ALPHA_1,
    CU_K_ALPHA_2,
    DiffractometerSettings,
)
from instruments.simulated.faults import DIFFRACTOMETER_FAULTS, FaultKind, strike
from instruments.simulated.specimen import Optics, Specimen, Truth, air_scatter, amorphous_halo
from instruments.simulated.streams import command_key, stream

FloatArray = NDArray[np.float64]

MOST_POINTS = 20_001
"""Points that one scan may have."""


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
        height, texture = (float(value) for value in rng.standard_normal(2))
        phase = float(rng.uniform(0.0, 2.0 * np.pi))
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
