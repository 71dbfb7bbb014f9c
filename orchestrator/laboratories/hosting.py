"""The host's side of a laboratory file: the drivers of one host, its clock, and where it writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from instruments.clock import Clock, FasterClock, RealClock
from instruments.hosting.security import Access, Address
from instruments.protocols import Instrument
from orchestrator.errors import BadFile, CampaignError
from orchestrator.laboratories.drivers import make_instruments
from orchestrator.laboratories.hosts import HostEntry, host_faults
from orchestrator.laboratories.laboratory import LaboratoryFile
from orchestrator.toml_source import TomlSource


@dataclass(frozen=True, slots=True)
class HostPlan:
    """What one host serves.

    Attributes
    ----------
    folder : its command logs, a folder for each instrument.
    """

    name: str
    address: Address
    access: Access
    clock: Clock
    instruments: Sequence[Instrument]
    folder: Path


def plan_host(
    file: LaboratoryFile, source: TomlSource, name: str | None, *, home: Path
) -> HostPlan:
    """Return what the host called `name` serves; None takes the only one.

    Raises
    ------
    BadFile
        The file's hosts or the settings of a driver are wrong.
    CampaignError
        There is no such host, it has no instrument, or would hurry a device that moves matter.
    """
    if faults := host_faults(file, source):
        raise BadFile(source.path, faults)
    chosen = _chosen(file, source.path, name)
    entries = {n: e for n, e in file.instruments.items() if e.host == chosen}
    if not entries:
        raise CampaignError(
            f'no instrument of {source.path} lives on {chosen}; add `host = "{chosen}"` to those '
            "that do"
        )
    host = file.hosts[chosen]
    clock = _clock(host, home)
    made, faults = make_instruments(entries, file, source, clock=clock, twin=False)
    if faults:
        raise BadFile(source.path, faults)
    moving = [n for n, i in made.items() if not i.describe().simulated]
    if moving and host.speed != 1.0:
        raise CampaignError(
            f"{chosen} is to run at speed {host.speed:g}, and {', '.join(moving)} moves matter; "
            "speed is for simulated instruments"
        )
    address, access = Address.parse(host.address), file.network.access()
    folder = home / "hosts" / chosen
    return HostPlan(chosen, address, access, clock, tuple(made.values()), folder)


def _chosen(file: LaboratoryFile, path: Path, name: str | None) -> str:
    if name is None and len(file.hosts) == 1:
        return next(iter(file.hosts))
    if name in file.hosts:
        return str(name)
    if not file.hosts:
        raise CampaignError(
            f'{path} names no hosts; add [hosts.NAME] with an address, and `host = "NAME"` at each '
            "instrument that lives there"
        )
    known = ", ".join(file.hosts)
    found = "several hosts" if name is None and file.hosts else f"no host {name or ''}".strip()
    raise CampaignError(f"{path} names {found}; it has {known}. Choose one with --name")


def _clock(host: HostEntry, home: Path) -> Clock:
    """Return the clock; all hosts of a home and speed keep one time, also after a restart."""
    if host.speed == 1.0:
        return RealClock()
    path = home / "hosts" / "rehearsals.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    anchors: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    key = f"{host.speed:g}"
    if key not in anchors:
        anchors[key] = datetime.now(UTC).isoformat()
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(anchors, indent=1))
        draft.replace(path)
    return FasterClock(datetime.fromisoformat(anchors[key]), host.speed)
