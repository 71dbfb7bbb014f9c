"""A small laboratory for tests of the loop: an oven with a known law, and a meter that reads it.

Real drivers on the shared executor; only their physics is a formula. The meter's reading has its
maximum at temperature 150, time 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analysis.insight import Estimate, Insight, MeasurementRequest
from instruments.capabilities import Accepted, Capabilities, Consumable
from instruments.clock import Clock, VirtualClock
from instruments.commands import Command, Measure, Synthesize
from instruments.device import Action, Device
from instruments.errors import InstrumentFault
from instruments.execution import Executor
from instruments.measurement import Measurement, Reading
from instruments.protocols import Estimated
from instruments.sample import Sample
from orchestrator.campaign import Campaign
from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.laboratories.matching import Match
from orchestrator.run import History, Run
from orchestrator.sharing.desk import LocalDesk
from orchestrator.storage.supplies import open_storeroom
from orchestrator.store import Store
from planners.proposal import Observation
from planners.protocols import Planner

QUANTITY = "crust.colour"

OVEN = Capabilities(
    role="synthesize",
    accepts=(
        Accepted(name="temperature", unit="degC", low=100, high=250),
        Accepted(name="time", unit="h", low=0.5, high=4, default=1.0),
    ),
    consumables=(Consumable(name="flour", unit="g", stock=10_000, price=0.01),),
    recovery="idempotent",
    hourly_rate=3.0,
    simulated=True,
)

METER = Capabilities(
    role="measure",
    technique="table",
    accepts=(Accepted(name="repeats", low=1, high=9, default=1.0),),
    reports={"colour": ""},
    recovery="idempotent",
    simulated=True,
)


def colour(temperature: float, time: float) -> float:
    """Return the known law, 1 at its best."""
    return float(np.exp(-(((temperature - 150) / 40) ** 2) - (time - 2) ** 2))


@dataclass
class Oven(Device):
    """Bakes; `bad` experiments jam, `acts` counts what really happened."""

    clock: Clock
    bad: frozenset[int] = frozenset()
    acts: list[str] = field(default_factory=list)
    name: str = "oven"

    def estimate(self, command: Command) -> Estimated:
        assert isinstance(command, Synthesize)
        return Estimated(3600 * float(command.recipe["time"]), {"flour": 100.0})

    async def act(self, action: Action, command: Command) -> Sample:
        assert isinstance(command, Synthesize)
        self.acts.append(action.command_id)
        action.use("flour", 100.0)
        await self.clock.sleep(3600 * float(command.recipe["time"]))
        if command.number in self.bad:
            raise InstrumentFault("jam", "the conveyor of the oven jammed")
        return Sample(
            id=command.sample_id,
            number=command.number,
            recipe=command.recipe,
            made_by=self.name,
            consumed=action.consumed,
            simulated=True,
            started=action.started,
            finished=self.clock.now(),
        )


@dataclass
class Meter(Device):
    """Reads the colour; `spoilt` holds (experiment, attempt) whose data are saturated."""

    clock: Clock
    spoilt: frozenset[tuple[int, int]] = frozenset()
    acts: list[str] = field(default_factory=list)

    def estimate(self, command: Command) -> Estimated:
        return Estimated(60.0)

    async def act(self, action: Action, command: Command) -> Measurement:
        assert isinstance(command, Measure)
        self.acts.append(action.command_id)
        await self.clock.sleep(60)
        attempt = int(action.command_id.rpartition("/")[2])
        bad = (command.sample.number, attempt) in self.spoilt
        value = colour(
            float(command.sample.recipe["temperature"]), float(command.sample.recipe["time"])
        )
        empty = np.empty(0)
        return Measurement(
            id=command.measurement_id,
            sample_id=command.sample.id,
            technique="table",
            x=empty,
            y=empty,
            sigma=None,
            x_name="",
            x_unit="",
            y_name="",
            y_unit="",
            instrument="meter",
            simulated=True,
            started=action.started,
            finished=self.clock.now(),
            settings=dict(command.settings),
            readings={"colour": Reading(value, 0.01, "")},
            flags=("saturated",) if bad else (),
        )


@dataclass
class Taster:
    """Reads the meter's colour as the wanted quantity; `patient`, only in four repeats or more."""

    name: str = "taster"
    technique: str = "table"
    patient: bool = False

    @property
    def quantities(self) -> dict[str, str]:
        return {QUANTITY: ""}

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        best = max(measurements, key=lambda m: float(m.settings.get("repeats", 1.0)))
        if self.patient and float(best.settings.get("repeats", 1.0)) < 4:
            return Insight(
                id=f"{measurements[0].id}/taster",
                agent=self.name,
                measurement_ids=tuple(m.id for m in measurements),
                next_measurement=MeasurementRequest("table", {"repeats": 4.0}, "too faint"),
                abstained=True,
                remarks=("the colour is too faint to tell",),
            )
        reading = best.readings["colour"]
        return Insight(
            id=f"{measurements[0].id}/taster",
            agent=self.name,
            measurement_ids=tuple(m.id for m in measurements),
            estimates={QUANTITY: Estimate(reading.value, reading.std, "")},
            p_wrong=0.0,
        )


def told(values: Mapping[str, float | str], value: float) -> Observation:
    """Return what an experiment with this colour tells."""
    return Observation(values=dict(values), outcomes={QUANTITY: value}, stds={QUANTITY: 0.01})


def campaign(**changes: object) -> Campaign:
    """Return a campaign for the bakery."""
    data: dict[str, object] = {
        "name": "bread",
        "seed": 3,
        "space": {
            "parameters": [
                {
                    "type": "continuous",
                    "name": "temperature",
                    "low": 100,
                    "high": 250,
                    "unit": "degC",
                },
                {"type": "continuous", "name": "time", "low": 0.5, "high": 4, "unit": "h"},
            ]
        },
        "objective": {"targets": [{"quantity": QUANTITY, "goal": "maximize"}]},
        "budget": {"experiments": 6},
        "planner": {"use": "random"},
        "measurements": [{"technique": "table"}],
        "agents": [{"use": "taster"}],
    }
    return Campaign.model_validate({**data, **changes})


def laboratory(
    *,
    bad: frozenset[int] = frozenset(),
    spoilt: frozenset[tuple[int, int]] = frozenset(),
    ovens: int = 1,
    clock: VirtualClock | None = None,
    **more: Mapping,
) -> Laboratory:
    """Return the bakery in virtual time; further ovens are called ``oven-2`` and so on."""
    clock = clock or VirtualClock()
    names = ["oven", *(f"oven-{i}" for i in range(2, ovens + 1))]
    instruments = {
        name: Executor(name, more.get("oven", OVEN), clock, Oven(clock, bad, name=name))
        for name in names
    }
    instruments["meter"] = Executor("meter", more.get("meter", METER), clock, Meter(clock, spoilt))
    return Laboratory("bakery", "EUR", instruments, {}, clock, simulated=True)


def run(
    history: History, planner: Planner, *, campaign_id: str = "bread-1", **parts: object
) -> Run:
    """Return the campaign bound to the bakery."""
    lab = parts.pop("laboratory", None) or laboratory()
    wanted = parts.pop("campaign", None) or campaign()
    taster = Taster()
    ovens = lab.with_role("synthesize") if isinstance(lab, Laboratory) else ["oven"]
    equals = {"synthesize": tuple(ovens[1:])}
    match = Match("oven", ("meter",), {"taster": taster}, planner, equals=equals)
    assert isinstance(wanted, Campaign)
    assert isinstance(lab, Laboratory)
    desk = parts.pop("desk", None) or LocalDesk(lab.clock)
    assert isinstance(desk, LocalDesk)
    bound = Run(campaign_id, wanted, lab, match, history, desk=desk)
    if isinstance(history, Store):
        return replace(bound, storeroom=open_storeroom(campaign_id, lab, history))
    return bound
