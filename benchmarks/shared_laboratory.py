"""Do fifty campaigns share five instruments without a collision, and does nobody starve?

Two parts. In virtual time, fifty whole campaigns of one process share five instruments. In real
time, several processes share five through the table of leases, with short actions, some of which
need two instruments at once. In both, the devices
themselves write what they did into an append-only file (command, instrument, start, end), which
is the only witness: overlaps are looked for there, and waits are from the asking to that start.

    python benchmarks/shared_laboratory.py --campaigns 50 --processes 5 --json out.json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from instruments.clock import VirtualClock
from instruments.commands import Command
from instruments.device import Action
from instruments.execution import Executor
from instruments.measurement import Measurement
from instruments.protocols import Estimated
from instruments.sample import Sample
from orchestrator.control import run_campaign
from orchestrator.sharing.desk import Desk, LocalDesk
from orchestrator.sharing.store_desk import StoreDesk
from orchestrator.store import Store
from planners.baselines import make_random
from tests.orchestrator import bakery
from tests.orchestrator.conftest import record

INSTRUMENTS = ("furnace-1", "furnace-2", "furnace-3", "robot", "diffractometer")
FURNACES = INSTRUMENTS[:3]
LABORATORY = "shared"

LONGER = 600.0
"""Seconds by which a measurement is longer than in the tests, so that the meter is sought after."""


@dataclass(frozen=True)
class Device:
    """An instrument that writes down what it physically did; it trusts nobody else's record."""

    name: str
    log: Path
    now: Callable[[], float]

    async def act(self, command: str, work: Callable[[], Awaitable[None]]) -> None:
        """Carry out a command."""
        start = self.now()
        await work()
        written(self.log, command, self.name, start, self.now())


@dataclass(frozen=True)
class Laboratory:
    """What a campaign needs to work: a desk, the devices, a time that passes."""

    desk: Desk
    devices: Mapping[str, Device]
    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    unit: float

    async def campaign(self, name: str, turns: int, rng: np.random.Generator) -> list[float]:
        """Synthesize, carry and measure, again and again; return how long each action waited."""
        waits = []
        for number in range(turns):
            for step, needs in enumerate(([FURNACES], [["robot"], ["diffractometer"]])):
                duration = self.unit * float(rng.uniform(0.5, 1.5)) * (3.0 if step == 0 else 1.0)
                asked = self.now()
                async with self.desk.use(name, needs, purpose=f"{name}/{number}") as given:
                    waits.append(self.now() - asked)
                    await asyncio.gather(
                        *(
                            self.devices[instrument].act(
                                f"{name}/{number}/{step}", lambda d=duration: self.sleep(d)
                            )
                            for instrument in given
                        )
                    )
        return waits


def devices(log: Path, now: Callable[[], float]) -> dict[str, Device]:
    """Return the five instruments."""
    return {name: Device(name, log, now) for name in INSTRUMENTS}


@dataclass
class Witness(bakery.Oven):
    """An oven that writes down what it physically did."""

    log: Path = Path("log.jsonl")

    async def act(self, action: Action, command: Command) -> Sample:
        """Bake."""
        start = self.clock.now().timestamp()
        value = await super().act(action, command)
        written(self.log, action.command_id, self.name, start, self.clock.now().timestamp())
        return value


@dataclass
class Reader(bakery.Meter):
    """A meter that writes down what it physically did."""

    log: Path = Path("log.jsonl")

    def estimate(self, command: Command) -> Estimated:
        """Return how long it takes."""
        return Estimated(super().estimate(command).seconds + LONGER)

    async def act(self, action: Action, command: Command) -> Measurement:
        """Measure."""
        start = self.clock.now().timestamp()
        await self.clock.sleep(LONGER)
        value = await super().act(action, command)
        written(self.log, action.command_id, "meter", start, self.clock.now().timestamp())
        return value


@dataclass
class Timed:
    """A desk that notes how long everybody waited, in laboratory seconds."""

    desk: LocalDesk
    clock: VirtualClock
    waits: list[float]

    @asynccontextmanager
    async def use(self, *arguments: Any, **more: Any) -> AsyncIterator[tuple[str, ...]]:
        """Hold instruments for the block."""
        asked = self.clock.now()
        async with self.desk.use(*arguments, **more) as names:
            self.waits.append((self.clock.now() - asked).total_seconds())
            yield names


async def in_virtual_time(campaigns: int, turns: int, log: Path) -> list[float]:
    """Run whole campaigns in this process, on four ovens and a meter."""
    clock = VirtualClock()
    flour = bakery.OVEN.consumables[0].model_copy(update={"stock": 1000.0 * campaigns * turns})
    oven = bakery.OVEN.model_copy(update={"consumables": (flour,)})
    made: dict[str, Executor] = {
        name: Executor(name, oven, clock, Witness(clock, name=name, log=log))
        for name in ("oven", "oven-2", "oven-3", "oven-4")
    }
    made["meter"] = Executor("meter", bakery.METER, clock, Reader(clock, log=log))
    lab = replace(bakery.laboratory(ovens=4, clock=clock), instruments=made)
    timed = Timed(LocalDesk(clock), clock, [])
    await lab.connect()
    with Store.open(f"sqlite:///{log.parent / 'virtual.sqlite'}", log.parent / "virtual") as store:
        runs = []
        for i in range(campaigns):
            store.create_campaign(record(f"c{i}"))
            wanted = bakery.campaign(seed=i, budget={"experiments": turns}, in_flight=2)
            run = bakery.run(
                store, make_random({}), campaign_id=f"c{i}", laboratory=lab, campaign=wanted
            )
            runs.append(replace(run, desk=timed))
        endings = await asyncio.gather(*(run_campaign(run) for run in runs))
    unfinished = [e for e in endings if e.experiments != turns]
    if unfinished:
        raise RuntimeError(f"{len(unfinished)} campaigns did not end: {unfinished[0]}")
    return timed.waits


def written(log: Path, command: str, instrument: str, start: float, end: float) -> None:
    """Append one action to the log."""
    with log.open("a") as file:
        file.write(json.dumps([command, instrument, start, end]) + "\n")


async def in_this_process(url: str, names: Sequence[str], turns: int, log: Path) -> list[float]:
    """Run some campaigns in real time, on instruments that other processes use as well."""
    with Store.open(url, log.parent / "arrays") as store:
        desk = StoreDesk(store.leases, LABORATORY)
        lab = Laboratory(desk, devices(log, time.time), time.time, asyncio.sleep, unit=0.02)
        waits = await asyncio.gather(
            *(lab.campaign(n, turns, np.random.default_rng(i)) for i, n in enumerate(names))
        )
    return [wait for one in waits for wait in one]


def in_several_processes(
    processes: int, campaigns: int, turns: int, log: Path, url: str
) -> tuple[list[float], int]:
    """Run campaigns in real time in processes of their own; return waits and complaints."""
    names = [f"c{i}" for i in range(campaigns)]
    with Store.open(url, log.parent / "arrays") as store:
        for name in names:
            store.create_campaign(record(name))
    command = [sys.executable, __file__, "--turns", str(turns), "--log", str(log), "--url", url]
    started = [
        subprocess.Popen(
            [*command, "--only", *names[i::processes]],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(processes)
    ]
    waits: list[float] = []
    locked = 0
    for process in started:
        out, err = process.communicate()
        locked += err.count("locked")
        if process.returncode:
            raise RuntimeError(f"a process failed: {err[-2000:]}")
        waits += json.loads(out)
    return waits, locked


def verdict(log: Path, waits: Sequence[float]) -> dict[str, float]:
    """Return what the devices' own log and the waits say."""
    acts = [json.loads(line) for line in log.read_text().splitlines()]
    overlaps = 0
    for name in {instrument for _, instrument, _, _ in acts}:
        spans = sorted((start, end) for _, instrument, start, end in acts if instrument == name)
        overlaps += sum(after[0] < before[1] for before, after in pairwise(spans))
    ids = [(command, instrument) for command, instrument, _, _ in acts]
    return {
        "actions": len(acts),
        "overlaps": overlaps,
        "twice": len(ids) - len(set(ids)),
        "mean_wait_s": float(np.mean(waits)),
        "longest_wait_s": float(np.max(waits)),
        "longest_to_mean": float(np.max(waits) / np.mean(waits)),
    }


def main() -> None:
    """Run both parts and print the verdict of the devices' logs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--campaigns", type=int, default=50)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--real-campaigns", type=int, default=10)
    parser.add_argument("--real-turns", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--url", help="database; by default a SQLite file of its own")
    parser.add_argument("--log", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--only", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        work = in_this_process(options.url, options.only, options.turns, options.log)
        print(json.dumps(asyncio.run(work)))
        return
    with tempfile.TemporaryDirectory() as folder:
        logs = [Path(folder) / "virtual.jsonl", Path(folder) / "real.jsonl"]
        waits = asyncio.run(in_virtual_time(options.campaigns, options.turns, logs[0]))
        found = {"virtual time, one process": verdict(logs[0], waits)}
        url = options.url or f"sqlite:///{folder}/sdlab.sqlite"
        waits, locked = in_several_processes(
            options.processes, options.real_campaigns, options.real_turns, logs[1], url
        )
        found["real time, several processes"] = {**verdict(logs[1], waits), "locked": locked}
    for title, row in found.items():
        print(title)
        for name, value in row.items():
            print(f"  {name:<18} {value:>10.4g}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
