"""A host in a process of its own, with kettles that write down every time they really heat.

Run as a script; `kettle_host` starts it, on a free port of loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from instruments.clock import Clock, FasterClock
from instruments.commands import Command
from instruments.device import Action
from instruments.execution import Executor
from instruments.hosting.client import HostedInstrument, hosted
from instruments.hosting.security import Access, Address
from instruments.hosting.server import serve
from instruments.sample import Sample
from tests.instruments.kettle import Kettle, kettle

ANCHOR = datetime.fromisoformat("2026-11-01T00:00:00+00:00")
ROOT = Path(__file__).parents[2]


class HonestKettle(Kettle):
    """Appends a line to a file whenever it begins and ends to heat: what physically happened."""

    def __init__(self, clock: Clock, name: str, deeds: Path) -> None:
        super().__init__(clock, simulated=True)
        self._name = name
        self._deeds = deeds

    async def act(self, action: Action, command: Command) -> Sample:
        self._tell("began", action.command_id)
        sample = await super().act(action, command)
        self._tell("ended", action.command_id)
        return sample.model_copy(update={"made_by": self._name})

    async def halt(self, *, emergency: bool) -> None:
        self._tell("halted", str(emergency))

    def _tell(self, what: str, command_id: str) -> None:
        with self._deeds.open("a") as file:
            file.write(json.dumps([what, self._name, command_id]) + "\n")
            file.flush()
            os.fsync(file.fileno())


def honest_kettle(clock: Clock, name: str, deeds: Path, recovery: str) -> Executor:
    """Return a kettle with another name, which writes down its deeds."""
    capabilities = kettle(clock).describe().model_copy(update={"recovery": recovery})
    return Executor(name, capabilities, clock, HonestKettle(clock, name, deeds))


@dataclass
class KettleHost:
    """A running host.

    Attributes
    ----------
    deeds : the file of what the kettles really did.
    """

    folder: Path
    address: Address
    process: subprocess.Popen[str]
    clock: FasterClock
    token: str = ""

    def client(self, name: str = "kettle", *, patience: float = 30.0) -> HostedInstrument:
        """Return a fresh client of one of the kettles."""
        access = Access(token=self.token)
        client = hosted(name, self.address, host="kitchen", access=access)
        client._patience = patience
        return client

    def deeds(self, what: str) -> list[str]:
        """Return the ids of the commands that really began (or ended)."""
        path = self.folder / "deeds.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [command_id for did, _, command_id in map(json.loads, lines) if did == what]

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def interrupt(self) -> str:
        """Press Ctrl-C; return what it printed."""
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=20)[0]


def start(
    folder: Path,
    *,
    port: int = 0,
    copies: int = 1,
    speed: float = 100.0,
    recovery: str = "ask_operator",
    token: str = "",
) -> KettleHost:
    """Start a host and return it once it listens."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SDLAB_HOST_TOKEN": token}
    options = [f"--port={port}", f"--copies={copies}", f"--speed={speed}", f"--recovery={recovery}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.instruments.hosting_process", str(folder), *options],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=ROOT,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    if not first:
        process.communicate()
    assert first.startswith("listening "), f"the host said {first!r}"
    address = Address.parse(first.split()[1])
    return KettleHost(folder, address, process, FasterClock(ANCHOR, speed), token)


@contextmanager
def kettle_host(folder: Path, **options: object) -> Iterator[KettleHost]:
    """Give a running host and kill it whatever happens."""
    host = start(folder, **options)  # type: ignore[arg-type]
    try:
        yield host
    finally:
        host.kill()
        assert host.process.stdout is not None
        host.process.stdout.close()


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serve kettles until the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int)
    parser.add_argument("--copies", type=int)
    parser.add_argument("--speed", type=float)
    parser.add_argument("--recovery")
    given = parser.parse_args()
    clock = FasterClock(ANCHOR, given.speed)
    names = ["kettle"] if given.copies == 1 else [f"kettle-{i}" for i in range(given.copies)]
    deeds = given.folder / "deeds.jsonl"
    given.folder.mkdir(exist_ok=True)
    asyncio.run(
        serve(
            [honest_kettle(clock, name, deeds, given.recovery) for name in names],
            address=f"127.0.0.1:{given.port}",
            log_folder=given.folder / "log",
            access=Access(token=os.environ.get("SDLAB_HOST_TOKEN", "")),
            clock=clock,
            say=_print,
            ready=lambda address: _print(f"listening {address}"),
        )
    )


if __name__ == "__main__":
    main()
