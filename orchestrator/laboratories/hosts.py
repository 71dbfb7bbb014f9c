"""Hosts: the processes in which a laboratory's instruments live, and who may reach them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, field_validator

from instruments.clock import Clock, FasterClock, RealClock
from instruments.errors import InstrumentError
from instruments.hosting.security import Access, Address, token_from
from orchestrator.errors import BadFile, CampaignError, Fault
from orchestrator.toml_source import TomlSource

if TYPE_CHECKING:
    from instruments.hosting.client import HostedInstrument
    from orchestrator.laboratories.laboratory import LaboratoryFile


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class HostEntry(_Record):
    """A process that serves instruments, started with ``sdlab host``.

    Attributes
    ----------
    address : where it listens, as ``127.0.0.1:8765``.
    speed : laboratory seconds in a real second, to rehearse with simulated instruments only.
    """

    address: str
    speed: float = Field(default=1.0, ge=1.0, le=10_000.0)

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        Address.parse(address)
        return address


class TokenReference(_Record):
    """Where the shared token is; the token itself never stands in a file.

    Attributes
    ----------
    env : environment variable that holds it.
    """

    env: str = Field(min_length=1)


class NetworkEntry(_Record):
    """What may be reached beyond this computer.

    Attributes
    ----------
    allow : computers whose addresses hosts may listen on and clients may contact.
    token : shared by hosts and clients; obligatory beyond this computer.
    """

    allow: tuple[str, ...] = ()
    token: TokenReference | None = None

    def access(self) -> Access:
        """Return it with the token. Raises InstrumentError if that is not to be had."""
        if self.token is None:
            return Access(self.allow)
        return Access(self.allow, token_from(self.token.env), self.token.env)


def host_faults(file: LaboratoryFile, source: TomlSource) -> list[Fault]:
    """Return what is wrong with the hosts a file names, whoever reads it."""
    known = ", ".join(file.hosts) or "none"
    faults = [
        source.fault(
            ("instruments", name, "host"),
            f"there is no host {entry.host!r}; the file names {known}. Add "
            f'`[hosts.{entry.host}]` with `address = "127.0.0.1:8765"`',
        )
        for name, entry in file.instruments.items()
        if entry.host and entry.host not in file.hosts
    ]
    for name, host in file.hosts.items():
        address = Address.parse(host.address)
        where = ("hosts", name, "address")
        if address.port == 0:
            faults.append(source.fault(where, "a host needs a port that its clients know"))
        elif not address.is_loopback and address.host not in file.network.allow:
            why = f"{address.host} is another computer; add it to `[network] allow`"
            faults.append(source.fault(where, why))
    return faults


def make_clients(file: LaboratoryFile, source: TomlSource) -> dict[str, HostedInstrument]:
    """Return a client of each instrument that has a host.

    Raises
    ------
    BadFile
        The hosts are wrongly named.
    CampaignError
        Naming every instrument whose host does not answer or may not be contacted.
    """
    if faults := host_faults(file, source):
        raise BadFile(source.path, faults)
    clients: dict[str, HostedInstrument] = {}
    failures: list[str] = []
    for name, entry in file.instruments.items():
        if not entry.host:
            continue
        try:
            clients[name] = make_client(file, name)
        except InstrumentError as error:
            failures.append(f"{name}: {error}")
    if failures:
        raise CampaignError(
            "not every instrument can be reached; nothing was started.\n  " + "\n  ".join(failures)
        )
    return clients


def clock_of(file: LaboratoryFile, clients: Mapping[str, HostedInstrument]) -> Clock:
    """Return the clock that the hosts keep, which is the laboratory's.

    Raises
    ------
    CampaignError
        They keep different times, or a host of instruments that move matter runs faster.
    """
    paces = {
        (c.clock.anchor, c.clock.speed) if isinstance(c.clock, FasterClock) else None
        for c in clients.values()
    }
    if len(paces) > 1:
        raise CampaignError(
            "the hosts keep different times; give [hosts] the same speed, and start them with the "
            "same --home"
        )
    pace = paces.pop()
    if pace is None:
        return RealClock()
    if moving := [n for n, c in clients.items() if not c.describe().simulated]:
        raise CampaignError(
            f"{', '.join(moving)} moves matter and its host runs at speed {pace[1]:g}; speed is "
            "for simulated instruments"
        )
    if local := [n for n, e in file.instruments.items() if not e.host]:
        raise CampaignError(
            f"{', '.join(local)} has no host, and the hosts run at speed {pace[1]:g}; give every "
            "instrument of a rehearsal a host"
        )
    return FasterClock(*pace)


def make_client(file: LaboratoryFile, name: str, *, described: bool = True) -> HostedInstrument:
    """Return a client of one instrument.

    Parameters
    ----------
    described : ask the host; without, the client can only stop it until it connects.

    Raises
    ------
    InstrumentError
        The host does not answer or may not be contacted.
    """
    from instruments.hosting.client import HostedInstrument, hosted
    from instruments.hosting.line import Line

    host = file.instruments[name].host
    address, access = Address.parse(file.hosts[host].address), file.network.access()
    if described:
        return hosted(name, address, host=host, access=access)
    return HostedInstrument(name, Line(name, address, host=host, access=access))
