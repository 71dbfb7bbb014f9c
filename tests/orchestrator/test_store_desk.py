"""Leases in the database: processes share instruments, and the dead give theirs back."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.errors import CampaignError, UnknownCampaign
from orchestrator.sharing.holding import hold, this_machine, this_process
from orchestrator.sharing.lease_signs import Hearing
from orchestrator.sharing.store_desk import StoreDesk, Tempo
from orchestrator.store import Store
from orchestrator.store.holds import Holder
from orchestrator.store.rows import now
from tests.orchestrator.conftest import record
from tests.orchestrator.databases import databases, url_of

LAB = "bakery"
QUICK = Tempo(poll=0.05, heartbeat=0.05, expiry=0.5)

HOLDER = """
import asyncio, sys
from pathlib import Path
from orchestrator.store import Store
from orchestrator.sharing.store_desk import StoreDesk

async def main(url, folder):
    desk = StoreDesk(Store.open(url, Path(folder)).leases, "bakery")
    async with desk.use("bread-2", [["oven"]], purpose="for ever"):
        print("held", flush=True)
        await asyncio.sleep(3600)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(params=databases())
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with url_of(request.param, tmp_path) as url, Store.open(url, tmp_path) as store:
        for name in ("bread-1", "bread-2"):
            store.create_campaign(record(name))
        yield store


async def test_an_instrument_is_never_lent_twice(shared: Store) -> None:
    desks = [StoreDesk(shared.leases, LAB, tempo=QUICK) for _ in range(3)]
    inside: set[str] = set()
    served = []

    async def use(desk: StoreDesk, needs: list[list[str]]) -> None:
        async with desk.use("bread-1", needs, purpose="test") as names:
            assert not inside & set(names)
            inside.update(names)
            await asyncio.sleep(0.005)
            inside.difference_update(names)
            served.append(names)

    wishes = [[["oven"]], [["oven", "kiln"]], [["kiln"], ["oven"]]]
    await asyncio.gather(*(use(desks[i % 3], wishes[i % 2 or i % 3]) for i in range(18)))
    assert len(served) == 18
    assert shared.leases.queue(LAB) == []


async def test_laboratories_do_not_share_an_instrument_of_the_same_name(shared: Store) -> None:
    async with AsyncExitStack() as stack:
        for name in ("bakery", "brewery"):
            desk = StoreDesk(shared.leases, name)
            await stack.enter_async_context(desk.use("bread-1", [["oven"]], purpose="test"))


async def test_the_queue_tells_who_waits_for_what(shared: Store) -> None:
    desk = StoreDesk(shared.leases, LAB, tempo=QUICK)
    async with desk.use("bread-1", [["oven"]], purpose="baking", priority=2):
        waiting = asyncio.create_task(_use_once(desk, "bread-2"))
        while len(shared.leases.queue(LAB)) < 2:
            await asyncio.sleep(0.01)
        first, second = shared.leases.queue(LAB)
        assert (first.campaign_id, first.given, first.priority) == ("bread-1", ("oven",), 2)
        assert (second.campaign_id, second.given, second.granted) == ("bread-2", (), None)
        assert first.holder == this_process()
    await waiting


async def test_whoever_is_cancelled_leaves_the_queue(shared: Store) -> None:
    desk = StoreDesk(shared.leases, LAB, tempo=QUICK)
    async with desk.use("bread-1", [["oven"]], purpose="test"):
        for moment in (0.0, 0.001, 0.01, 0.1):
            waiting = asyncio.create_task(_use_once(desk, "bread-2"))
            await asyncio.sleep(moment)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert [lease.campaign_id for lease in shared.leases.queue(LAB)] == ["bread-1"]
    assert shared.leases.queue(LAB) == []


async def test_the_lease_of_a_killed_process_goes_to_whoever_waits(
    shared: Store, tmp_path: Path
) -> None:
    url = shared._engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", HOLDER, url, str(tmp_path)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    waiting = asyncio.create_task(_use_once(StoreDesk(shared.leases, LAB, tempo=QUICK), "bread-1"))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    os.kill(holder.pid, signal.SIGKILL)
    try:
        assert await asyncio.wait_for(waiting, 20) == ("oven",)
    finally:
        holder.stdout.close()
        holder.wait()


async def test_a_process_number_that_was_given_away_again_holds_nothing(shared: Store) -> None:
    me = this_process()
    _ask(shared, replace(me, born=me.born - 3600))
    assert await _use_once(StoreDesk(shared.leases, LAB, tempo=QUICK), "bread-1") == ("oven",)


async def test_a_silent_holder_on_another_machine_loses_its_lease(shared: Store) -> None:
    _ask(shared, Holder("elsewhere", 1, 0.0))
    assert await _use_once(StoreDesk(shared.leases, LAB, tempo=QUICK), "bread-1") == ("oven",)


async def test_a_beating_holder_on_another_machine_keeps_its_lease(shared: Store) -> None:
    row = _ask(shared, Holder("elsewhere", 1, 0.0))
    waiting = asyncio.create_task(_use_once(StoreDesk(shared.leases, LAB, tempo=QUICK), "bread-1"))
    for _ in range(15):
        await asyncio.sleep(0.1)
        shared.leases.beat([row])
    assert not waiting.done()
    assert shared.leases.give_back(LAB, row)
    assert await waiting == ("oven",)


async def test_a_waiting_process_that_died_does_not_hold_up_the_queue(shared: Store) -> None:
    async with StoreDesk(shared.leases, LAB).use("bread-1", [["oven"]], purpose="test"):
        dead = replace(this_process(), pid=2**22 - 1)
        needs = [["oven"], ["kiln"]]  # keeps the kiln back while it waits for the oven
        shared.leases.ask(LAB, "bread-2", needs, purpose="", priority=9, holder=dead)
        desk = StoreDesk(shared.leases, LAB, tempo=QUICK)
        async with desk.use("bread-1", [["kiln"]], purpose="test") as names:
            assert names == ("kiln",)


async def test_leases_are_beaten_for_while_the_event_loop_is_busy(shared: Store) -> None:
    desk = StoreDesk(shared.leases, LAB, tempo=QUICK)
    async with desk.use("bread-1", [["oven"]], purpose="test"):
        before = shared.leases.queue(LAB)[0].heartbeat
        threading.Event().wait(0.5)  # blocks the loop, as a long computation would
        assert shared.leases.queue(LAB)[0].heartbeat > before


async def test_a_lease_of_a_campaign_that_was_never_recorded_is_refused(shared: Store) -> None:
    with pytest.raises(UnknownCampaign):
        await _use_once(StoreDesk(shared.leases, LAB), "cake")
    with pytest.raises(CampaignError, match="at least one instrument"):
        async with StoreDesk(shared.leases, LAB).use("bread-1", [[]], purpose="test"):
            raise AssertionError


async def test_a_locked_database_is_waited_for(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'sdlab.sqlite'}"
    with Store.open(url, tmp_path, wait=0.1) as store:
        store.create_campaign(record("bread-1"))
        desk = StoreDesk(store.leases, LAB, tempo=QUICK)
        with store._engine.connect().execution_options(writes=True) as other:
            other.begin()
            waiting = asyncio.create_task(_use_once(desk, "bread-1"))
            await asyncio.sleep(0.5)
            assert not waiting.done()
        assert await waiting == ("oven",)


def test_silence_is_measured_by_our_own_clock() -> None:
    hearing, moment = Hearing(0.0), now()
    assert not hearing.is_silent(1, moment)
    assert hearing.is_silent(1, moment)
    assert not hearing.is_silent(1, now())


def _ask(store: Store, holder: Holder) -> int:
    row, given = store.leases.ask(
        LAB, "bread-2", [["oven"]], purpose="test", priority=0, holder=holder
    )
    assert given == ("oven",)
    assert holder.host in ("elsewhere", this_machine())
    return row


async def _use_once(desk: StoreDesk, campaign_id: str) -> tuple[str, ...]:
    async with desk.use(campaign_id, [["oven"]], purpose="test") as names:
        return names


def test_whoever_takes_a_campaign_gives_back_what_its_former_holder_left(shared: Store) -> None:
    me = this_process()
    _ask(shared, replace(me, born=me.born - 3600))
    with hold(shared, "bread-2"):
        assert shared.leases.queue(LAB) == []


def test_a_new_holder_leaves_other_campaigns_and_its_own_leases_alone(shared: Store) -> None:
    row = _ask(shared, this_process())
    with hold(shared, "bread-2"), hold(shared, "bread-1"):
        assert [lease.row for lease in shared.leases.queue(LAB)] == [row]


async def test_heartbeats_and_the_queue_never_wait_for_each_other(shared: Store) -> None:
    """What is served next changes rows in another order than a heartbeat: no deadlock."""
    me = this_process()
    queue: list[int] = []
    over = threading.Event()

    def beat() -> None:
        while not over.is_set():
            shared.leases.beat(list(queue))

    def serve() -> None:
        for _ in range(40):
            while len(queue) < 3:
                row, _ = shared.leases.ask(
                    LAB, "bread-1", [["oven"]], purpose="test", priority=0, holder=me
                )
                queue.insert(0, row)
            shared.leases.give_back(LAB, queue.pop())
        over.set()

    await asyncio.gather(*(asyncio.to_thread(f) for f in (beat, serve, beat)))
    assert {q.row for q in shared.leases.queue(LAB)} == set(queue)
