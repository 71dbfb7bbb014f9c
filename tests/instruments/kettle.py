"""A small synthesizer for tests: heats water on the clock, a step a degree."""

from __future__ import annotations

from instruments.capabilities import Accepted, Capabilities, Consumable
from instruments.clock import Clock
from instruments.commands import Command, Synthesize
from instruments.device import Action, Device
from instruments.errors import InstrumentFault
from instruments.execution import Executor
from instruments.protocols import Estimated
from instruments.sample import Sample

SECONDS_PER_DEGREE = 2.0


class Kettle(Device):
    """Boils over above 95 °C and runs dry when asked to hold an emptied vessel."""

    def __init__(self, clock: Clock, *, simulated: bool) -> None:
        self.clock = clock
        self.simulated = simulated
        self.temperature = 20.0
        self.fault: Exception | None = None
        self.halts: list[bool] = []
        self.halt_error: Exception | None = None
        self.made = 0

    def estimate(self, command: Command) -> Estimated:
        target = float(command.recipe["temperature"])  # type: ignore[union-attr]
        return Estimated((target - 20.0) * SECONDS_PER_DEGREE, {"water": 0.5})

    async def act(self, action: Action, command: Command) -> Sample:
        assert isinstance(command, Synthesize)
        action.use("water", 0.5)
        self.temperature = 20.0
        while self.temperature < float(command.recipe["temperature"]):
            await self.clock.sleep(SECONDS_PER_DEGREE)
            self.temperature += 1.0
            action.readback["temperature"] = self.temperature
            action.step(f"heating, {self.temperature:g} °C")
            if self.fault:
                raise self.fault
            if self.temperature > 95.0:
                raise InstrumentFault("boiled_over", "the water boiled over", needs_reset=True)
        self.made += 1
        return Sample(
            id=command.sample_id,
            number=command.number,
            recipe={**command.recipe, "temperature": self.temperature},
            made_by="kettle",
            simulated=self.simulated,
            started=action.started,
            finished=self.clock.now(),
        )

    async def halt(self, *, emergency: bool) -> None:
        self.halts.append(emergency)
        if self.halt_error:
            raise self.halt_error


def kettle(
    clock: Clock, *, simulated: bool = True, stop: str = "abort", remember: int = 32
) -> Executor:
    capabilities = Capabilities.model_validate(
        {
            "role": "synthesize",
            "accepts": (
                Accepted(name="temperature", unit="°C", low=20.0, high=100.0),
                Accepted(name="vessel", choices=("glass", "steel"), default="glass"),
            ),
            "consumables": (Consumable(name="water", unit="L", stock=2.0),),
            "stop": stop,
            "simulated": simulated,
        }
    )
    device = Kettle(clock, simulated=simulated)
    return Executor("kettle", capabilities, clock, device, remember=remember)


def heat(temperature: float = 80.0, *, sample_id: str = "c/1", **more: float | str) -> Synthesize:
    return Synthesize(sample_id=sample_id, number=1, recipe={"temperature": temperature, **more})
