"""What people wish of a running campaign happens in the process that runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from instruments.clock import RealClock
from instruments.execution import Executor
from orchestrator.control import Ending
from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.people.asking import Reply
from orchestrator.people.attending import Attendance
from orchestrator.run import Run
from orchestrator.session import run_session
from orchestrator.store import Store
from planners.baselines import make_random
from tests.orchestrator import bakery

EACH = {"ask": "each"}
ASKING = Attendance(asks_in_simulation=True)


class SlowClock(RealClock):
    """Half an hour in a real second, which is what a bread takes."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 1800)


def _run(store: Store, *, stop: str = "abort", **changes: object) -> Run:
    clock = SlowClock()
    able = bakery.OVEN.model_copy(update={"stop": stop})
    oven = Executor("oven", able, clock, bakery.Oven(clock))
    meter = Executor("meter", bakery.METER, clock, bakery.Meter(clock))
    lab = Laboratory("bakery", "EUR", {"oven": oven, "meter": meter}, {}, clock, simulated=True)
    wanted = bakery.campaign(
        space={"parameters": bakery.campaign().space.parameters[:1]},
        synthesis={"settings": {"time": 0.5}},
        budget={"experiments": 3},
        **changes,
    )
    return bakery.run(store, make_random({}), laboratory=lab, campaign=wanted)


async def _session(run: Run, store: Store, tmp_path: Path, **more: object) -> Ending:
    attendance = cast(Attendance, more.get("attendance") or Attendance())
    return await run_session(
        run, store, tmp_path, prefect=False, say=lambda _: None, attendance=attendance
    )


async def _until(true: Callable[[], bool], *, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


def _status(store: Store) -> str:
    return store.campaign("bread-1").status


def _bakes(store: Store) -> bool:
    return bool(store.unsettled_actions("bread-1"))


async def test_pause_finishes_the_experiment_under_way_and_resume_goes_on(
    store: Store, tmp_path: Path
) -> None:
    session = asyncio.create_task(_session(_run(store), store, tmp_path))
    await _until(lambda: _bakes(store))
    store.wishes.wish("bread-1", "pause", reason="lunch", by="anna@bakery")
    await _until(lambda: _status(store) == "paused")
    await _until(lambda: len(store.observations("bread-1")) == 1)
    await asyncio.sleep(0.5)
    assert store.experiment("bread-1", 1) is None
    assert not store.observations("bread-1")[0][1].failed
    store.wishes.wish("bread-1", "run", by="anna@bakery")
    ending = await session
    assert ending.status == "finished"
    assert len(store.observations("bread-1")) == 3


async def test_cancel_stops_the_running_command_for_good(store: Store, tmp_path: Path) -> None:
    run = _run(store)
    session = asyncio.create_task(_session(run, store, tmp_path))
    await _until(lambda: _bakes(store))
    store.wishes.wish("bread-1", "cancel", reason="the flour is wet", by="anna@bakery")
    ending = await session
    assert ending.status == "cancelled"
    assert "the flour is wet" in ending.reason
    assert "oven: halted" in ending.reason
    assert [a.settled for a in store.actions("bread-1")] == ["aborted"]
    assert _status(store) == "cancelled"


async def test_cancelled_command_that_cannot_be_cut_short_is_waited_for(
    store: Store, tmp_path: Path
) -> None:
    session = asyncio.create_task(_session(_run(store, stop="none"), store, tmp_path))
    await _until(lambda: _bakes(store))
    store.wishes.wish("bread-1", "cancel", by="anna@bakery")
    ending = await session
    assert ending.status == "cancelled"
    assert "oven: ran_to_completion" in ending.reason
    assert [a.settled for a in store.actions("bread-1")] == ["succeeded"]


async def test_cancel_under_way_is_not_taken_back_by_a_pause(store: Store, tmp_path: Path) -> None:
    session = asyncio.create_task(_session(_run(store, stop="none"), store, tmp_path))
    await _until(lambda: _bakes(store))
    store.wishes.wish("bread-1", "cancel", by="anna@bakery")
    await asyncio.sleep(0.3)
    store.wishes.wish("bread-1", "pause", by="bert@bakery")
    ending = await session
    assert ending.status == "cancelled"
    assert "oven: ran_to_completion" in ending.reason


async def test_emergency_stop_reaches_idle_instruments_too_and_overtakes_a_cancel(
    store: Store, tmp_path: Path
) -> None:
    run = _run(store, stop="between_steps")
    session = asyncio.create_task(_session(run, store, tmp_path))
    await _until(lambda: _bakes(store))
    store.wishes.wish("bread-1", "cancel", by="anna@bakery")
    await asyncio.sleep(0.3)
    assert not session.done()
    store.wishes.wish("bread-1", "stop", reason="smoke", by="bert@bakery")
    ending = await session
    assert ending.status == "stopped"
    assert "bert@bakery: smoke" in ending.reason
    assert "oven: halted" in ending.reason
    assert "meter: nothing_running" in ending.reason
    states = [i._latched for i in cast(dict[str, Executor], run.laboratory.instruments).values()]
    assert states == ["stopped", "stopped"]


async def _answered(store: Store, answer: str) -> None:
    await _until(lambda: bool(store.questions.open("bread-1")))
    for asked in store.questions.open("bread-1"):
        reply = Reply(answer, "", "anna@bakery")
        store.questions.answer("bread-1", asked.question.key, reply)


async def _stopped(run: Run, store: Store, tmp_path: Path) -> None:
    session = asyncio.create_task(_session(run, store, tmp_path))
    await _until(lambda: _bakes(store))
    store.wishes.wish("bread-1", "stop", by="anna@bakery")
    assert (await session).status == "stopped"
    store.wishes.wish("bread-1", "run", by="anna@bakery")


async def test_after_an_emergency_stop_each_instrument_is_released_by_a_person(
    store: Store, tmp_path: Path
) -> None:
    run = _run(store)
    await _stopped(run, store, tmp_path)
    going_on = asyncio.create_task(_session(run, store, tmp_path, attendance=ASKING))
    await _until(lambda: len(store.questions.open("bread-1")) == 2)
    assert _status(store) == "waiting"
    assert {a.question.kind for a in store.questions.open("bread-1")} == {"reset"}
    await _answered(store, "reset")
    assert (await going_on).status == "finished"


async def test_instrument_that_a_person_does_not_release_keeps_the_campaign_stopped(
    store: Store, tmp_path: Path
) -> None:
    run = _run(store)
    await _stopped(run, store, tmp_path)
    acted = len(store.actions("bread-1"))
    going_on = asyncio.create_task(_session(run, store, tmp_path, attendance=ASKING))
    await _until(lambda: len(store.questions.open("bread-1")) == 2)
    await _answered(store, "give-up")
    assert (await going_on).status == "stopped"
    assert len(store.actions("bread-1")) == acted


async def test_campaign_that_waits_says_so_until_it_is_answered(
    store: Store, tmp_path: Path
) -> None:
    run = _run(store, approval={"ask": "first", "first": 1})
    session = asyncio.create_task(_session(run, store, tmp_path, attendance=ASKING))
    await _until(lambda: _status(store) == "waiting")
    assert "sdlab answer bread-1 approve/0 approve|veto" in store.campaign("bread-1").message
    await _answered(store, "approve")
    await _until(lambda: _status(store) == "running")
    assert (await session).status == "finished"


async def test_without_anybody_to_wait_for_the_campaign_ends_as_waiting(
    store: Store, tmp_path: Path
) -> None:
    nobody = Attendance(waits=False, asks_in_simulation=True)
    run = _run(store, approval={"ask": "each"})
    ending = await _session(run, store, tmp_path, attendance=nobody)
    assert ending.status == "waiting"
    assert _status(store) == "waiting"
    assert store.actions("bread-1") == []


async def test_simulated_laboratory_asks_nobody(store: Store, tmp_path: Path) -> None:
    ending = await _session(_run(store, approval={"ask": "each"}), store, tmp_path)
    assert ending.status == "finished"
    assert store.questions.of("bread-1") == []


@pytest.mark.parametrize("wanted", ["cancel", "stop"])
async def test_campaign_waiting_for_an_answer_can_be_ended(
    store: Store, tmp_path: Path, wanted: str
) -> None:
    run = _run(store, approval=EACH)
    session = asyncio.create_task(_session(run, store, tmp_path, attendance=ASKING))
    await _until(lambda: _status(store) == "waiting")
    store.wishes.wish("bread-1", wanted, by="anna@bakery")  # type: ignore[arg-type]
    ending = await session
    assert ending.status == {"cancel": "cancelled", "stop": "stopped"}[wanted]
