"""One life of a campaign's process: forked, run until it ends or kills itself, and buried."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from survival.bench import Bench
from survival.sabotage import Phase, Sabotage, WatchedHistory, WatchedInstrument

from orchestrator.control import run_campaign
from orchestrator.errors import StoreError, WaitsForPerson
from orchestrator.launch import begin as begin_campaign
from orchestrator.launch import prepare, reopen
from orchestrator.people.asking import Nobody, Reply
from orchestrator.run import Run
from orchestrator.sharing.holding import fence, hold
from orchestrator.store import Store

ENDED, WAITS, BROKEN, CUT_OFF = 0, 3, 4, 5
"""Exit codes of a life."""


@dataclass(frozen=True, slots=True)
class Life:
    """Which campaign a process runs.

    Attributes
    ----------
    asks : its instruments cannot be asked what became of a command.
    """

    bench: Bench
    name: str
    campaign: str
    asks: bool


@dataclass(frozen=True, slots=True)
class End:
    """How a life ended.

    Attributes
    ----------
    killed : it was struck by SIGKILL.
    ended : its campaign came to its end.
    resumed_after : seconds from the start of the process to its first new record.
    """

    killed: bool
    ended: bool
    resumed_after: float | None


def begin(bench: Bench, name: str, *, seed: int, experiments: int) -> str:
    """Record a new campaign in a history of its own, and return its id."""
    path = bench.write_campaign(name, seed=seed, experiments=experiments)
    with bench.open_store(name) as store:
        return begin_campaign(prepare(path), store).id


def live(life: Life, *, phase: Phase | None, nth: int, within: float, seed: int) -> End:
    """Fork a process that goes on with the campaign, and wait for its end."""
    trace = life.bench.folder / f"{life.name}.progress"
    trace.unlink(missing_ok=True)
    began = time.time()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        _live_in_child(life, phase, nth, within, seed, trace)
    _, status = os.waitpid(child, 0)
    resumed = float(trace.read_text()) - began if trace.exists() else None
    if os.WIFSIGNALED(status):
        if os.WTERMSIG(status) != signal.SIGKILL:
            raise RuntimeError(f"{life.name} died of signal {os.WTERMSIG(status)}")
        return End(killed=True, ended=False, resumed_after=resumed)
    code = os.waitstatus_to_exitcode(status)
    if code == WAITS:
        answer_as_the_log_says(life)
    elif code not in (ENDED, CUT_OFF):
        raise RuntimeError(f"{life.name} broke; see its error above")
    return End(killed=False, ended=code == ENDED, resumed_after=resumed)


def live_to_the_end(life: Life) -> None:
    """Run a campaign undisturbed."""
    while not live(life, phase=None, nth=0, within=0.0, seed=0).ended:
        pass


def answer_as_the_log_says(life: Life) -> None:
    """Do what a person would: look at what the device did, and say so."""
    deeds = life.bench.logbook.read()
    with life.bench.open_store(life.name) as store:
        for asked in store.questions.open(life.campaign):
            command = asked.question.details["command_id"]
            did = any(d["deed"] == "began" and d["id"].startswith(f"{command}-") for d in deeds)
            answer = "not-done"
            if did:
                answer = "done" if "done" in asked.question.options else "failed"
            store.questions.answer(
                life.campaign, asked.question.key, Reply(answer, "looked at the log", "a person")
            )


def _live_in_child(
    life: Life, phase: Phase | None, nth: int, within: float, seed: int, trace: Path
) -> None:
    code = BROKEN
    try:
        sabotage = Sabotage(phase, nth, within, random.Random(seed), lambda: _write_now(trace))
        code = asyncio.run(_campaign(life, sabotage))
    except StoreError:
        code = CUT_OFF
    except BaseException as error:  # noqa: BLE001  a forked child must never return to its parent
        print(f"{life.name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


async def _campaign(life: Life, sabotage: Sabotage) -> int:
    with life.bench.open_store(life.name) as store, hold(store, life.campaign) as held:
        run = _watched(
            life, store, replace(reopen(life.campaign, store), token=held.token), sabotage
        )
        await run.laboratory.connect()
        await fence(run.laboratory, run.id, held.token)
        try:
            await run_campaign(run)
        except WaitsForPerson:
            return WAITS
        finally:
            await run.laboratory.disconnect()
    return ENDED


def _watched(life: Life, store: Store, run: Run, sabotage: Sabotage) -> Run:
    instruments = {
        name: WatchedInstrument(inner, sabotage, asks=life.asks)
        for name, inner in run.laboratory.instruments.items()
    }
    return replace(
        run,
        history=WatchedHistory(store, sabotage),  # type: ignore[arg-type]
        laboratory=replace(run.laboratory, instruments=instruments),
        person=Nobody(life.campaign, store.questions),
    )


def _write_now(trace: Path) -> None:
    partial = trace.with_suffix(".partial")
    partial.write_text(repr(time.time()))
    partial.rename(trace)  # whole, or not at all: the blow may fall here too
