"""Agents at work on a Dask cluster: the same insights, computed by other processes.

What an agent reads and the random stream it draws from are sent to the cluster, and the agent is
made there from its name and settings; so the insight is the one that this process would have
got. If the cluster is missing or dies, this process does the work itself and says so.
"""

from __future__ import annotations

import atexit
import logging
import pickle
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from analysis.insight import Insight
from analysis.protocols import Agent
from instruments.measurement import Measurement
from orchestrator.laboratories.spread import SpreadEntry
from orchestrator.registry import agent_factory
from orchestrator.run import Run
from planners.threads import one_thread

log = logging.getLogger(__name__)


@task(name="read", cache_policy=NO_CACHE, persist_result=False, retries=0, log_prints=False)
def read(packed: bytes) -> bytes:
    """Return an agent's insight, or the error it raised, and how far it drew from its stream."""
    use, settings, folder, measurements, rng = pickle.loads(packed)  # noqa: S301  (`analyze` made it)
    answer: Insight | Exception
    try:
        with one_thread():
            answer = _agent(use, settings, folder).analyze(measurements, rng=rng)
    except Exception as error:  # noqa: BLE001  (raised again by the process that asked)
        answer = error
    return pickle.dumps((answer, rng.bit_generator.state))


@cache
def _agent(use: str, settings: bytes, folder: Path) -> Agent:
    """Return this worker's own agent of that name and settings, made once."""
    return agent_factory(use)(pickle.loads(settings), folder)  # noqa: S301  (`analyze` made it)


def spread(run: Run) -> Run:
    """Return the run whose agents read on the cluster that its laboratory names, if it does."""
    entry = run.laboratory.spread
    if not entry.is_wanted:
        return run

    def tell(text: str) -> None:
        run.history.record_event(run.id, "cluster_failed", text)

    settings = {choice.use: choice.settings for choice in run.campaign.agents}
    agents: dict[str, Agent] = {
        name: SpreadAgent(
            agent.name,
            agent.technique,
            agent,
            settings[name],
            run.match.folder,
            cluster(entry),
            tell,
        )
        for name, agent in run.match.agents.items()
    }
    return replace(run, match=replace(run.match, agents=agents))


@dataclass(slots=True)
class SpreadAgent:
    """An agent whose double on a cluster reads in its place.

    Attributes
    ----------
    agent : reads here if the cluster fails.
    settings, folder : what the double is made from, beside the name.
    tell : writes down that it failed.
    """

    name: str
    technique: str
    agent: Agent
    settings: Mapping[str, object]
    folder: Path
    cluster: Cluster
    tell: Callable[[str], None]

    @property
    def quantities(self) -> dict[str, str]:
        """Quantity → unit of what it may find."""
        return self.agent.quantities

    def analyze(self, measurements: Sequence[Measurement], *, rng: np.random.Generator) -> Insight:
        """Return what the agent reads, wherever."""
        settings = pickle.dumps(dict(self.settings))
        question = (self.name, settings, self.folder, tuple(measurements), rng)
        try:
            packed = self.cluster.ask(pickle.dumps(question))
        except Exception as error:
            log.warning("the Dask cluster failed agent=%s", self.name, exc_info=True)
            self.tell(f"{self.name} reads in the campaign's own process: the cluster {error!r}")
            return self.agent.analyze(measurements, rng=rng)
        answer, state = pickle.loads(packed)  # noqa: S301  (from `read`)
        rng.bit_generator.state = state
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Insight)
        return answer


class Cluster:
    """A Dask task runner, started when it is first asked; given up when it fails."""

    def __init__(self, entry: SpreadEntry) -> None:
        self._entry = entry
        self._started = ExitStack()
        self._runner: Any = None
        self._failed = ""

    def close(self) -> None:
        """End what was started here."""
        self._started.close()

    def ask(self, packed: bytes) -> bytes:
        """Return the cluster's answer. Raises whatever makes it fail."""
        if self._failed:
            raise RuntimeError(self._failed)
        try:
            if self._runner is None:
                self._runner = self._started.enter_context(_task_runner(self._entry))
            future = self._runner.submit(read, parameters={"packed": packed})
            answer: bytes = future.result(timeout=self._entry.longest)
        except Exception as error:
            self._failed = f"failed before: {error!r}"
            raise
        return answer


@cache
def cluster(entry: SpreadEntry) -> Cluster:
    """Return this process' connection to a cluster, closed when the process ends."""
    made = Cluster(entry)
    atexit.register(made.close)
    return made


def _task_runner(entry: SpreadEntry) -> Any:
    """Return Prefect's task runner for the cluster, not yet connected."""
    from prefect_dask.task_runners import DaskTaskRunner

    if entry.address:
        return DaskTaskRunner(address=entry.address)
    local = {"n_workers": entry.workers, "threads_per_worker": 1, "dashboard_address": None}
    return DaskTaskRunner(cluster_kwargs={**local, "host": "127.0.0.1"})
