"""Acceptance: everything that is verified about a command before anything moves."""

from __future__ import annotations

from pydantic import ValidationError

from instruments.capabilities import Capabilities
from instruments.commands import Command, Measure, Synthesize
from instruments.device import Device
from instruments.errors import CommandRefused
from instruments.identity import identity_fault
from instruments.measurement import Measurement
from instruments.protocols import Estimated
from instruments.sample import Sample


class Acceptance:
    """Checks commands against an instrument's declaration.

    Whether the stock suffices is not checked here: the laboratory knows what is left, also after a
    restart and for all campaigns, see `orchestrator.storage.storeroom`.
    """

    def __init__(self, name: str, capabilities: Capabilities, device: Device) -> None:
        self._name = name
        self._declared = capabilities
        self._device = device

    def completed(self, command: Command) -> Command:
        """Return the command with the defaults filled in."""
        if isinstance(command, Synthesize):
            return command.model_copy(update={"recipe": self._declared.completed(command.recipe)})
        return command.model_copy(update={"settings": self._declared.completed(command.settings)})

    def check(self, command: Command) -> Estimated:
        """Return the expected duration and consumption.

        Raises
        ------
        CommandRefused
            With every reason found.
        """
        if faults := wrong_form(command) or self._wrong_contents(command):
            raise CommandRefused(self._name, faults)
        return self._device.estimate(self.completed(command))

    def wrong_value(self, value: Sample | Measurement, command: Command) -> str | None:
        """Say why `value` is not what the command asked for, or None if it is."""
        kind = Sample if isinstance(command, Synthesize) else Measurement
        asked = command.sample_id if isinstance(command, Synthesize) else command.measurement_id
        if not isinstance(value, kind):
            return f"{self._name} gave a {type(value).__name__}; a {kind.__name__} was expected"
        if value.id != asked:
            return f"{self._name} gave {value.id}; {asked} was asked for"
        if value.simulated != self._declared.simulated:
            return (
                f"{self._name} gave {value.id} with simulated = {value.simulated}, and declares "
                f"simulated = {self._declared.simulated}"
            )
        return None

    def _wrong_contents(self, command: Command) -> list[str]:
        if command.kind != self._declared.role:
            return [f"it can {self._declared.role}, and was asked to {command.kind}"]
        settings = command.recipe if isinstance(command, Synthesize) else command.settings
        faults = self._declared.faults(settings)
        for label, identity in _identities(command).items():
            if fault := identity_fault(identity):
                faults.append(f"the {label} {fault}")
        return faults or self._device.faults(self.completed(command))


def wrong_form(command: Command) -> list[str]:
    """Say what a frozen command can only break if somebody went around its validation."""
    try:
        type(command).model_validate(command.model_dump(warnings=False))
    except ValidationError as error:
        return [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    return []


def _identities(command: Command) -> dict[str, str]:
    if isinstance(command, Measure):
        return {"measurement id": command.measurement_id, "sample id": command.sample.id}
    return {"sample id": command.sample_id}
