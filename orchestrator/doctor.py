"""Is this installation sound? Versions, history, plug-ins, room on the disk, server, data."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, get_args

from packaging.version import Version

from instruments.recorded_data import DATA_VARIABLE, data_folder
from orchestrator.errors import CampaignError
from orchestrator.registry import (
    Group,
    adapter,
    agent_factory,
    available,
    instrument_factory,
    planner_factory,
    trainer,
)
from orchestrator.store import Store
from orchestrator.under_prefect.server import server_status

LITTLE_ROOM = 1e9
"""Free bytes below which a campaign may soon have nowhere to write."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked.

    Attributes
    ----------
    level : ``ok``, ``note`` (works, but mind it) or ``fault`` (mend it).
    """

    level: Literal["ok", "note", "fault"]
    text: str


def examine(folder: Path) -> Iterator[Finding]:
    """Yield what is found, one check after the other.

    Parameters
    ----------
    folder : state folder.
    """
    yield from _versions()
    yield from _plugins()
    yield _room(folder)
    yield _history(folder)
    yield _server(folder)
    yield _data()


def _versions() -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    yield Finding("ok" if sys.version_info >= (3, 11) else "fault", f"Python {found}")
    for name in ("sdlab", "prefect", "torch", "botorch", "gemmi", "numpy"):
        try:
            yield Finding("ok", f"{name} {version(name)}")
        except PackageNotFoundError:
            yield Finding("fault", f"{name} is not installed; reinstall sdlab")
    fastapi = Version(version("fastapi"))
    if fastapi >= Version("0.151"):
        yield Finding(
            "fault",
            f"fastapi {fastapi} is newer than the Prefect server bears; "
            "install with `pip install -c constraints.txt`",
        )


def _plugins() -> Iterator[Finding]:
    load = {
        "instruments": instrument_factory,
        "agents": agent_factory,
        "planners": planner_factory,
        "trainers": trainer,
        "adapters": adapter,
    }
    for group in get_args(Group):
        names = available(group)
        for name in names:
            try:
                load[group](name)
            except CampaignError as error:
                yield Finding("fault", str(error))
        yield Finding("ok", f"{group}: {', '.join(names)}")


def _room(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB free in {folder}"
    return Finding("note" if free < LITTLE_ROOM else "ok", text)


def _history(folder: Path) -> Finding:
    path = folder / "sdlab.sqlite"
    if not path.exists():
        return Finding("ok", f"no history yet in {folder}")
    try:
        store = Store.open(f"sqlite:///{path}", folder / "arrays")
        count = len(store.campaigns())
        store.close()
    except CampaignError as error:
        return Finding("fault", str(error))
    return Finding("ok", f"{count} campaigns in {path}")


def _server(folder: Path) -> Finding:
    status = server_status(folder / "prefect")
    level: Literal["ok", "fault"] = "fault" if status.state == "silent" else "ok"
    return Finding(level, f"Prefect server: {status.message}")


def _data() -> Finding:
    folder = data_folder()
    if folder.is_dir():
        return Finding("ok", f"recorded data: {folder}")
    return Finding(
        "note",
        f"no recorded data in {folder}; the examples that replay real experiments need them. Set "
        f"{DATA_VARIABLE} to the folder that holds them",
    )
