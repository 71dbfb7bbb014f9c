"""What a station does when its disk is full: nothing moves that could not be remembered."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from instruments.clock import FasterClock
from instruments.errors import CommandRefused
from instruments.hosting.log import CommandLog
from instruments.hosting.station import Station
from tests.instruments.hosting_process import ANCHOR
from tests.instruments.kettle import Kettle, heat, kettle

ID = "c-1/4/synthesize/0"


def _no_room(handle: int) -> None:
    raise OSError(28, "No space left on device")


async def at_work(folder: Path) -> tuple[Station, Kettle]:
    """Return a station and its device, connected."""
    clock = FasterClock(ANCHOR, 10_000.0)
    instrument = kettle(clock)
    await instrument.connect()
    station = Station(instrument, CommandLog(folder), clock=clock, say=lambda line: None)
    assert isinstance(instrument.device, Kettle)
    return station, instrument.device


async def test_a_command_that_cannot_be_written_down_does_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    station, device = await at_work(tmp_path)
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", _no_room)
        assert await station.submit(ID, heat(), None)
        with pytest.raises(CommandRefused, match="No space left"):
            await station.wait(ID, 10.0, None)
        with pytest.raises(CommandRefused, match="No space left"):
            await station.wait(ID, 10.0, None)  # also if it is asked for a second time
    assert device.made == 0
    assert await station.submit(ID, heat(), None)
    assert (await station.wait(ID, 10.0, None)).fate == "done"
    assert device.made == 1
    await station.make_safe()


async def test_an_outcome_that_cannot_be_written_is_told_while_the_host_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    station, device = await at_work(tmp_path)

    def full_after_the_first(handle: int) -> None:
        if device.made:
            _no_room(handle)

    monkeypatch.setattr(os, "fsync", full_after_the_first)
    await station.submit(ID, heat(), None)
    answer = await station.wait(ID, 10.0, None)
    assert answer.outcome is not None
    assert answer.outcome.settled == "succeeded"
    assert not await station.submit(ID, heat(), None)
    assert (await station.query(ID, None)).outcome == answer.outcome
    assert device.made == 1
    await station.make_safe()
    again = CommandLog(tmp_path)
    assert again.outcome(ID) is None
    assert ID in again.entries
    again.close()
