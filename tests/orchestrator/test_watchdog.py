"""An action that takes far too long is noticed and stopped, in laboratory time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace

import pytest

from instruments.clock import VirtualClock
from instruments.commands import Command, Outcome, Synthesize
from instruments.errors import CommandRefused
from instruments.execution import Executor
from orchestrator.failing.watchdog import watched
from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.people.notifying import Notice
from orchestrator.run import Run
from orchestrator.store import Store
from planners.baselines import make_random
from tests.orchestrator import bakery

BREAD = Synthesize(sample_id="b", number=0, recipe={"temperature": 200, "time": 2.0})


@dataclass(frozen=True)
class Post:
    """Keeps the notices it is given."""

    sent: list[Notice] = field(default_factory=list)

    def send(self, notice: Notice) -> None:
        self.sent.append(notice)


def _run(store: Store, *, stop: str = "abort", simulated: bool = True, **more: object) -> Run:
    clock = VirtualClock()
    able = bakery.OVEN.model_copy(update={"stop": stop, **more})
    oven = Executor("oven", able, clock, bakery.Oven(clock))
    lab = Laboratory("bakery", "EUR", {"oven": oven}, {}, clock, simulated)
    return replace(bakery.run(store, make_random({}), laboratory=lab), notifier=Post())


async def _bake(run: Run, expected: float, **more: float) -> Outcome:
    """Bake for two hours what was expected to take `expected` seconds."""
    oven = run.laboratory.instruments["oven"]
    await oven.connect()
    name = "bread-1/0/synthesize/0"
    return await watched(run, "oven", name, expected, oven.execute(name, BREAD), **more)


def _kinds(store: Store) -> list[str]:
    return [e.kind for e in store.events("bread-1") if e.kind.startswith("overdue")]


async def test_action_in_time_leaves_no_trace(store: Store) -> None:
    outcome = await _bake(_run(store), expected=7200)
    assert outcome.settled == "succeeded"
    assert _kinds(store) == []


async def test_slow_action_is_told_and_goes_on(store: Store) -> None:
    run = _run(store, simulated=False)
    outcome = await _bake(run, expected=4000)
    assert outcome.settled == "succeeded"
    assert _kinds(store) == ["overdue"]
    assert isinstance(run.notifier, Post)
    assert [(n.kind, n.title) for n in run.notifier.sent] == [
        ("overdue", "bread-1: oven takes too long")
    ]


async def test_hung_action_is_stopped_after_twice_its_time_and_the_grace(store: Store) -> None:
    run = _run(store)
    began = run.laboratory.clock.now()
    outcome = await _bake(run, expected=1000, grace=60)
    assert outcome.settled == "aborted"
    assert (run.laboratory.clock.now() - began).total_seconds() == 2060
    assert (await run.laboratory.instruments["oven"].status()).state == "stopped"
    assert _kinds(store) == ["overdue", "overdue_stopped"]
    assert [e.number for e in store.events("bread-1") if e.kind == "overdue"] == [0]


async def test_notices_stay_at_home_in_a_simulation(store: Store) -> None:
    run = _run(store)
    await _bake(run, expected=1000)
    assert isinstance(run.notifier, Post)
    assert run.notifier.sent == []


async def test_action_that_cannot_be_stopped_ends_as_unconfirmed(store: Store) -> None:
    run = _run(store, stop="none")
    began = run.laboratory.clock.now()
    outcome = await _bake(run, expected=1000, grace=60)
    assert outcome.settled == "unconfirmed"
    assert "did not answer the stop" in outcome.error
    assert (run.laboratory.clock.now() - began).total_seconds() == 2120


async def test_instrument_with_a_deadline_of_its_own_is_only_reported(store: Store) -> None:
    outcome = await _bake(_run(store, own_deadline=True), expected=1000)
    assert outcome.settled == "succeeded"
    assert _kinds(store) == ["overdue"]


async def test_refusal_passes_through(store: Store) -> None:
    run = _run(store)
    oven = run.laboratory.instruments["oven"]
    await oven.connect()
    hot: Command = BREAD.model_copy(update={"recipe": {"temperature": 900, "time": 1.0}})
    work: Awaitable[Outcome] = oven.execute("bread-1/0/synthesize/0", hot)
    with pytest.raises(CommandRefused):
        await watched(run, "oven", "bread-1/0/synthesize/0", 100.0, work)


async def test_nothing_is_left_behind_by_a_watch_that_is_cancelled(store: Store) -> None:
    run = _run(store)
    baking = asyncio.create_task(_bake(run, expected=7200))
    await asyncio.sleep(0)
    before = asyncio.all_tasks()
    baking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await baking
    await run.laboratory.instruments["oven"].stop()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before
