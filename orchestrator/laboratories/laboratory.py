"""Laboratory: the instruments a file names, connected, with the house's own limits on top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from instruments.capabilities import Capabilities
from instruments.clock import Clock, RealClock, VirtualClock
from instruments.commands import Command, Synthesize
from instruments.errors import CommandRefused, InstrumentError
from instruments.identity import identity_fault
from instruments.protocols import Estimated, Instrument
from instruments.sample import Setting
from orchestrator.errors import BadFile, CampaignError, Fault
from orchestrator.laboratories.drivers import make_instruments
from orchestrator.laboratories.hosts import HostEntry, NetworkEntry, clock_of, make_clients
from orchestrator.laboratories.spread import SpreadEntry, spread_faults
from orchestrator.people.gate_checks import prompt_faults
from orchestrator.people.gates import Prompt
from orchestrator.people.notifying import NotifyEntry, notify_faults
from orchestrator.toml_source import TomlSource, read_toml

ROLES = ("synthesize", "measure")
"""What an instrument does in an experiment."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Limit(_Record):
    """A limit of the house, stricter than the device's own."""

    low: float | None = None
    high: float | None = None


class TwinEntry(_Record):
    """The simulated stand-in that `--dry-run` takes for an instrument."""

    driver: str
    settings: dict[str, object] = Field(default_factory=dict)


class InstrumentEntry(_Record):
    """One instrument: its driver, the driver's settings, the house's limits, its twin.

    Attributes
    ----------
    host : the process that serves it, one of ``[hosts]``; empty for the campaign's own process.
    """

    driver: str
    settings: dict[str, object] = Field(default_factory=dict)
    limits: dict[str, Limit] = Field(default_factory=dict)
    twin: TwinEntry | None = None
    host: str = ""
    vessel: str = ""


class LaboratoryFile(_Record):
    """Everything a laboratory file says.

    Attributes
    ----------
    seed : seed of everything random in simulated instruments.
    currency : what prices and hourly rates are in.
    prompts : what a person does by hand, whatever the campaign; of an instrument's step.
    hosts : processes that serve instruments next to their cables.
    network : which of them may stand on other computers.
    notify : whom to tell what happens while nobody looks.
    spread : where agents work, if not in the campaign's process.
    vessels : kind → how many there are; an instrument names the kind it makes its samples in.
    """

    name: str = Field(min_length=1)
    description: str = ""
    seed: int = Field(default=0, ge=0)
    currency: str = "EUR"
    vessels: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    instruments: dict[str, InstrumentEntry] = Field(min_length=1)
    hosts: dict[str, HostEntry] = Field(default_factory=dict)
    network: NetworkEntry = NetworkEntry()
    prompts: tuple[Prompt, ...] = ()
    notify: NotifyEntry = NotifyEntry()
    spread: SpreadEntry = SpreadEntry()


@dataclass(frozen=True, slots=True)
class Laboratory:
    """Instruments by name, their clock, and the house's limits.

    Attributes
    ----------
    simulated : True if no instrument moves matter; then time is virtual, unless a host keeps it.
    prompts : what a person does by hand before a step of its instruments.
    notify : whom to tell what happens while nobody looks.
    spread : where agents work, if not in the campaign's process.
    vessels : kind → how many there are.
    vessel_kinds : synthesizer → kind of vessel it makes its samples in.
    """

    name: str
    currency: str
    instruments: Mapping[str, Instrument]
    limits: Mapping[str, Mapping[str, Limit]]
    clock: Clock
    simulated: bool
    prompts: tuple[Prompt, ...] = ()
    vessels: Mapping[str, int] = field(default_factory=dict)
    vessel_kinds: Mapping[str, str] = field(default_factory=dict)
    notify: NotifyEntry = field(default_factory=NotifyEntry)
    spread: SpreadEntry = field(default_factory=SpreadEntry)

    def describe(self, name: str) -> Capabilities:
        """Return an instrument's capabilities, narrowed by the house's limits."""
        capabilities = self.instruments[name].describe()
        limits = self.limits.get(name, {})
        accepts = tuple(
            a.model_copy(update=_narrowed(a.low, a.high, limits[a.name])) if a.name in limits else a
            for a in capabilities.accepts
        )
        return capabilities.model_copy(update={"accepts": accepts})

    def check(self, name: str, command: Command) -> Estimated:
        """Check a command against the house's limits, then against the device's.

        Raises
        ------
        CommandRefused
            With every reason found.
        """
        settings = command.recipe if isinstance(command, Synthesize) else command.settings
        faults = self._house_faults(name, settings)
        if faults:
            raise CommandRefused(name, faults)
        return self.instruments[name].check(command)

    def with_role(self, role: str, technique: str = "") -> list[str]:
        """Return the names of the instruments with a role and, if given, a technique."""
        return [
            name
            for name, instrument in self.instruments.items()
            if (c := instrument.describe()).role == role and technique in ("", c.technique)
        ]

    async def connect(self) -> None:
        """Connect every instrument; those that connected are released if one does not.

        Raises
        ------
        CampaignError
            Naming every instrument that did not answer.
        """
        failures: list[str] = []
        for name, instrument in self.instruments.items():
            try:
                await instrument.connect()
            except (InstrumentError, OSError) as error:
                failures.append(f"{name}: {error}")
        if failures:
            await self.disconnect()
            raise CampaignError(
                "the laboratory is not ready; nothing was started.\n  " + "\n  ".join(failures)
            )

    async def disconnect(self) -> None:
        """Disconnect every instrument."""
        for instrument in self.instruments.values():
            await instrument.disconnect()

    def _house_faults(self, name: str, settings: Mapping[str, Setting]) -> list[str]:
        faults = []
        for setting, limit in self.limits.get(name, {}).items():
            value = settings.get(setting)
            if isinstance(value, str) or value is None:
                continue
            if limit.low is not None and value < limit.low:
                faults.append(f"{setting} = {value:g} is below the house limit {limit.low:g}")
            if limit.high is not None and value > limit.high:
                faults.append(f"{setting} = {value:g} is above the house limit {limit.high:g}")
        return faults


def load_laboratory(path: Path) -> tuple[LaboratoryFile, TomlSource]:
    """Return a laboratory file as a record. Raises BadFile with every fault and its line."""
    return parse_laboratory(read_toml(path))


def parse_laboratory(source: TomlSource) -> tuple[LaboratoryFile, TomlSource]:
    """Return the record that a parsed laboratory file describes. Raises BadFile."""
    try:
        return LaboratoryFile.model_validate(source.data), source
    except ValidationError as error:
        raise BadFile(source.path, source.faults(error)) from error


def build_laboratory(
    file: LaboratoryFile, source: TomlSource, *, twin: bool, start: datetime | None = None
) -> Laboratory:
    """Return the instruments a laboratory file names, not yet connected.

    Parameters
    ----------
    twin : take each instrument's twin; an instrument that is simulated already is its own.
    start : where virtual time begins; a resumed campaign goes on where its time had come to,
        so that what drifts with time repeats itself.

    Raises
    ------
    BadFile
        An unknown driver, wrong settings, a missing twin, or a limit on an unknown setting.
    CampaignError
        A host does not answer; names the command that starts it.
    """
    made, clock = _make(file, source, twin=twin, start=start)
    simulated = all(i.describe().simulated for i in made.values())
    faults: list[Fault] = []
    for name, entry in file.instruments.items():
        known = {a.name for a in made[name].describe().accepts}
        faults += [
            source.fault(
                ("instruments", name, "limits", setting),
                f"{name} has no setting {setting!r}; it accepts {', '.join(sorted(known))}",
            )
            for setting in entry.limits
            if setting not in known
        ]
    roles = {r: [n for n, i in made.items() if i.describe().role == r] for r in ROLES}
    faults += prompt_faults(file.prompts, roles, source)
    faults += notify_faults(file.notify, file.network.allow, source)
    faults += spread_faults(file.spread, file.network.allow, source)
    faults += _vessel_faults(file, source, made)
    if faults:
        raise BadFile(source.path, faults)
    limits = {name: entry.limits for name, entry in file.instruments.items()}
    kinds = {name: entry.vessel for name, entry in file.instruments.items() if entry.vessel}
    return Laboratory(
        file.name,
        file.currency,
        made,
        limits,
        clock,
        simulated,
        prompts=file.prompts,
        notify=file.notify,
        spread=file.spread,
        vessels=file.vessels,
        vessel_kinds=kinds,
    )


def _vessel_faults(
    file: LaboratoryFile, source: TomlSource, made: Mapping[str, Instrument]
) -> list[Fault]:
    faults = []
    for name, entry in file.instruments.items():
        where = ("instruments", name, "vessel")
        if entry.vessel and entry.vessel not in file.vessels:
            why = f"[vessels] counts no {entry.vessel!r}; add `{entry.vessel} = 12` there"
            faults.append(source.fault(where, why))
        elif entry.vessel and made[name].describe().role != "synthesize":
            why = f"{name} measures; only what makes samples takes a vessel for them"
            faults.append(source.fault(where, why))
    return faults + [
        source.fault(("vessels", kind), f"the name of a vessel {fault}")
        for kind in file.vessels
        if (fault := identity_fault(kind)) is not None
    ]


def _make(
    file: LaboratoryFile, source: TomlSource, *, twin: bool, start: datetime | None
) -> tuple[dict[str, Instrument], Clock]:
    """Return the instruments and the clock they share; time is virtual if nothing moves."""
    clients = {} if twin else make_clients(file, source)
    local = {name: entry for name, entry in file.instruments.items() if name not in clients}
    clock: Clock = clock_of(file, clients) if clients else VirtualClock(start)
    made, faults = make_instruments(local, file, source, clock=clock, twin=twin)
    if faults:
        raise BadFile(source.path, faults)
    if clock.is_virtual and not all(i.describe().simulated for i in made.values()):
        clock = RealClock()
        made, _ = make_instruments(local, file, source, clock=clock, twin=twin)
    made |= clients
    return {name: made[name] for name in file.instruments}, clock


def _narrowed(low: float | None, high: float | None, limit: Limit) -> dict[str, float | None]:
    lows = [v for v in (low, limit.low) if v is not None]
    highs = [v for v in (high, limit.high) if v is not None]
    return {"low": max(lows, default=None), "high": min(highs, default=None)}
