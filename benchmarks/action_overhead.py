"""What does one physical action cost beside the device's own time, written down durably?

Actions go through the whole chain of a real campaign: lease of the instrument, stock and custody,
intention, sending and settlement in the journal, each on disk before the next begins. Measured
with the driver in the campaign's process and in a host of its own; a bare Prefect task that does
nothing is measured in the same run.

    python benchmarks/action_overhead.py --actions 200 --json out.json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from survival.bench import Bench, running_bench
from survival.devices import Logbook, maker, meter

from instruments.commands import Command, Synthesize
from instruments.protocols import Instrument
from instruments.sample import Sample
from orchestrator.journal import act
from orchestrator.launch import begin, prepare
from orchestrator.run import Run
from orchestrator.sharing.holding import fence, hold
from planners.proposal import Proposal, Reason


def propose(run: Run, number: int) -> None:
    """Begin an experiment, so that actions have something to belong to."""
    proposal = Proposal(
        values={"temperature": 150.0, "time": 2.0}, reason=Reason(planner="fixed", text="fixed")
    )
    run.history.record_proposal(run.id, number, proposal, seed=[number])


async def synthesis(run: Run, number: int) -> float:
    """Carry out one synthesis and return what it cost beside the device's own time [s]."""

    def command(_: int) -> Command:
        return Synthesize(
            sample_id=f"{run.id}/{number}",
            number=number,
            recipe={"temperature": 150.0, "time": 2.0},
        )

    def keep(value: object) -> None:
        assert isinstance(value, Sample)
        run.history.record_sample(run.id, number, value)

    began = time.perf_counter()
    outcome = await act(
        run, number, step="synthesize", instruments=["maker"], command=command, keep=keep
    )
    whole = time.perf_counter() - began
    return whole - (outcome.finished - outcome.started).total_seconds()


async def actions(run: Run, n: int) -> list[float]:
    """Return the overhead of each of `n` actions [s]."""
    await run.laboratory.connect()
    if run.token is not None:
        await fence(run.laboratory, run.id, run.token)
    costs = []
    for number in range(n + 5):
        propose(run, number)
        costs.append(await synthesis(run, number))
    await run.laboratory.disconnect()
    return costs[5:]


def measured(
    bench: Bench, name: str, n: int, instruments: Mapping[str, Instrument] | None
) -> list[float]:
    """Return the overheads of a campaign of its own, on other instruments if some are given."""
    path = bench.write_campaign(name, seed=0, experiments=n + 5)
    with bench.open_store(name) as store:
        run = begin(prepare(path), store)
        if instruments is not None:
            run = replace(run, laboratory=replace(run.laboratory, instruments=instruments))
        with hold(store, run.id) as held:
            return asyncio.run(actions(replace(run, token=held.token), n))


def bare_tasks(folder: Path, n: int) -> list[float]:
    """Return the wall time of each of `n` Prefect tasks that do nothing [s]."""
    from orchestrator.under_prefect.server import ensure_server, stop_server

    ensure_server(folder / "prefect", port=0)
    try:
        from prefect import flow, task
        from prefect.cache_policies import NO_CACHE

        @task(cache_policy=NO_CACHE)
        async def nothing() -> None: ...

        @flow
        async def many() -> list[float]:
            times = []
            for _ in range(n + 5):
                began = time.perf_counter()
                await nothing()
                times.append(time.perf_counter() - began)
            return times[5:]

        return asyncio.run(many())
    finally:
        stop_server(folder / "prefect")


def fsyncs(folder: Path, n: int) -> list[float]:
    """Return what it takes to append a line and have it on disk [s], for comparison."""
    costs = []
    with (folder / "plain.log").open("ab", buffering=0) as file:
        for _ in range(n):
            began = time.perf_counter()
            file.write(b"a line of a log\n")
            os.fsync(file.fileno())
            costs.append(time.perf_counter() - began)
    return costs


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--actions", type=int, default=200)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    n = options.actions
    with tempfile.TemporaryDirectory() as name, running_bench(Path(name), seconds=0.001) as bench:
        logbook = Logbook(Path(name) / "inside.jsonl")
        inside = {
            "maker": maker("maker", logbook, seconds=0.001),
            "meter": meter("meter", logbook, seconds=0.001),
        }
        found = {
            "driver in the process": measured(bench, "inside", n, inside),
            "driver in a host": measured(bench, "hosted", n, None),
            "bare Prefect task": bare_tasks(Path(name), n),
            "one line and fsync": fsyncs(Path(name), n),
        }
    table = {}
    for what, costs in found.items():
        p50, p95 = np.quantile(costs, [0.5, 0.95]) * 1000
        table[what] = {"p50_ms": float(p50), "p95_ms": float(p95), "n": len(costs)}
        print(f"{what:<24}{p50:8.2f} ms p50 {p95:8.2f} ms p95")
    task = table["bare Prefect task"]["p50_ms"]
    for what in ("driver in the process", "driver in a host"):
        print(f"{what} / bare task = {table[what]['p50_ms'] / task:.2f}")
    if options.json:
        machine = {"machine": platform.platform(), "cores": os.cpu_count()}
        options.json.write_text(json.dumps({**machine, **table}, indent=1))


if __name__ == "__main__":
    main()
