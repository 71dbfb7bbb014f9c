"""What a host costs a command, and how fast an emergency stop reaches a device.

    python benchmarks/hosting.py [--commands 200] [--stops 10] [--length 2000]

Measured on loopback, the host in a process of its own, its log on the disk of --folder with full
fsync. The stop comes from a process that was started for it, as after a crash of the campaign's;
its time is told with and without the start of Python.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from instruments.capabilities import Accepted, Capabilities
from instruments.clock import RealClock
from instruments.commands import Command, Measure
from instruments.device import Action, Device
from instruments.execution import Executor
from instruments.hosting.client import hosted
from instruments.hosting.security import Access, Address
from instruments.hosting.server import serve
from instruments.measurement import Measurement
from instruments.protocols import Estimated, Instrument
from instruments.sample import Sample


class Counter(Device):
    """Counts for as long as it is told and returns a curve of 2,000 points."""

    def __init__(self, clock: RealClock, deeds: Path, length: int) -> None:
        self._clock, self._deeds, self._length = clock, deeds, length

    def estimate(self, command: Command) -> Estimated:
        """Return the counting time."""
        assert isinstance(command, Measure)
        return Estimated(float(command.settings.get("seconds", 0.0)))

    async def act(self, action: Action, command: Command) -> Measurement:
        """Wait, and return a curve."""
        assert isinstance(command, Measure)
        if seconds := float(command.settings["seconds"]):
            self._tell("began")
            await self._clock.sleep(seconds)
        x = np.linspace(10.0, 80.0, self._length)
        now = self._clock.now()
        return Measurement(
            id=command.measurement_id,
            sample_id=command.sample.id,
            technique="xrd",
            x=x,
            y=np.sin(x) + command.sample.number,
            sigma=None,
            x_name="two_theta",
            x_unit="deg",
            y_name="counts",
            y_unit="1",
            instrument="counter",
            simulated=True,
            started=action.started,
            finished=now,
        )

    async def halt(self, *, emergency: bool) -> None:
        """Write down when the device came to rest."""
        del emergency
        self._tell("halted")

    def _tell(self, what: str) -> None:
        with self._deeds.open("a") as file:
            file.write(f"{what} {time.time_ns()}\n")


def counter(folder: Path, length: int) -> Executor:
    """Return the instrument."""
    clock = RealClock()
    capabilities = Capabilities(
        role="measure",
        technique="xrd",
        accepts=(Accepted(name="seconds", unit="s", low=0.0, default=0.0),),
        simulated=True,
    )
    return Executor("counter", capabilities, clock, Counter(clock, folder / "deeds", length))


def scan(number: int, seconds: float = 0.0) -> Measure:
    """Return a command."""
    now = RealClock().now()
    sample = Sample(
        id=f"c/{number}",
        number=number,
        recipe={},
        made_by="",
        simulated=True,
        started=now,
        finished=now,
    )
    return Measure(measurement_id=f"c/{number}/0", sample=sample, settings={"seconds": seconds})


@contextlib.contextmanager
def host(folder: Path, length: int) -> Iterator[Address]:
    """Give the address of a host in another process."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", "--folder", folder, "--length", str(length)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Address.parse(process.stdout.readline().strip())
    finally:
        process.kill()
        process.communicate()


async def times(instrument: Instrument, commands: int, prefix: str) -> list[float]:
    """Return the real time of each command [ms]."""
    taken = []
    for number in range(commands):
        began = time.perf_counter()
        outcome = await instrument.execute(f"{prefix}/{number}/measure/0", scan(number))
        taken.append(1000 * (time.perf_counter() - began))
        assert outcome.settled == "succeeded", outcome.error
    return taken


async def overhead(folder: Path, commands: int, length: int) -> dict[str, float]:
    """Return what a command costs in this process and at a host [ms]."""
    bare = counter(folder, length)
    await bare.connect()
    inside = await times(bare, commands, "inside")
    with host(folder, length) as address:
        client = hosted("counter", address, host="bench", access=Access())
        await client.connect()
        outside = await times(client, commands, "outside")
        await client.disconnect()
    tenth = max(commands // 10, 1)
    return {
        **{f"in_process_{name}_ms": v for name, v in quantiles(inside).items()},
        **{f"hosted_{name}_ms": v for name, v in quantiles(outside).items()},
        "overhead_p50_ms": statistics.median(outside) - statistics.median(inside),
        "last_tenth_over_first": statistics.median(outside[-tenth:])
        / statistics.median(outside[:tenth]),
    }


def quantiles(values: list[float]) -> dict[str, float]:
    """Return the median and the 95th percentile."""
    return {"p50": statistics.median(values), "p95": float(np.percentile(values, 95))}


async def stop_times(folder: Path, stops: int, length: int) -> dict[str, float]:
    """Return how long an emergency stop from a fresh process takes to the halt [ms]."""
    with_start, without = [], []
    with host(folder, length) as address:
        client = hosted("counter", address, host="bench", access=Access())
        await client.connect()
        for number in range(stops):
            order = scan(number, seconds=60.0)
            running = asyncio.create_task(client.execute(f"stop/{number}/measure/0", order))
            await wait_for(folder / "deeds", "began", number + 1)
            launched = time.time_ns()
            script = [sys.executable, __file__, "--stop", str(address)]
            said = json.loads(await asyncio.to_thread(subprocess.check_output, script))
            halted = (await wait_for(folder / "deeds", "halted", number + 1))[-1]
            assert (await running).settled == "aborted"
            await client.reset()
            with_start.append((halted - launched) / 1e6)
            without.append((halted - said["imported"]) / 1e6)
        await client.disconnect()
    return {
        **{f"stop_after_python_{name}_ms": v for name, v in quantiles(without).items()},
        **{f"stop_with_python_{name}_ms": v for name, v in quantiles(with_start).items()},
    }


async def wait_for(deeds: Path, what: str, count: int) -> list[int]:
    """Return when something was done, once it was done `count` times [ns]."""
    while True:
        lines = deeds.read_text().splitlines() if deeds.exists() else []
        found = [int(line.split()[1]) for line in lines if line.startswith(what)]
        if len(found) >= count:
            return found
        await asyncio.sleep(0.01)


async def stop(address: str) -> None:
    """Be the fresh process: stop the instrument, knowing only where its host is."""
    from instruments.hosting.client import HostedInstrument
    from instruments.hosting.line import Line
    from instruments.stopping import stop_all

    imported = time.time_ns()
    line = Line("counter", Address.parse(address), host="bench", access=Access())
    client = HostedInstrument("counter", line)
    said = await stop_all({"counter": client}, emergency=True)
    await client.disconnect()
    assert said["counter"].result == "halted", said
    print(json.dumps({"imported": imported}))


def main() -> None:
    """Measure, or be one of the processes measured with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=200)
    parser.add_argument("--stops", type=int, default=10)
    parser.add_argument("--length", type=int, default=2000, help="points of a curve")
    parser.add_argument("--folder", type=Path, help="where the log is written")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--stop", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stop:
        asyncio.run(stop(given.stop))
        return
    if given.serve:
        asyncio.run(
            serve(
                [counter(given.folder, given.length)],
                address="127.0.0.1:0",
                log_folder=given.folder / "log",
                ready=lambda address: print(address, flush=True),
            )
        )
        return
    with tempfile.TemporaryDirectory(dir=given.folder, prefix="hosting-") as name:
        one, two = Path(name) / "overhead", Path(name) / "stop"
        one.mkdir()
        two.mkdir()
        found = asyncio.run(overhead(one, given.commands, given.length))
        found |= asyncio.run(stop_times(two, given.stops, given.length))
    setting = {"commands": given.commands, "points": given.length, "cores": os.cpu_count()}
    print(json.dumps({**setting, **{k: round(v, 2) for k, v in found.items()}}))
    for key, value in found.items():
        print(f"{key:<28} {value:10.2f}")


if __name__ == "__main__":
    main()
