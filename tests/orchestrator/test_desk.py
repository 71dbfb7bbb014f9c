"""A desk lends instruments: in virtual time, and whatever happens to whoever waits."""

from __future__ import annotations

import asyncio

import pytest

from instruments.clock import VirtualClock
from orchestrator.errors import CampaignError
from orchestrator.sharing.desk import LocalDesk


async def use(desk: LocalDesk, clock: VirtualClock, name: str, log: list[str], **more: int) -> None:
    async with desk.use(name, [["robot"]], purpose="test", **more):
        log.append(f"{name} began {clock.now():%M}")
        await clock.sleep(60)
    log.append(f"{name} ended {clock.now():%M}")


async def test_an_instrument_serves_one_after_the_other() -> None:
    clock, log = VirtualClock(), list[str]()
    desk = LocalDesk(clock)
    await asyncio.gather(*(use(desk, clock, name, log) for name in "abc"))
    assert [line for line in log if "began" in line] == ["a began 00", "b began 01", "c began 02"]


async def test_priority_is_served_first() -> None:
    clock, log = VirtualClock(), list[str]()
    desk = LocalDesk(clock)
    await asyncio.gather(*(use(desk, clock, f"p{p}", log, priority=p) for p in (0, 0, 2, 1)))
    began = [line.split()[0] for line in log if "began" in line]
    assert began == ["p0", "p2", "p1", "p0"]


async def test_two_that_need_the_same_two_instruments_in_opposite_order_both_end() -> None:
    clock, desk, ended = VirtualClock(), LocalDesk(), []

    async def both(*names: str) -> None:
        for _ in range(5):
            async with desk.use("c", [[n] for n in names], purpose="test") as given:
                assert given == names
                await clock.sleep(1)
        ended.append(names)

    await asyncio.gather(both("robot", "furnace"), both("furnace", "robot"))
    assert len(ended) == 2


async def test_whoever_is_cancelled_while_waiting_blocks_nobody() -> None:
    clock, log = VirtualClock(), list[str]()
    desk = LocalDesk(clock)
    tasks = [asyncio.create_task(use(desk, clock, name, log)) for name in "abc"]
    while not log:
        await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [line for line in log if "began" in line] == ["a began 00", "c began 01"]


async def test_whoever_is_cancelled_at_the_moment_of_the_grant_gives_it_back() -> None:
    desk, log = LocalDesk(), list[str]()
    release = asyncio.Event()

    async def holder() -> None:
        async with desk.use("a", [["robot"]], purpose="test"):
            await release.wait()
        tasks[1].cancel()  # it was granted the robot just now, and has not run since

    async def waiter(name: str) -> None:
        async with desk.use(name, [["robot"]], purpose="test"):
            log.append(name)

    tasks = [asyncio.create_task(work) for work in (holder(), waiter("b"), waiter("c"))]
    await asyncio.sleep(0)
    release.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert log == ["c"]


async def test_an_action_that_fails_gives_its_instruments_back() -> None:
    desk = LocalDesk()
    with pytest.raises(ValueError, match="broken"):
        async with desk.use("a", [["robot"]], purpose="test"):
            raise ValueError("broken")
    async with desk.use("b", [["robot", "furnace"]], purpose="test") as given:
        assert given == ("robot",)


async def test_needs_that_can_never_be_met_are_refused_instead_of_waiting_for_ever() -> None:
    with pytest.raises(CampaignError, match="too few different instruments"):
        async with LocalDesk().use("a", [["robot"], ["robot"]], purpose="test"):
            raise AssertionError
