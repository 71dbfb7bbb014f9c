"""A synthesizer that "makes" a sample only if it was really made before."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from instruments.capabilities import Capabilities, Consumable
from instruments.clock import Clock
from instruments.commands import Command, Synthesize
from instruments.device import Action, Device
from instruments.errors import NoRecordedData
from instruments.execution import Executor
from instruments.protocols import Bench, Estimated
from instruments.replay.recording import Recording, RecordingSettings
from instruments.sample import Sample

_PIECE = "recorded_sample"


class SynthesizerSettings(RecordingSettings):
    """What a laboratory file says about a replayed synthesis.

    Attributes
    ----------
    seconds : duration of one synthesis.
    price : money for one sample.
    hourly_rate : money per hour of use.
    """

    seconds: float = Field(default=600.0, ge=0)
    price: float = Field(default=0.0, ge=0)
    hourly_rate: float = Field(default=0.0, ge=0)


class RecordedSynthesis(Device):
    """Looks a recipe up; refuses one that was never made."""

    def __init__(
        self, name: str, settings: SynthesizerSettings, recording: Recording, clock: Clock
    ) -> None:
        self._name = name
        self._settings = settings
        self._recording = recording
        self._clock = clock

    def faults(self, command: Command) -> list[str]:
        """Return a sentence if the candidate was not recorded."""
        assert isinstance(command, Synthesize)
        try:
            self._recording.rows(command.recipe)
        except NoRecordedData as error:
            return [str(error)]
        return []

    def estimate(self, command: Command) -> Estimated:
        """Return the stated duration, and one sample if samples have a price."""
        del command
        consumed = {_PIECE: 1.0} if self._settings.price else {}
        return Estimated(self._settings.seconds, consumed)

    async def act(self, action: Action, command: Command) -> Sample:
        """Return the recorded sample after the stated time."""
        assert isinstance(command, Synthesize)
        row = self._recording.rows(command.recipe)[0]
        if self._settings.price:
            action.use(_PIECE, 1.0)
        await self._clock.sleep(self._settings.seconds)
        return Sample(
            id=command.sample_id,
            number=command.number,
            recipe=self._recording.recipe(row),
            units={name: f.unit for name, f in self._recording.features.items()},
            made_by=self._name,
            consumed=dict(action.consumed),
            simulated=True,
            started=action.started,
            finished=self._clock.now(),
            notes=(f"replayed from {self._recording.source['recording']}, row {row + 1}",),
        )


def synthesizer(name: str, settings: Mapping[str, object], bench: Bench) -> Executor:
    """Return the instrument ``replay.synthesizer``; `simulated`, since no matter is moved.

    Raises
    ------
    pydantic.ValidationError, UnreadableFile
        The settings are wrong, or the recording cannot be read.
    """
    read = SynthesizerSettings.model_validate(settings)
    recording = Recording(read, folder=bench.folder)
    piece = Consumable(name=_PIECE, unit="piece", stock=1e9, price=read.price)
    capabilities = Capabilities(
        role="synthesize",
        accepts=recording.accepts(),
        consumables=(piece,) if read.price else (),
        recovery="idempotent",
        hourly_rate=read.hourly_rate,
        simulated=True,
    )
    device = RecordedSynthesis(name, read, recording, bench.clock)
    return Executor(name, capabilities, bench.clock, device)
