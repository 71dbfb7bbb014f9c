"""A host that was restarted goes on with a device that remembers its commands by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from instruments.clock import RealClock
from instruments.errors import CommandRefused, InstrumentError, NotConnected
from instruments.hosting.client import HostedInstrument
from instruments.hosting.line import LineLost
from instruments.hosting.log import CommandLog
from instruments.hosting.station import Station
from instruments.hosting.wire import COMMAND, Json, answer_to_json
from tests.instruments.test_by_hand import ORDER, furnace

ID = "c-1/4/synthesize/0"


def station(folder: Path) -> Station:
    """Return a station with a furnace by hand, as a host makes it when it starts."""
    log = CommandLog(folder / "log")
    return Station(furnace(folder), log, clock=RealClock(), say=lambda line: None)


async def begun(folder: Path) -> Station:
    """Return a station whose order lies before a person."""
    first = station(folder)
    await first.instrument.connect()
    await first.fence("c-1", 1)
    await first.submit(ID, ORDER, 1)
    while not (folder / "recipes" / "c-1_4.toml").exists():
        await asyncio.sleep(0.01)
    return first


async def died(host: Station) -> None:
    """Have the process of a station die; the person works on."""
    _, task = host._in_flight[ID]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    host.log.close()


async def test_whoever_holds_the_campaign_is_obeyed_by_the_device_too(tmp_path: Path) -> None:
    await died(await begun(tmp_path))
    again = station(tmp_path)
    await again.instrument.connect()
    assert (await again.query(ID, 1)).fate == "running"
    assert await again.submit(ID, ORDER, 1)
    sheet = tmp_path / "recipes" / "c-1_4.toml"
    sheet.write_text(sheet.read_text().replace("done = false", "done = true"))
    answer = await again.wait(ID, 5.0, 1)
    assert answer.outcome is not None
    assert answer.outcome.settled == "succeeded"
    await again.make_safe()


class Wire:
    """A line to whichever station is up; a request is lost with the station it was made to."""

    def __init__(self, up: Station) -> None:
        self.up = up
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked: list[str] = []

    async def post(self, what: str, contents: Json, *, timeout: float = 5.0) -> Json:
        self.asked.append(what)
        spoken_to, command_id = self.up, str(contents["command_id"])
        if what == "submit":
            order = COMMAND.validate_python(contents["command"])
            return {"begun": await spoken_to.submit(command_id, order, 1)}
        try:
            answer = await spoken_to.wait(command_id, 0.2 if what == "wait" else 0.0, 1)
        except asyncio.CancelledError:
            raise LineLost("the host is gone") from None
        return {"answer": answer_to_json(answer), "instrument": self._described()}

    async def reopened(self, identity: str, *, patience: float) -> Json:
        await self.answers.wait()
        return self._described()

    def verified(self, described: Json, identity: str) -> Json:
        return described

    def _described(self) -> Json:
        capabilities = self.up.instrument.describe().model_dump(mode="json")
        identity = self.up.log.identity
        return {"identity": identity, "capabilities": capabilities, "clock": None}


async def test_a_running_command_is_adopted_by_a_host_that_was_restarted(tmp_path: Path) -> None:
    first = await begun(tmp_path)
    wire = Wire(first)
    client = HostedInstrument("furnace", wire, wire._described())  # type: ignore[arg-type]
    client._connected = True
    waiting = asyncio.create_task(client.execute(ID, ORDER))
    while "wait" not in wire.asked:
        await asyncio.sleep(0.01)
    wire.answers.clear()
    await died(first)
    wire.up = again = station(tmp_path)
    await again.instrument.connect()
    wire.answers.set()
    async with asyncio.timeout(5.0):
        while ID not in again._in_flight:
            await asyncio.sleep(0.01)
    sheet = tmp_path / "recipes" / "c-1_4.toml"
    sheet.write_text(sheet.read_text().replace("done = false", "done = true"))
    assert (await asyncio.wait_for(waiting, 5.0)).settled == "succeeded"
    assert len(wire.asked) < 20  # nobody asks without a pause
    await again.make_safe()


async def test_a_command_that_may_be_running_is_not_taken_for_one_that_never_came(
    tmp_path: Path,
) -> None:
    await died(await begun(tmp_path))
    again = station(tmp_path)  # its device could not be connected
    assert await again.submit(ID, ORDER, 1)
    with pytest.raises(InstrumentError, match="does not take it up again") as raised:
        await again.wait(ID, 5.0, 1)
    assert not isinstance(raised.value, CommandRefused | NotConnected)  # which say: nothing moved
    assert ID in again.log.entries
    await again.instrument.connect()
    assert (await again.query(ID, 1)).fate == "running"
    await again.make_safe()
