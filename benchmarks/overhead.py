"""What does the loop cost beside the laboratory's own time, without Prefect and under it?

One process, one run: a bare Prefect task, an empty async flow, and turns of the loop with no-op
instruments, a space-filling planner and the real store. A turn's overhead is its wall time less
what the instruments, the agent and the planner took; the planner is reported beside it. Memory and
the share of turns that Prefect's database shows are taken from long runs.

    python benchmarks/overhead.py --turns 1000 --prefect-turns 200 --json out.json
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil

from analysis.insight import Estimate, Insight
from instruments.capabilities import Accepted, Capabilities
from instruments.clock import VirtualClock
from instruments.commands import Command, Measure, Synthesize
from instruments.device import Action, Device
from instruments.execution import Executor
from instruments.measurement import Measurement, Reading
from instruments.protocols import Estimated
from instruments.sample import Sample
from orchestrator.campaign import Campaign
from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.laboratories.matching import Match
from orchestrator.loop import turn
from orchestrator.run import Run
from orchestrator.store import Store
from orchestrator.store.records import CampaignRecord
from planners.baselines import make_sobol

QUANTITY = "noop.value"
ACCEPTED = Accepted(name="x", low=0.0, high=1.0)


class Maker(Device):
    """Makes a sample in no time; adds what it took to `spent`."""

    def __init__(self, spent: list[float]) -> None:
        self.spent = spent

    def estimate(self, command: Command) -> Estimated:
        """Nothing."""
        del command
        return Estimated(0.0)

    async def act(self, action: Action, command: Command) -> Sample | Measurement:
        """Return at once."""
        began = time.perf_counter()
        made = self.make(action, command)
        self.spent.append(time.perf_counter() - began)
        return made

    def make(self, action: Action, command: Command) -> Sample | Measurement:
        """Return the sample."""
        assert isinstance(command, Synthesize)
        return Sample(
            id=command.sample_id,
            number=command.number,
            recipe=command.recipe,
            made_by="maker",
            simulated=True,
            started=action.started,
            finished=action.started,
        )


class Reader(Maker):
    """Reads a number in no time."""

    def make(self, action: Action, command: Command) -> Sample | Measurement:
        """Return the reading."""
        assert isinstance(command, Measure)
        empty = np.empty(0)
        return Measurement(
            command.measurement_id, command.sample.id, "table", empty, empty, None, "", "", "", "",
            "reader", True, action.started, action.started,
            readings={"v": Reading(float(command.sample.recipe["x"]), 0.1, "")},
        )  # fmt: skip


class Echo:
    """Says what was read."""

    name, technique = "echo", "table"
    quantities = {QUANTITY: ""}  # noqa: RUF012

    def __init__(self, spent: list[float]) -> None:
        self.spent = spent

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return the reading."""
        del rng
        began = time.perf_counter()
        m = measurements[0]
        insight = Insight(
            id=f"{m.id}/echo",
            agent="echo",
            measurement_ids=(m.id,),
            estimates={QUANTITY: Estimate(m.readings["v"].value, 0.1, "")},
            p_wrong=0.0,
        )
        self.spent.append(time.perf_counter() - began)
        return insight


class Timed:
    """The Sobol planner, timed."""

    name = "sobol"

    def __init__(self, spent: list[float]) -> None:
        self.spent, self._planner = spent, make_sobol({})

    def propose(self, *arguments: object, **named: object) -> object:
        """Return the next point."""
        began = time.perf_counter()
        chosen = self._planner.propose(*arguments, **named)  # type: ignore[arg-type]
        self.spent.append(time.perf_counter() - began)
        return chosen


def no_op_run(store: Store, name: str) -> tuple[Run, list[float], list[float]]:
    """Return a run with no-op instruments, what they spent, and what the planner spent."""
    spent: list[float] = []
    planned: list[float] = []
    clock = VirtualClock()
    common = {"accepts": (ACCEPTED,), "recovery": "idempotent", "simulated": True}
    maker = Capabilities(role="synthesize", **common)  # type: ignore[arg-type]
    reader = Capabilities(role="measure", technique="table", recovery="idempotent", simulated=True)
    instruments = {
        "maker": Executor("maker", maker, clock, Maker(spent)),
        "reader": Executor("reader", reader, clock, Reader(spent)),
    }
    campaign = Campaign.model_validate(
        {
            "name": name,
            "space": {"parameters": [{"type": "continuous", "name": "x", "low": 0, "high": 1}]},
            "objective": {"targets": [{"quantity": QUANTITY, "goal": "maximize"}]},
            "budget": {"experiments": 10**6},
            "measurements": [{"technique": "table"}],
            "agents": [{"use": "echo"}],
        }
    )
    now = datetime.now(UTC)
    store.create_campaign(
        CampaignRecord(name, name, "running", "", now, now, "", "", "", "", 0, dry_run=True)
    )
    match = Match("maker", ("reader",), {"echo": Echo(spent)}, Timed(planned))  # type: ignore[dict-item,arg-type]
    laboratory = Laboratory("no-op", "EUR", instruments, {}, clock, simulated=True)
    return Run(name, campaign, laboratory, match, store), spent, planned


async def turns(
    run: Run, spent: list[float], n: int, take: Callable[[Run, int], Awaitable[object]]
) -> list[float]:
    """Take turns and return the overhead of each [s]."""
    await run.laboratory.connect()
    overheads = []
    for number in range(n):
        spent.clear()
        began = time.perf_counter()
        await take(run, number)
        overheads.append(time.perf_counter() - began - sum(spent))
    return overheads


def summary(values: Sequence[float]) -> dict[str, float]:
    """Return p50 and p95 in ms."""
    p50, p95 = np.quantile(values, [0.5, 0.95]) * 1000
    return {"p50_ms": float(p50), "p95_ms": float(p95), "n": len(values)}


def plain(folder: Path, n: int) -> dict[str, object]:
    """Measure turns without Prefect, and memory over them."""
    store = Store.open(f"sqlite:///{folder}/plain.sqlite", folder / "arrays")
    run, spent, planned = no_op_run(store, "plain")
    process = psutil.Process()
    warm = asyncio.run(turns(run, spent, 50, turn))
    del warm
    gc.collect()
    before = process.memory_info().rss
    run, spent, planned = no_op_run(store, "plain-long")
    overheads = asyncio.run(turns(run, spent, n, turn))
    gc.collect()
    grown = (process.memory_info().rss - before) / 1e6
    without = [o - p for o, p in zip(overheads, planned, strict=True)]
    store.close()
    return {
        "turn": summary(without),
        "turn_first_100": summary(without[:100]),
        "turn_last_100": summary(without[-100:]),
        "planner": summary(planned),
        "memory_growth_mb": grown,
    }


async def bare(n: int) -> dict[str, object]:
    """Measure a bare Prefect task inside one flow, and an empty async flow."""
    from prefect import flow, task
    from prefect.cache_policies import NO_CACHE

    @task(cache_policy=NO_CACHE)
    async def nothing() -> None: ...

    @flow
    async def many() -> list[float]:
        times = []
        for _ in range(n):
            began = time.perf_counter()
            await nothing()
            times.append(time.perf_counter() - began)
        return times

    @flow
    async def empty() -> None: ...

    tasks = await many()
    flows = []
    for _ in range(max(n // 5, 10)):
        began = time.perf_counter()
        await empty()
        flows.append(time.perf_counter() - began)
    return {"bare_task": summary(tasks[5:]), "empty_flow": summary(flows[2:])}


async def seen_turns(run: Run, spent: list[float], n: int, *, artifacts: bool) -> list[float]:
    """Take turns under Prefect and return the overhead of each [s]."""
    from orchestrator.under_prefect.flows import PrefectTurns

    async with PrefectTurns(artifacts=artifacts) as view:
        return await turns(run, spent, n, view.take)


def under_prefect(folder: Path, n: int) -> dict[str, object]:
    """Measure turns under Prefect, and the share of them that its database shows."""
    from orchestrator.under_prefect.server import ensure_server, stop_server

    server = ensure_server(folder / "prefect", port=0)
    try:
        result = asyncio.run(bare(100))
        store = Store.open(f"sqlite:///{folder}/prefect.sqlite", folder / "arrays")
        for name, artifacts, count in (("bare", False, min(n, 200)), ("prefect", True, n)):
            run, spent, planned = no_op_run(store, name)
            overheads = asyncio.run(seen_turns(run, spent, count, artifacts=artifacts))
            without = [o - p for o, p in zip(overheads, planned, strict=True)]
            key = "turn_flow_with_artifacts" if artifacts else "turn_flow"
            result[key] = summary(without)
        result["shown"] = shown(server.api_url, "campaign:prefect") / n
        result["experiments_in_store"] = len(store.observations("prefect"))
        store.close()
        return result
    finally:
        stop_server(folder / "prefect")


def shown(api_url: str, tag: str) -> int:
    """Return how many completed flow runs with a tag the server shows, given time to settle."""
    import httpx

    query = {"flow_runs": {"tags": {"all_": [tag]}, "state": {"type": {"any_": ["COMPLETED"]}}}}
    last = -1
    for _ in range(30):
        count = int(httpx.post(f"{api_url}/flow_runs/count", json=query, timeout=60).json())
        if count == last:
            return count
        last = count
        time.sleep(2)
    return last


def time_to_first(runs: int) -> dict[str, object]:
    """Return wall and CPU time from the command to the first finished experiment of a dry run."""
    import_prefect = []
    whole = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as home:
            command = [
                str(Path(sys.executable).parent / "sdlab"), "run", "tio2", "--dry-run", "-n", "1",
                "--home", home,
            ]  # fmt: skip
            began = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            # Each finished experiment leaves a line that begins with its number.
            next(line for line in process.stdout if line.split()[:1] == ["0"])
            whole.append(time.perf_counter() - began)
            process.communicate()
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import prefect; prefect.flow"], check=True)
        import_prefect.append(time.perf_counter() - began)
    return {
        "to_first_experiment_s": statistics.median(whole),
        "import_prefect_s": statistics.median(import_prefect),
        "ratio": statistics.median(whole) / statistics.median(import_prefect),
    }


def main() -> None:
    """Measure everything once and print the marks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--prefect-turns", type=int, default=1000)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result: dict[str, object] = {"plain": plain(folder, options.turns)}
        result["start"] = time_to_first(options.starts)
        result["prefect"] = under_prefect(folder, options.prefect_turns)
    print(json.dumps(result, indent=2))
    p50 = lambda *keys: _dig(result, *keys, "p50_ms")  # noqa: E731
    print(f"turn / bare task       = {p50('plain', 'turn') / p50('prefect', 'bare_task'):.2f} (mark: at most 0.10)")  # fmt: skip # noqa: E501
    print(f"turn flow / empty flow = {p50('prefect', 'turn_flow') / p50('prefect', 'empty_flow'):.2f} (mark: at most 1.50)")  # fmt: skip # noqa: E501
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


def _dig(data: object, *keys: str) -> float:
    for key in keys:
        data = data[key]  # type: ignore[index]
    return float(data)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
