from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.clock import RealClock, VirtualClock

START = datetime(2026, 3, 1, tzinfo=UTC)


def elapsed(clock: VirtualClock) -> float:
    return (clock.now() - START).total_seconds()


async def test_a_furnace_ramp_of_fifteen_hours_costs_no_real_time() -> None:
    clock = VirtualClock(START)
    before = time.monotonic()
    for _ in range(900):
        await clock.sleep(60.0)
    assert clock.now() - START == timedelta(hours=15)
    # 900 wake-ups at some 50 µs each; a real ramp takes 54 000 s, so 10 s tells them apart
    assert time.monotonic() - before < 10.0


async def test_a_quick_sleeper_acts_before_a_slow_one_wakes() -> None:
    clock = VirtualClock(START)
    seen: list[tuple[str, float]] = []

    async def repeat(name: str, seconds: float, times: int) -> None:
        for _ in range(times):
            await clock.sleep(seconds)
            seen.append((name, elapsed(clock)))

    await asyncio.gather(repeat("quick", 1.0, 9), repeat("slow", 10.0, 1))
    assert seen == [("quick", float(i)) for i in range(1, 10)] + [("slow", 10.0)]


def test_sleepers_wake_in_order_and_at_their_time() -> None:
    @given(st.lists(st.integers(1, 10**9).map(lambda n: n / 1000), min_size=1, max_size=12))
    def holds(durations: list[float]) -> None:
        async def run() -> list[tuple[float, float]]:
            clock = VirtualClock(START)
            woken: list[tuple[float, float]] = []

            async def sleeper(seconds: float) -> None:
                await clock.sleep(seconds)
                woken.append((seconds, elapsed(clock)))

            await asyncio.gather(*map(sleeper, durations))
            return woken

        woken = asyncio.run(run())
        assert [asked for asked, _ in woken] == sorted(durations)
        for asked, at in woken:
            assert at == pytest.approx(asked, abs=1e-6)  # datetime resolves a microsecond

    holds()


async def test_a_cancelled_sleeper_does_not_move_time() -> None:
    clock = VirtualClock(START)
    long = asyncio.create_task(clock.sleep(1000.0))
    await asyncio.sleep(0)
    long.cancel()
    await clock.sleep(1.0)
    for _ in range(100):
        await asyncio.sleep(0)
    assert elapsed(clock) == 1.0
    assert long.cancelled()


async def test_time_stands_still_while_held() -> None:
    clock = VirtualClock(START)
    sleeper = asyncio.create_task(clock.sleep(60.0))
    with clock.hold():
        await asyncio.to_thread(time.sleep, 0.02)
        assert elapsed(clock) == 0.0
        assert not sleeper.done()
    await sleeper
    assert elapsed(clock) == 60.0


async def test_a_hold_inside_a_hold_is_still_a_hold() -> None:
    clock = VirtualClock(START)
    sleeper = asyncio.create_task(clock.sleep(60.0))
    with clock.hold():
        with clock.hold():
            pass
        for _ in range(100):
            await asyncio.sleep(0)
        assert elapsed(clock) == 0.0
    await sleeper


def test_one_clock_serves_several_event_loops() -> None:
    clock = VirtualClock(START)

    async def abandon() -> None:
        asyncio.create_task(clock.sleep(1e6))  # noqa: RUF006  its loop is closed under it
        await asyncio.sleep(0)

    asyncio.run(abandon())
    asyncio.run(clock.sleep(5.0))
    assert elapsed(clock) == 5.0


async def test_no_time_passes_for_a_sleep_of_nothing() -> None:
    clock = VirtualClock(START)
    await clock.sleep(0.0)
    await clock.sleep(-3.0)
    assert clock.now() == START


def test_a_clock_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        VirtualClock(datetime(2026, 1, 1))


async def test_real_time_is_in_utc_and_passes() -> None:
    clock = RealClock()
    before = clock.now()
    await clock.sleep(0.001)
    assert clock.now() > before
    assert before.tzinfo is UTC
