"""Does a campaign of ten thousand turns stay as cheap as at its beginning?

A small laboratory with a formula for its physics runs in virtual time, with the whole loop, journal
and store. Measured are CPU seconds a turn (the last hundred beside the first hundred after a
warm-up), the growth of memory, and the growth of the database. A planner is told every observation
each time, so its own share grows with them whatever the loop does; it is told apart.

    python benchmarks/long_campaign.py --turns 10000 --json out.json
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))

from orchestrator.control import run_campaign
from orchestrator.loop import turn
from orchestrator.run import Run
from orchestrator.store import Store
from planners.baselines import RandomPlanner
from planners.proposal import Observation, Proposal
from tests.orchestrator import bakery
from tests.orchestrator.conftest import record


@dataclass
class Log:
    """What every turn cost.

    Attributes
    ----------
    cpu : CPU seconds of the process when a turn ended.
    planner : CPU seconds of the planner in a turn.
    memory, disk : (turn, bytes), every so many turns.
    """

    file: Path
    every: int
    cpu: list[float] = field(default_factory=list)
    planner: list[float] = field(default_factory=list)
    memory: list[tuple[int, int]] = field(default_factory=list)
    disk: list[tuple[int, int]] = field(default_factory=list)

    async def take(self, run: Run, number: int) -> Observation:
        """Take a turn and note what it cost."""
        observation = await turn(run, number)
        self.cpu.append(time.process_time())
        if len(self.cpu) % self.every == 0:
            gc.collect()
            self.memory.append((len(self.cpu), psutil.Process().memory_info().rss))
            self.disk.append((len(self.cpu), self.file.stat().st_size))
            self.cpu[-1] = time.process_time()
        return observation


@dataclass
class Timed(RandomPlanner):
    """The random planner, whose own CPU time is noted."""

    log: Log

    def propose(self, *arguments: Any, **more: Any) -> list[Proposal]:
        """Choose."""
        began = time.thread_time()
        proposals = super().propose(*arguments, **more)
        self.log.planner.append(time.thread_time() - began)
        return proposals


async def measured(turns: int, *, warm_up: int, in_flight: int) -> dict[str, float]:
    """Run the campaign and return what it cost."""
    plenty = bakery.OVEN.consumables[0].model_copy(update={"stock": 200.0 * turns})
    oven = bakery.OVEN.model_copy(update={"consumables": (plenty,)})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sdlab.sqlite"
        log = Log(file, every=max(turns // 50, 1))
        with Store.open(f"sqlite:///{file}", Path(folder) / "arrays") as store:
            store.create_campaign(record("bread-1"))
            run = bakery.run(
                store,
                Timed(log),
                laboratory=bakery.laboratory(oven=oven),
                campaign=bakery.campaign(
                    budget={"experiments": turns, "hours": 10.0 * turns, "money": 1e3 * turns},
                    in_flight=in_flight,
                ),
            )
            await run.laboratory.connect()
            began = time.process_time()
            ending = await run_campaign(run, take_turn=log.take)
    cost = np.diff([began, *log.cpu])
    first, last = ends(cost, warm_up)
    own_first, own_last = ends(cost - np.array(log.planner), warm_up)
    return {
        "turns": ending.experiments,
        "cpu_ms_a_turn": 1e3 * float(np.mean(cost)),
        "first_hundred_ms": 1e3 * first,
        "last_hundred_ms": 1e3 * last,
        "ratio": last / first,
        "ratio_without_planner": own_last / own_first,
        "memory_growth_mb": (log.memory[-1][1] - log.memory[0][1]) / 1e6,
        **linearity(log.disk),
    }


def ends(cost: np.ndarray, warm_up: int) -> tuple[float, float]:
    """Return the median cost of the first hundred turns after the warm-up, and of the last."""
    return float(np.median(cost[warm_up : warm_up + 100])), float(np.median(cost[-100:]))


def linearity(disk: list[tuple[int, int]]) -> dict[str, float]:
    """Return how the database grew: bytes a turn, early and late."""
    turns, size = np.array(disk, dtype=float).T
    half = len(turns) // 2
    early, late = (
        float(np.polyfit(turns[part], size[part], 1)[0])
        for part in (slice(0, half), slice(half, None))
    )
    return {"bytes_a_turn_early": early, "bytes_a_turn_late": late}


def main() -> None:
    """Run it and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=10_000)
    parser.add_argument("--warm-up", type=int, default=100)
    parser.add_argument("--in-flight", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = asyncio.run(
        measured(options.turns, warm_up=options.warm_up, in_flight=options.in_flight)
    )
    marks = {
        "ratio": "at most 1.2",
        "ratio_without_planner": "at most 1.2",
        "memory_growth_mb": "at most 50",
    }
    for name, value in found.items():
        print(f"{name:<22} {value:>10.2f}  {marks.get(name, '')}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
