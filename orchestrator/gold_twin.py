"""ScattBO's laboratory as a twin: gold clusters from two reactors, read by total scattering.

After Anker, ScattBO (2024), github.com/AndySAnker/ScattBO. As set up by default it is the published
laboratory: exact, free of noise, curves scaled to a highest peak of one. Noise, accidents of a
batch and errors of the instrument are settings; with them the twin's world differs from what an
analysis assumes.

The truth of a sample is a pure function of the laboratory's seed and of the sample's own record, as
in `orchestrator.twin`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.interpolate import CubicSpline

from analysis.physics.debye_table import pair_distances, tabulate
from analysis.physics.scattering_factors import scattering_factor
from instruments import Bench, Sample
from instruments.execution import Executor
from instruments.simulated.fidelity import FidelityCard
from instruments.simulated.gold import (
    Edition,
    Kind,
    Particle,
    from_robot,
    from_solution,
    positions,
)
from instruments.simulated.gold_batch import Accidents, Batch, grow
from instruments.simulated.gold_fidelity import (
    ROBOT_REACTOR_CARD,
    SOLUTION_REACTOR_CARD,
    TOTAL_SCATTERING_CARD,
)
from instruments.simulated.reactor import ReactorDevice
from instruments.simulated.reactor_settings import (
    ReactorSettings,
    RobotReactorSettings,
    SolutionReactorSettings,
)
from instruments.simulated.scatterer import Scatterer, ScattererTruth
from instruments.simulated.streams import stream
from instruments.simulated.total_scattering import TotalScatteringDevice
from instruments.simulated.total_scattering_settings import TotalScatteringSettings

FloatArray = NDArray[np.float64]

X_MAX = 140.0
"""Largest Q times length that is tabulated: 25 1/Å times 4.5 Å, with room for strain."""

_SOLUTION = ("pH", "pressure")
_ROBOT = ("temperature", "uv", "uv_a", "led", "volume_f", "speed_d", "speed_e", "mixing_speed")


class SimulatedTotalScatteringSettings(TotalScatteringSettings):
    """Settings of the entry point ``simulated.total_scattering``.

    Attributes
    ----------
    edition : of the rules by which solutions grow clusters.
    accidents : of a batch that nobody records; all zero as published.
    """

    edition: Edition = "2024-04"
    accidents: Accidents = Field(default_factory=Accidents)


def solution_reactor(name: str, settings: Mapping[str, object], bench: Bench) -> Executor:
    """Return the simulated autoclave; see `SolutionReactorSettings`.

    Raises
    ------
    pydantic.ValidationError
        The settings are wrong.
    """
    return _reactor(name, SolutionReactorSettings.model_validate(dict(settings)), bench)


def robot_reactor(name: str, settings: Mapping[str, object], bench: Bench) -> Executor:
    """Return the simulated robot with pumps and lamps; see `RobotReactorSettings`.

    Raises
    ------
    pydantic.ValidationError
        The settings are wrong.
    """
    return _reactor(name, RobotReactorSettings.model_validate(dict(settings)), bench)


def _reactor(name: str, checked: ReactorSettings, bench: Bench) -> Executor:
    device = ReactorDevice(name, checked, clock=bench.clock, seed=bench.seed)
    return Executor(name, checked.capabilities(), bench.clock, device)


def total_scattering(name: str, settings: Mapping[str, object], bench: Bench) -> Executor:
    """Return the simulated total-scattering instrument; see `SimulatedTotalScatteringSettings`.

    Raises
    ------
    pydantic.ValidationError
        The settings are wrong.
    """
    checked = SimulatedTotalScatteringSettings.model_validate(dict(settings))
    truth = gold_truth(bench.seed, edition=checked.edition, accidents=checked.accidents)
    device = TotalScatteringDevice(name, checked, truth=truth, clock=bench.clock, seed=bench.seed)
    return Executor(name, checked.capabilities(), bench.clock, device)


GOLD_CARDS: Mapping[str, FidelityCard] = {
    "simulated.solution_reactor": SOLUTION_REACTOR_CARD,
    "simulated.robot_reactor": ROBOT_REACTOR_CARD,
    "simulated.total_scattering": TOTAL_SCATTERING_CARD,
}
"""Entry point → what its twin models, what it leaves out, and which faults it can produce."""


def gold_truth(
    seed: int, *, edition: Edition = "2024-04", accidents: Accidents | None = None
) -> ScattererTruth:
    """Return what tells the scattering of any gold sample of the laboratory with `seed`."""

    def truth(sample: Sample) -> Scatterer:
        batch = hidden_batch(sample, seed=seed, edition=edition, accidents=accidents)
        return Scatterer(s_minus_one=_s_minus_one(batch), form_factor=_form_factor)

    return truth


def hidden_batch(
    sample: Sample,
    *,
    seed: int,
    edition: Edition = "2024-04",
    accidents: Accidents | None = None,
) -> Batch:
    """Return what a sample really is; for benchmarks and tests, never for an agent.

    Parameters
    ----------
    seed : of the laboratory.
    edition, accidents : as in `SimulatedTotalScatteringSettings`; None for none.

    Raises
    ------
    ValueError
        The sample's recipe does not tell how it was grown.
    """
    record = [f"{name}={value!r}" for name, value in sorted(sample.recipe.items())]
    rng = stream(seed, "batch", sample.made_by, sample.number, *record)
    return grow(_wanted(sample, edition), accidents or Accidents(), rng)


def _wanted(sample: Sample, edition: Edition) -> Particle:
    recipe = sample.recipe
    if "solvent" in recipe:
        _check_numbers(sample, _SOLUTION)
        return from_solution(
            ph=float(recipe["pH"]),
            pressure=float(recipe["pressure"]),
            solvent=str(recipe["solvent"]),
            edition=edition,
        )
    _check_numbers(sample, _ROBOT)
    return from_robot(recipe)


def _check_numbers(sample: Sample, names: tuple[str, ...]) -> None:
    missing = [n for n in names if not isinstance(sample.recipe.get(n), int | float)]
    if missing:
        raise ValueError(
            f"the record of sample {sample.id} gives no number for {', '.join(missing)}; the twin "
            "can only measure gold that was grown by a reactor that records pH, pressure and "
            "solvent, or by the robot"
        )


def _s_minus_one(batch: Batch) -> Callable[[FloatArray], FloatArray]:
    """Return S(Q) − 1 of clusters side by side, by their shares of the atoms.

    Every pair is damped by exp(−2B (Q/4π)²): atoms that move independently of each other.
    """

    def s_minus_one(q: FloatArray) -> FloatArray:
        total = np.zeros_like(q)
        for particle, share in batch.shares.items():
            total += share * cluster_table(particle.kind, particle.size)(q * particle.length)
        return np.asarray(total * np.exp(-2.0 * batch.b_iso * (q / (4.0 * np.pi)) ** 2))

    return s_minus_one


def _form_factor(q: FloatArray) -> FloatArray:
    return scattering_factor("Au", q)


@cache
def cluster_table(kind: Kind, size: int) -> CubicSpline:
    """Return a cluster's Debye sum as a function of Q times its length, kept once made."""
    return tabulate(pair_distances(positions(kind, size)), x_max=X_MAX)
