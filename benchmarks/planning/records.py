"""The file of replays: one line of JSON each, added as they finish, so a run can be resumed."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from planning.paired import add_record
from planning.peers import PINS, Worker, python_of
from planning.replaying import Task

Record = dict[str, Any]


def key_of(record: Record) -> tuple[object, ...]:
    """Return what tells a record from every other; equal to `Task.key` of its task."""
    return tuple(record[name] for name in ("pool", "label", "protocol", "seed", "budget"))


def missing(tasks: Iterable[Task], records: Sequence[Record]) -> list[Task]:
    """Return the tasks that no record answers, in their order."""
    done = {key_of(r) for r in records}
    return [t for t in tasks if t.key not in done]


def in_order(pools: Sequence[str], seeds: Iterable[int], planners: Sequence[Task]) -> list[Task]:
    """Return every replay, seed by seed over all pools, so that a torn run stays balanced.

    Parameters
    ----------
    planners : one task each as pattern; its pool and seed are replaced.
    """
    return [
        Task(
            pool=pool,
            planner=p.planner,
            protocol=p.protocol,
            seed=seed,
            budget=p.budget,
            settings=p.settings,
            label=p.label,
        )
        for seed in seeds
        for pool in pools
        for p in planners
    ]


def run(tasks: Sequence[Task], path: Path | None, *, jobs: int, peers: Path) -> list[Record]:
    """Replay tasks in `jobs` processes, each with its own worker an environment; return records."""
    pythons = {t.planner: python_of(t.planner, peers) for t in tasks}
    local = threading.local()
    writing = threading.Lock()
    workers: list[Worker] = []
    found: list[Record] = []

    def answer(task: Task) -> None:
        mine: dict[str, Worker] = local.__dict__.setdefault("workers", {})
        environment = task.planner if task.planner in PINS else ""
        if environment not in mine:
            mine[environment] = Worker(pythons[task.planner])
            workers.append(mine[environment])
        record = mine[environment].replay(task)
        with writing:
            found.append(record)
            add_record(path, record)

    with ThreadPoolExecutor(jobs) as pool:
        answers = [pool.submit(answer, t) for t in tasks]
        try:
            for a in answers:
                a.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            for worker in workers:
                worker.close()
    return found
