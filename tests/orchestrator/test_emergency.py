"""An emergency stop needs nothing but the laboratory file: no campaign, no living process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from instruments.stopping import stop_all
from orchestrator.errors import CampaignError, StoreLocked
from orchestrator.laboratories.laboratory import parse_laboratory
from orchestrator.people import emergency, wishing
from orchestrator.people.emergency import everything_stopped, in_words, stop_directly
from orchestrator.people.wishing import cancel, go_on, pause, stop_now, stoppable
from orchestrator.store import Store
from orchestrator.store.records import ActionRecord, CampaignRecord
from orchestrator.toml_source import parse_toml
from planners.proposal import Proposal, Reason
from tests.instruments.hosting_process import KettleHost, kettle_host
from tests.instruments.kettle import heat
from tests.orchestrator.conftest import record
from tests.orchestrator.test_steering import _run

LAB = """
name = "kitchen"
[hosts.kitchen]
address = "{address}"
[instruments.kettle-0]
driver = "by_hand"
host = "kitchen"
[instruments.kettle-1]
driver = "by_hand"
host = "kitchen"
"""

LOST = """
[hosts.cellar]
address = "127.0.0.1:9"
[instruments.cooler]
driver = "by_hand"
host = "cellar"
"""


def _recorded(store: Store, host: KettleHost, more: str = "") -> CampaignRecord:
    text = LAB.format(address=host.address) + more
    mine = replace(record("tea-1"), status="running", laboratory_toml=text)
    store.create_campaign(mine)
    return mine


async def test_heating_kettle_is_stopped_though_nobody_runs_its_campaign(
    store: Store, tmp_path: Path
) -> None:
    with kettle_host(tmp_path / "host", copies=2, speed=1.0) as host:
        client = host.client("kettle-0")
        await client.connect()
        heating = asyncio.create_task(client.execute("tea-1/0/synthesize/0", heat()))
        while not host.deeds("began"):
            await asyncio.sleep(0.02)
        stopped = await stop_now(store, _recorded(store, host), reason="smoke")
        assert {n: s.result for n, s in stopped.said.items()} == {
            "kettle-0": "halted",
            "kettle-1": "nothing_running",
        }
        assert everything_stopped(stopped.said)
        assert stopped.confirmed
        assert host.deeds("halted") == ["True", "True"]
        assert (await heating).settled == "aborted"
        assert store.campaign("tea-1").status == "stopped"
        assert store.wishes.find("tea-1").wish == "stop"
        await client.disconnect()


async def test_instrument_that_cannot_be_reached_keeps_no_other_from_being_stopped(
    store: Store, tmp_path: Path
) -> None:
    with kettle_host(tmp_path / "host", copies=2) as host:
        stopped = await stop_now(store, _recorded(store, host, LOST))
    assert stopped.said["kettle-0"].result == "nothing_running"
    assert stopped.said["cooler"].result == "not_reached"
    assert not everything_stopped(stopped.said)
    assert any("cooler" in line and "not reached" in line for line in in_words(stopped.said))


async def test_instrument_with_a_wrong_driver_is_named_and_the_rest_is_stopped(
    tmp_path: Path,
) -> None:
    with kettle_host(tmp_path / "host", copies=2) as host:
        text = LAB.format(address=host.address) + '\n[instruments.mill]\ndriver = "milll"\n'
        said = await stop_directly(*parse_laboratory(parse_toml(text, tmp_path / "lab.toml")))
    assert said["mill"].result == "not_reached"
    assert "milll" in said["mill"].message
    assert said["kettle-1"].result == "nothing_running"


async def test_driver_that_raises_anything_keeps_no_other_from_being_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: str) -> Any:
        raise RuntimeError("libusb was not found")

    monkeypatch.setattr(emergency, "instrument_factory", broken)
    with kettle_host(tmp_path / "host", copies=2) as host:
        text = LAB.format(address=host.address) + '\n[instruments.mill]\ndriver = "mill"\n'
        said = await stop_directly(*parse_laboratory(parse_toml(text, tmp_path / "lab.toml")))
    assert said["mill"].result == "not_reached"
    assert said["kettle-0"].result == "nothing_running"


async def test_history_that_cannot_be_written_keeps_nothing_from_being_stopped(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object, **__: object) -> None:
        raise StoreLocked("another process writes")

    with kettle_host(tmp_path / "host", copies=2) as host:
        mine = _recorded(store, host)
        monkeypatch.setattr(store.wishes, "wish", locked)
        stopped = await stop_now(store, mine)
        assert host.deeds("halted") == ["True", "True"]
    assert everything_stopped(stopped.said)
    assert not stopped.confirmed
    assert "another process writes" in stopped.trouble


async def test_stop_of_a_process_that_dies_before_it_answers_is_still_to_be_released(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([True, False, False])
    monkeypatch.setattr(wishing, "is_running", lambda *_: next(answers))
    monkeypatch.setattr(wishing, "CONFIRMED_WITHIN", 0.1)
    store.set_status("bread-1", "running")
    twin = replace(store.campaign("bread-1"), config={"twin": True})
    assert (await stop_now(store, twin)).confirmed
    assert store.campaign("bread-1").status == "stopped"
    assert "stopped" in [e.kind for e in store.events("bread-1")]


def test_campaign_whose_process_died_of_a_stop_is_resumed_as_stopped(store: Store) -> None:
    store.set_status("bread-1", "running")
    store.wishes.wish("bread-1", "stop", by="anna")
    assert not go_on(store, "bread-1")
    assert store.campaign("bread-1").status == "stopped"
    assert [e.kind for e in store.events("bread-1")].count("stopped") == 1
    assert not go_on(store, "bread-1")
    assert [e.kind for e in store.events("bread-1")].count("stopped") == 1


@pytest.mark.parametrize("later", [pause, cancel, go_on])
def test_wish_that_comes_after_a_stop_does_not_hide_it_from_the_process(
    store: Store, monkeypatch: pytest.MonkeyPatch, later: Callable[[Store, str], object]
) -> None:
    monkeypatch.setattr(wishing, "is_running", lambda *_: True)
    store.wishes.wish("bread-1", "stop", by="anna")
    with pytest.raises(CampaignError, match="the wish to stop"):
        later(store, "bread-1")
    assert store.wishes.find("bread-1").wish == "stop"


async def test_slow_instrument_does_not_delay_the_others(store: Store) -> None:
    class Deaf:
        name = "deaf"

        async def stop(self, *, emergency: bool = False) -> str:
            await asyncio.sleep(3600)
            return "halted"

    run = _run(store)
    instruments = {"deaf": Deaf(), **run.laboratory.instruments}
    said = await stop_all(instruments, emergency=True, patience=0.2)  # type: ignore[arg-type]
    assert said["deaf"].result == "not_reached"
    assert "did not answer within 0.2 s" in said["deaf"].message
    assert said["meter"].seconds < said["deaf"].seconds


def test_only_campaigns_that_may_move_something_are_stopped_unasked(store: Store) -> None:
    assert stoppable(store) == []
    store.set_status("bread-1", "running")
    store.set_status("bread-2", "interrupted", "killed")
    assert [r.id for r in stoppable(store)] == ["bread-1"]
    now = datetime.now(UTC)
    store.record_proposal("bread-2", 0, _proposal(), seed=[3])
    action = ActionRecord(
        "bread-2/0/synthesize/0", "bread-2", 0, "synthesize", 0, "oven", "{}", "0", now, now
    )
    store.record_action(action)
    assert {r.id for r in stoppable(store)} == {"bread-1", "bread-2"}
    store.set_status("bread-1", "finished", "done")
    assert [r.id for r in stoppable(store)] == ["bread-2"]
    store.set_status("bread-2", "cancelled", "its device may work on")
    assert [r.id for r in stoppable(store)] == ["bread-2"]


def _proposal() -> Proposal:
    return Proposal(values={"temperature": 150.0}, reason=Reason(planner="random", text="drawn"))


def test_campaign_that_nobody_runs_cannot_be_paused_but_cancelled(store: Store) -> None:
    with pytest.raises(CampaignError, match="no process runs bread-1"):
        pause(store, "bread-1")
    assert "cancelled for good" in cancel(store, "bread-1", reason="enough")
    assert store.campaign("bread-1").status == "cancelled"
    with pytest.raises(CampaignError, match="cancelled already"):
        cancel(store, "bread-1")
    with pytest.raises(CampaignError, match=r"cancelled for good .*enough"):
        go_on(store, "bread-1")
