"""A simulated total-scattering instrument: counts, takes the background off, reduces to a curve."""

from __future__ import annotations

import asyncio
import math
from contextlib import nullcontext

import numpy as np
from numpy.typing import NDArray

from instruments.clock import Clock, VirtualClock
from instruments.commands import Command, Measure
from instruments.device import Action, Device
from instruments.measurement import Measurement
from instruments.protocols import Estimated
from instruments.sample import Setting
from instruments.simulated.faults import FaultKind, strike
from instruments.simulated.reactor_faults import SCATTERING_FAULTS
from instruments.simulated.scatterer import Scatterer, ScattererTruth, capillary
from instruments.simulated.streams import command_key, stream
from instruments.simulated.total_scattering_curves import Axes, even, shown, to_highest_peak
from instruments.simulated.total_scattering_settings import TotalScatteringSettings

FloatArray = NDArray[np.float64]

MOST_POINTS = 20_001
"""Points that one curve may have."""

FEWEST_POINTS = 20

_ZERO = np.zeros(1)


class TotalScatteringDevice(Device):
    """Exposes one capillary at a time; the detector counts all Q at once.

    Parameters
    ----------
    truth : tells what a sample scatters; the device adds everything else.
    seed : of the laboratory; a command draws from (seed, name, its id without the campaign).
    """

    def __init__(
        self,
        name: str,
        settings: TotalScatteringSettings,
        *,
        truth: ScattererTruth,
        clock: Clock,
        seed: int,
    ) -> None:
        self._name = name
        self._settings = settings
        self._truth = truth
        self._clock = clock
        self._seed = seed
        own = stream(seed, name, "instrument")
        self._zoom = 1.0 + settings.calibration * float(own.standard_normal())

    def faults(self, command: Command) -> list[str]:
        """Return what is wrong with the ranges, and with a sample nobody can describe."""
        said = _measure(command)
        found = _range_faults(said.settings)
        try:
            self._truth(said.sample)
        except ValueError as error:
            found.append(str(error))
        return found

    def estimate(self, command: Command) -> Estimated:
        """Return overhead and exposure."""
        return Estimated(
            self._settings.overhead + float(_measure(command).settings["counting_time"])
        )

    async def act(self, action: Action, command: Command) -> Measurement:
        """Mount, expose, and return the reduced curve."""
        said = _measure(command)
        rng = stream(self._seed, self._name, "execute", command_key(action.command_id))
        fault = strike(
            self._settings.faults,
            known=SCATTERING_FAULTS,
            experiment=said.sample.number,
            rng=rng,
        )
        action.step("mounting the capillary")
        await self._clock.sleep(self._settings.overhead)
        if fault and fault.step == "load":
            raise fault.raised()
        action.step("exposing")
        seconds = float(said.settings["counting_time"])
        if fault and not fault.flagged:
            await self._clock.sleep(float(rng.random()) * seconds)
            raise fault.raised()
        await self._clock.sleep(seconds)
        # A cluster of 30,000 atoms is summed for ten seconds, in which others must not stand still.
        with self._clock.hold() if isinstance(self._clock, VirtualClock) else nullcontext():
            return await asyncio.to_thread(self._measurement, action, said, fault=fault, rng=rng)

    def _measurement(
        self, action: Action, said: Measure, *, fault: FaultKind | None, rng: np.random.Generator
    ) -> Measurement:
        name, axes = str(said.settings["curve"]), self._axes(said.settings)
        scatterer = self._truth(said.sample)
        squared = scatterer.form_factor(axes.q) ** 2
        s_minus_one, sigma = self._reduced(
            axes.q,
            scatterer,
            counting_time=float(said.settings["counting_time"]),
            open_shutter=fault is None,
            rng=rng,
        )
        curve = shown(name, s_minus_one, sigma, axes=axes, squared_form_factor=squared)
        scaled = to_highest_peak(name, curve) if self._settings.scaled else None
        flat = self._settings.scaled and scaled is None
        curve = scaled or curve
        return Measurement(
            id=said.measurement_id,
            sample_id=said.sample.id,
            technique="pdf",
            x=curve.x,
            y=curve.y,
            sigma=curve.sigma,
            x_name=curve.x_name,
            x_unit=curve.x_unit,
            y_name=name,
            y_unit=curve.y_unit,
            instrument=self._name,
            simulated=True,
            started=action.started,
            finished=self._clock.now(),
            settings=self._record(said.settings, scaled=scaled is not None),
            flags=tuple([fault.name] if fault else []) + (("no_peak",) if flat else ()),
        )

    def _reduced(
        self,
        q: FloatArray,
        scatterer: Scatterer,
        *,
        counting_time: float,
        open_shutter: bool,
        rng: np.random.Generator,
    ) -> tuple[FloatArray, FloatArray | None]:
        """Return S(Q) − 1, (n_q,), as the counts give it, and its std, None without noise.

        Intensities are in units of what free atoms scatter forward; the std is that of Poisson
        counts of sample and empty capillary.
        """
        s = self._settings
        forward = float(scatterer.form_factor(_ZERO)[0]) ** 2
        atoms = scatterer.form_factor(q) ** 2 / forward
        truth = np.maximum(atoms * (1.0 + scatterer.s_minus_one(q * self._zoom)), 0.0)
        empty = s.background * capillary(q)
        taken_off = 1.0 + s.residual * float(rng.standard_normal())
        light = 1.0 if open_shutter else 0.0
        if s.noise == 0:
            return light * (truth + empty - taken_off * empty) / atoms - 1.0, None
        exposure = s.rate * counting_time / s.noise**2
        counts = rng.poisson(light * exposure * (truth + empty))
        blank = rng.poisson(exposure * empty)
        sigma = np.sqrt(np.maximum(counts + blank, 1.0)) / exposure / atoms
        return (counts - taken_off * blank) / exposure / atoms - 1.0, sigma

    def _axes(self, settings: dict[str, Setting]) -> Axes:
        q_min, q_max, q_step = (float(settings[n]) for n in ("q_min", "q_max", "q_step"))
        r_max, r_step = (float(settings[n]) for n in ("r_max", "r_step"))
        return Axes(
            even(q_min, q_max, q_step), even(0.0, r_max, r_step), q_damp=self._settings.q_damp
        )

    def _record(self, settings: dict[str, Setting], *, scaled: bool) -> dict[str, float | str]:
        return {
            **settings,
            "q_damp": self._settings.q_damp,
            "probe": "x-ray",
            "scale": "highest peak" if scaled else "absolute",
        }


def _range_faults(settings: dict[str, Setting]) -> list[str]:
    q_min, q_max, q_step = (float(settings[n]) for n in ("q_min", "q_max", "q_step"))
    n_q = math.floor((q_max - q_min) / q_step)
    found = []
    if n_q < FEWEST_POINTS:
        found.append(
            f"Q from {q_min:g} to {q_max:g} 1/Å holds {max(n_q, 0)} steps of {q_step:g}; at least "
            f"{FEWEST_POINTS} are measured"
        )
    n_r = float(settings["r_max"]) / float(settings["r_step"])
    if max(n_q, n_r) > MOST_POINTS:
        found.append(f"the curve has {max(n_q, n_r):.0f} points; at most {MOST_POINTS} are stored")
    if settings["curve"] == "g_r" and float(settings["r_max"]) > math.pi / q_step:
        found.append(
            f"G(r) to {settings['r_max']:g} Å from steps of {q_step:g} 1/Å sees its own mirror "
            f"image from {math.pi / q_step:.0f} Å on; take a smaller q_step"
        )
    return found


def _measure(command: Command) -> Measure:
    assert isinstance(command, Measure)
    return command
