"""Five laboratories over a hidden phase diagram, each a finite pool that a planner searches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from analysis.insight import Estimate, Insight
from analysis.readings import make as make_readings
from analysis.xrd.agents.quantify import make as make_quantify
from instruments import Bench, Measure, Measurement, Sample, Synthesize, VirtualClock
from instruments.execution import Executor
from instruments.simulated.phase_diagram import COMPOSITION, TEMPERATURE, shares_of
from orchestrator.phase_twin import PHASES, conductivity_meter, diffractometer, hidden_diagram
from orchestrator.twin import furnace
from planners import CandidateList, Objective, SearchSpace, Target

Array = npt.NDArray[np.float64]

N_CANDIDATES = 200
LEVEL = 0.75
"""Conductivity that is asked for [S/m]: the best phase reaches it, wherever it connects."""

DWELL = 6.0
ONSET = 8
"""First experiment with the new lot, or with the instrument astray."""

QUANTITY = "conductivity"
OBJECTIVE = Objective(
    targets=(Target(quantity=QUANTITY, goal="maximize", value=LEVEL, unit="S/m"),)
)
SCAN: Mapping[str, float] = {
    "two_theta_min": 20.0,
    "two_theta_max": 70.0,
    "step": 0.04,
    "counting_time": 0.5,
}

SWAPPED = 0.15
"""Share of the samples of which an over-confident agent reads another one's pattern."""

ROUGH, NARROWED, SURE = 0.06, 3.0, 0.02
"""Error that an over-confident agent adds to a fraction, the factor by which its stds are too
small, and its probability of being wrong, whatever it sees."""


DRIFT = {"since": ONSET, "zero": 0.06, "fading": 0.15, "blurring": 0.25}
"""Per experiment: shift of 2θ [deg], share of the intensity lost, growth of the squared width."""


@dataclass(frozen=True, slots=True)
class World:
    """How one laboratory is set up.

    Attributes
    ----------
    title : in a table.
    settings : of the world, the same for both instruments.
    drift : of the diffractometer.
    overconfident : whether the agent knows less than it says.
    told : kind of alarm that a person must be given, empty where nothing happens.
    """

    title: str
    settings: Mapping[str, object] = field(default_factory=dict)
    drift: Mapping[str, object] = field(default_factory=dict)
    overconfident: bool = False
    told: str = ""


WORLDS: Mapping[str, World] = {
    "boundary": World("(a) the property follows phases with sharp boundaries"),
    "irrelevant": World("(b) structure is irrelevant", {"law": "settings"}),
    "overconfident": World("(c) the agent is over-confident", overconfident=True),
    "stranger": World("(d) an unknown phase appears", {"new_lot": ONSET}, told="unknown_phase"),
    "drift": World("(e) the instrument drifts", drift=DRIFT, told="drift"),
}


@dataclass(frozen=True)
class Pool:
    """The candidates of one laboratory.

    Attributes
    ----------
    settings : (n, 2) dopant [mol%] and temperature [degC].
    value : (n,) conductivity without accidents of a batch and before anything goes wrong [S/m].
    """

    settings: Array
    value: Array

    @property
    def space(self) -> SearchSpace:
        """The candidates as a space."""
        rows = tuple(tuple(float(v) for v in row) for row in self.settings)
        return SearchSpace(candidates=CandidateList(columns=("dopant", "temperature"), rows=rows))

    @property
    def good(self) -> frozenset[int]:
        """The rows that reach the level."""
        return frozenset(int(i) for i in np.flatnonzero(self.value >= LEVEL))


@cache
def pool(world: str, seed: int) -> Pool:
    """Return the candidates of the laboratory with `seed`, spread evenly."""
    unit = qmc.Sobol(2, seed=seed).random_base2(8)[:N_CANDIDATES]
    low = np.array([COMPOSITION[0], TEMPERATURE[0]])
    high = np.array([COMPOSITION[1], TEMPERATURE[1]])
    settings = np.round(low + unit * (high - low), 3)
    diagram = hidden_diagram(seed, WORLDS[world].settings.get("law", "phases"))  # type: ignore[arg-type]
    shares = shares_of(settings[:, 0], settings[:, 1], np.full(len(settings), DWELL))
    return Pool(settings, diagram.value(shares, diagram.fractions(shares)))


class Laboratory:
    """Furnace, diffractometer and bridge of one world, with the agents that read them.

    Parameters
    ----------
    noise : standard deviation of a reading of the conductivity [S/m].
    """

    def __init__(self, world: str, seed: int, *, noise: float) -> None:
        self.world, self.seed = WORLDS[world], seed
        bench = Bench(VirtualClock(), Path(), seed)
        about = {"world": dict(self.world.settings)}
        self._furnace = furnace("furnace", {}, bench)
        optics = {**about, "drift": dict(self.world.drift)}
        self._scanner = diffractometer("diffractometer", optics, bench)
        self._bridge = conductivity_meter("bridge", {**about, "noise": noise}, bench)
        self._quantify = make_quantify({"phases": list(PHASES), "particle_diameter": 0}, Path())
        self._readings = make_readings({"quantities": {QUANTITY: "S/m"}}, Path())
        self._said: list[Insight] = []

    async def connect(self) -> None:
        """Open all three instruments."""
        for instrument in (self._furnace, self._scanner, self._bridge):
            await instrument.connect()

    async def experiment(
        self, number: int, values: Mapping[str, float], *, with_pattern: bool
    ) -> list[Insight]:
        """Make a sample, measure it, and return what the agents say of it."""
        sample = await self._made(number, values)
        reading = await self._measured(self._bridge, sample, {"repeats": 1})
        rng = np.random.default_rng([self.seed, number])
        said = [self._readings.analyze([reading], rng=rng)]
        if with_pattern:
            scan = await self._measured(self._scanner, sample, SCAN)
            insight = self._quantify.analyze([scan], rng=rng)
            said.append(self._boasted(insight, rng) if self.world.overconfident else insight)
        return said

    def _boasted(self, insight: Insight, rng: np.random.Generator) -> Insight:
        """Return what an agent says that is rougher than it knows and sometimes looks elsewhere."""
        others = self._said
        self._said = [*others, insight]
        shown = insight
        if others and rng.random() < SWAPPED:
            shown = others[int(rng.integers(len(others)))]
        estimates = {
            key: Estimate(
                e.value + (ROUGH * float(rng.standard_normal()) if "fraction" in key else 0.0),
                None if e.std is None else e.std / NARROWED,
                e.unit,
            )
            for key, e in shown.estimates.items()
        }
        return replace(
            insight, estimates=estimates, p_wrong=SURE, covariance_keys=(), covariance=None
        )

    async def _made(self, number: int, values: Mapping[str, float]) -> Sample:
        recipe = {**values, "dwell": DWELL}
        command = Synthesize(sample_id=f"c/{number}", number=number, recipe=recipe)
        outcome = await self._furnace.execute(f"c/{number}/synthesize/1", command)
        assert isinstance(outcome.value, Sample), outcome.error
        return outcome.value

    async def _measured(
        self, instrument: Executor, sample: Sample, settings: Mapping[str, float]
    ) -> Measurement:
        command = Measure(
            measurement_id=f"{sample.id}/{instrument.name}/1",
            sample=sample,
            settings=dict(settings),
        )
        name = f"c/{sample.number}/{instrument.name}/1"
        outcome = await instrument.execute(name, command)
        assert isinstance(outcome.value, Measurement), outcome.error
        return outcome.value
