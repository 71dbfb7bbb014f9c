"""Prefect's server is killed in mid-campaign and stays dead: is anything lost, does anything wait?

A real server, a real campaign on the simulated laboratory. The server is killed with SIGKILL while
a turn is under way and started again after `--down` seconds; turns are taken all the while. Then
the campaign's history and what the server shows of it are compared.

    python benchmarks/dead_server.py --down 120 --pace 1 --json out.json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.examples import find_campaign
from orchestrator.launch import begin, prepare, with_changes
from orchestrator.run import Run
from orchestrator.store import Store
from orchestrator.under_prefect.server import Server, ensure_server, stop_server


@dataclass
class Seconds:
    """Wall times of turns [s], by how the server was when they began."""

    before: list[float] = field(default_factory=list)
    during: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)


async def campaign(
    run: Run, home: Path, server: Server, *, turns: int, down: float, pace: float
) -> Seconds:
    """Take turns before, during and after the outage, one every `pace` seconds at the fastest."""
    from orchestrator.under_prefect.flows import seen_in_prefect

    seconds = Seconds()
    number = 0

    async def one(kept: list[float]) -> None:
        nonlocal number
        began = time.perf_counter()
        await take_turn(run, number)
        kept.append(time.perf_counter() - began)
        number += 1
        await asyncio.sleep(max(0.0, pace - kept[-1]))

    await run.laboratory.connect()
    async with seen_in_prefect(run) as take_turn:
        for _ in range(turns):
            await one(seconds.before)
        killing = asyncio.create_task(kill_soon(server))
        died = time.monotonic()
        while time.monotonic() - died < down:
            await one(seconds.during)
        await killing
        await asyncio.to_thread(ensure_server, home)
        for _ in range(turns):
            await one(seconds.after)
    await run.laboratory.disconnect()
    return seconds


async def kill_soon(server: Server) -> None:
    """Kill the server a moment after the next turn has begun."""
    await asyncio.sleep(0.1)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)


async def shown(campaign_id: str) -> tuple[Counter[str], int, set[int]]:
    """Return how many flow runs stand in which state, how many were added, and of which turns."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags

    from orchestrator.under_prefect.afterwards import LATER
    from orchestrator.under_prefect.reconcile import numbers

    states: Counter[str] = Counter()
    added, seen, offset = 0, set(), 0
    tags = FlowRunFilterTags(all_=[f"campaign:{campaign_id}"])
    async with get_client() as client:
        while runs := await client.read_flow_runs(
            flow_run_filter=FlowRunFilter(tags=tags), limit=200, offset=offset
        ):
            offset += len(runs)
            states.update(str(run.state_name) for run in runs)
            added += sum(LATER in run.tags for run in runs)
            for run in runs:
                seen |= numbers(run.tags)
    return states, added, seen


def measured(folder: Path, *, turns: int, down: float, pace: float) -> dict[str, Any]:
    """Run the campaign once in a folder of its own, and return what was found."""
    home = folder / "prefect"
    server = ensure_server(home, port=0)
    try:
        store = Store.open(f"sqlite:///{folder / 'sdlab.sqlite'}", folder / "arrays")
        prepared = prepare(find_campaign("tio2"))
        run = begin(with_changes(prepared, seed=1, experiments=400), store)
        seconds = asyncio.run(campaign(run, home, server, turns=turns, down=down, pace=pace))
        taken = sum(map(len, (seconds.before, seconds.during, seconds.after)))
        told = [number for number, _ in store.observations(run.id)]
        states, added, seen = asyncio.run(shown(run.id))
        unsettled = len(store.unsettled_actions(run.id))
        store.close()
    finally:
        stop_server(home)
    return {
        "server_dead_s": down,
        "turns_before_during_after": [
            len(seconds.before),
            len(seconds.during),
            len(seconds.after),
        ],
        "experiments_lost": taken - len(told),
        "actions_unsettled": unsettled,
        "turns_without_a_flow_run": len(set(told) - seen),
        "flow_runs_added_later": added,
        "flow_run_states": dict(states),
        "longest_turn_s": {
            "before": round(max(seconds.before), 2),
            "during": round(max(seconds.during, default=0.0), 2),
            "after": round(max(seconds.after), 2),
        },
    }


def main() -> None:
    """Print what was found as a table, and as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--down", type=float, default=120.0, help="seconds the server is dead")
    parser.add_argument("--turns", type=int, default=3, help="turns before and after the outage")
    parser.add_argument("--pace", type=float, default=1.0, help="seconds between two turns' begin")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sdlab-dead-server-") as folder:
        found = measured(Path(folder), turns=options.turns, down=options.down, pace=options.pace)
    for name, value in found.items():
        print(f"{name:<28} {value}")
    print(json.dumps(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
