"""A hosted instrument acts once and remembers, whatever dies: host, client, connection, disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from instruments.commands import Outcome
from instruments.errors import CommandConflict, CommandRefused, InstrumentError, TakenOver
from instruments.hosting.client import HostedInstrument
from instruments.protocols import Instrument, Queryable
from tests.instruments.hosting_process import KettleHost, kettle_host, start
from tests.instruments.kettle import heat

ID = "c-1/4/synthesize/0"


async def until_it_heats(host: KettleHost, command_id: str = ID) -> None:
    while command_id not in host.deeds("began"):
        await asyncio.sleep(0.02)


async def heating(
    host: KettleHost, *, patience: float = 30.0
) -> tuple[HostedInstrument, asyncio.Task[Outcome]]:
    """Return a client whose command has just begun to heat."""
    client = host.client(patience=patience)
    await client.connect()
    running = asyncio.create_task(client.execute(ID, heat()))
    await until_it_heats(host)
    return client, running


async def test_a_command_crosses_the_wire_and_comes_back(tmp_path: Path) -> None:
    with kettle_host(tmp_path) as host:
        client = host.client()
        assert isinstance(client, Instrument)
        assert isinstance(client, Queryable)
        assert client.describe().recovery == "queryable"
        await client.connect()
        outcome = await client.execute(ID, heat())
        assert (outcome.settled, outcome.replayed) == ("succeeded", False)
        assert outcome.value is not None
        assert outcome.value.recipe == {"temperature": 80.0, "vessel": "glass"}  # type: ignore[union-attr]
        assert outcome.consumed == {"water": 0.5}
        await client.disconnect()


async def test_a_client_that_dies_leaves_the_action_to_be_adopted(tmp_path: Path) -> None:
    with kettle_host(tmp_path) as host:
        first, running = await heating(host)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await first.disconnect()
        second = host.client()
        await second.connect()
        assert (await second.query(ID)).fate == "running"
        outcome = await second.execute(ID, heat())
        assert (outcome.settled, outcome.replayed) == ("succeeded", True)
        assert host.deeds("began") == [ID]
        await second.disconnect()


async def test_a_host_killed_in_the_middle_says_that_nobody_knows(tmp_path: Path) -> None:
    with kettle_host(tmp_path) as host:
        client, running = await heating(host)
        host.kill()
        with kettle_host(tmp_path, port=host.address.port) as again:
            outcome = await running
            assert outcome.settled == "unconfirmed"
            assert "the host died before it ended" in outcome.error
            repeated = await client.execute(ID, heat())
            assert repeated.settled == "unconfirmed"
            assert again.deeds("began") == [ID]
            await client.disconnect()


async def test_what_ended_before_the_host_died_is_told_after_it(tmp_path: Path) -> None:
    with kettle_host(tmp_path) as host:
        client = host.client()
        await client.connect()
        before = await client.execute(ID, heat())
        host.kill()
        with kettle_host(tmp_path, port=host.address.port) as again:
            answer = await client.query(ID)
            assert answer.fate == "done"
            assert answer.outcome == before
            with pytest.raises(CommandConflict):
                await client.execute(ID, heat(81.0))
            assert again.deeds("began") == [ID]
            await client.disconnect()


async def test_a_command_declared_idempotent_goes_on_after_the_host_died(tmp_path: Path) -> None:
    with kettle_host(tmp_path, recovery="idempotent") as host:
        client, running = await heating(host)
        host.kill()
        with kettle_host(tmp_path, port=host.address.port, recovery="idempotent"):
            outcome = await running
            assert (outcome.settled, outcome.replayed) == ("succeeded", False)
            assert host.deeds("began") == [ID, ID]
            await client.disconnect()


async def test_a_command_refused_in_the_queue_says_so_and_leaves_its_id_free(
    tmp_path: Path,
) -> None:
    with kettle_host(tmp_path, speed=1.0) as host:
        client, running = await heating(host)
        queued = asyncio.create_task(client.execute("c-1/5/synthesize/0", heat(30.0)))
        while (await client.query("c-1/5/synthesize/0")).fate != "running":
            await asyncio.sleep(0.02)
        await client.stop()
        assert (await running).settled == "aborted"
        with pytest.raises(CommandRefused, match="reset it first"):
            await queued
        assert (await client.query("c-1/5/synthesize/0")).fate == "not_seen"
        assert host.deeds("began") == [ID]
        await client.disconnect()


async def test_a_host_that_stays_away_leaves_the_outcome_unconfirmed(tmp_path: Path) -> None:
    with kettle_host(tmp_path) as host:
        client, running = await heating(host, patience=0.2)
        host.kill()
        outcome = await running
        assert outcome.settled == "unconfirmed"
        assert "sdlab host LAB.toml --name kitchen" in outcome.error
        await client.disconnect()


async def test_a_host_without_its_memory_is_not_taken_for_the_same(tmp_path: Path) -> None:
    with kettle_host(tmp_path / "a") as host:
        client, running = await heating(host)
        host.kill()
        with kettle_host(tmp_path / "b", port=host.address.port) as other:
            outcome = await running
            assert outcome.settled == "unconfirmed"
            assert "another command log" in outcome.error
            with pytest.raises(InstrumentError, match="another command log"):
                await client.query(ID)
            assert other.deeds("began") == []
            await client.disconnect()


async def test_many_submit_one_command_at_once_and_it_happens_once(tmp_path: Path) -> None:
    with kettle_host(tmp_path) as host:
        clients = [host.client() for _ in range(8)]
        await asyncio.gather(*(c.connect() for c in clients))
        outcomes = await asyncio.gather(*(c.execute(ID, heat(40.0)) for c in clients))
        assert sorted(o.replayed for o in outcomes) == [False] + [True] * 7
        assert host.deeds("began") == [ID]
        await asyncio.gather(*(c.disconnect() for c in clients))


async def test_whoever_was_overtaken_is_refused_also_by_the_next_host(tmp_path: Path) -> None:
    with kettle_host(tmp_path) as host:
        old, new = host.client(), host.client()
        await old.connect()
        await old.fence("c-1", 1)
        await new.fence("c-1", 2)
        with pytest.raises(TakenOver, match="holder of token 2"):
            await old.execute(ID, heat())
        with pytest.raises(TakenOver):
            await old.query(ID)
        with pytest.raises(TakenOver):
            await old.fence("c-1", 1)
        host.kill()
        with kettle_host(tmp_path, port=host.address.port) as again:
            with pytest.raises(TakenOver):
                await old.execute(ID, heat())
            assert (await old.execute("c-10/4/synthesize/0", heat(30.0))).settled == "succeeded"
            await new.connect()
            assert (await new.execute(ID, heat(30.0))).settled == "succeeded"
            assert len(again.deeds("began")) == 2
            await asyncio.gather(old.disconnect(), new.disconnect())


async def test_ctrl_c_stops_what_runs_and_keeps_how_it_ended(tmp_path: Path) -> None:
    with kettle_host(tmp_path, speed=1.0) as host:
        client, running = await heating(host)
        printed = await asyncio.to_thread(host.interrupt)
        outcome = await running
        assert outcome.settled == "aborted"
        assert f"kettle: {ID} began" in printed
        assert f"kettle: {ID} aborted" in printed
        assert host.deeds("halted") == ["False"]
        with kettle_host(tmp_path, port=host.address.port):
            answer = await client.query(ID)
            assert answer.outcome is not None
            assert answer.outcome.settled == "aborted"
            await client.disconnect()


async def test_a_stop_reaches_the_device_from_a_client_that_never_connected(
    tmp_path: Path,
) -> None:
    with kettle_host(tmp_path, speed=1.0) as host:
        client, running = await heating(host)
        stranger = host.client()
        assert await stranger.stop(emergency=True) == "halted"
        assert (await running).settled == "aborted"
        assert host.deeds("halted") == ["True"]
        await asyncio.gather(client.disconnect(), stranger.disconnect())


def test_two_hosts_cannot_keep_one_log(tmp_path: Path) -> None:
    with kettle_host(tmp_path), pytest.raises(AssertionError, match="the host said ''"):
        start(tmp_path)


def test_a_missing_host_is_told_with_the_command_that_starts_it(tmp_path: Path) -> None:
    with kettle_host(tmp_path) as host:
        host.kill()
        with pytest.raises(InstrumentError, match=r"sdlab host LAB\.toml --name kitchen"):
            host.client()
