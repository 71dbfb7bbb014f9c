"""The campaign that is killed, and the laboratory it runs in: real files, read as a user's are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from survival.devices import Logbook

from orchestrator.store import Store

CAMPAIGN = """
name = "survival"
seed = {seed}
laboratory = "laboratory.toml"

[[space.parameters]]
type = "continuous"
name = "temperature"
low = 100
high = 250
unit = "degC"

[[space.parameters]]
type = "continuous"
name = "time"
low = 0.5
high = 4
unit = "h"

[[objective.targets]]
quantity = "yield"
goal = "maximize"

[budget]
experiments = {experiments}

[planner]
use = "random"

[[measurements]]
technique = "table"

[[agents]]
use = "readings"
[agents.settings]
quantities = {{ yield = "" }}
"""

LABORATORY_NAME = "survival bench"

LABORATORY = """
name = "survival bench"

[hosts.bench]
address = "{address}"

[instruments.maker]
driver = "by_hand"
host = "bench"

[instruments.meter]
driver = "by_hand"
host = "bench"
"""


@dataclass(frozen=True, slots=True)
class Bench:
    """A folder with an oracle that runs, and the history of whatever uses it.

    Attributes
    ----------
    address : where the oracle listens.
    url : a PostgreSQL database for every history; None for a SQLite file each.
    """

    folder: Path
    address: str
    url: str | None = None

    @property
    def logbook(self) -> Logbook:
        """What was physically done."""
        return Logbook(self.folder / "deeds.jsonl")

    def open_store(self, name: str = "home") -> Store:
        """Open a history of its own on this bench."""
        home = self.folder / name
        home.mkdir(exist_ok=True)
        return Store.open(self.url or f"sqlite:///{home / 'sdlab.sqlite'}", home / "arrays")

    def write_campaign(self, name: str, *, seed: int, experiments: int) -> Path:
        """Write a campaign file beside the laboratory's and return its path."""
        (self.folder / "laboratory.toml").write_text(LABORATORY.format(address=self.address))
        path = self.folder / f"{name}.toml"
        path.write_text(CAMPAIGN.format(seed=seed, experiments=experiments))
        return path


@contextmanager
def running_bench(folder: Path, *, seconds: float, fails: float = 0.0) -> Iterator[Bench]:
    """Start the oracle's process for the block."""
    process = start_oracle(folder, seconds=seconds, fails=fails)
    try:
        yield Bench(folder, address_of(folder, process))
    finally:
        process.kill()
        process.wait()


def start_oracle(
    folder: Path, *, seconds: float, fails: float = 0.0, port: int = 0
) -> subprocess.Popen[bytes]:
    """Start the instruments' process."""
    (folder / "address").unlink(missing_ok=True)
    script = str(Path(__file__).with_name("oracle.py"))
    options = ("--folder", folder, "--seconds", seconds, "--fails", fails, "--port", port)
    with (folder / "oracle.txt").open("ab") as said:
        return subprocess.Popen(
            [sys.executable, script, *map(str, options)],
            stdout=said,
            stderr=said,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )


def address_of(folder: Path, process: subprocess.Popen[bytes]) -> str:
    """Wait until the oracle listens and return where."""
    file = folder / "address"
    while not file.exists():
        if process.poll() is not None:
            raise RuntimeError((folder / "oracle.txt").read_text())
        time.sleep(0.02)
    return file.read_text()
