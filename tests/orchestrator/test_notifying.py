"""People who are not looking are told, and no notice that fails stops a campaign."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from instruments.execution import Executor
from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.people.attending import Attendance
from orchestrator.people.notifying import NoticeKind, NotifyEntry
from orchestrator.run import Run
from orchestrator.session import run_session
from orchestrator.store import Store
from planners.baselines import make_random
from tests.orchestrator import bakery
from tests.orchestrator.listener import listening
from tests.orchestrator.test_steering import SlowClock

ENDS: tuple[NoticeKind, ...] = ("question", "finished", "failed")


def _real_bakery(store: Store, notify: NotifyEntry, **changes: object) -> Run:
    """Return a campaign in a laboratory that counts as moving matter."""
    clock = SlowClock()
    oven = Executor("oven", bakery.OVEN, clock, bakery.Oven(clock))
    meter = Executor("meter", bakery.METER, clock, bakery.Meter(clock))
    lab = Laboratory(
        "bakery", "EUR", {"oven": oven, "meter": meter}, {}, clock, simulated=False, notify=notify
    )
    wanted = bakery.campaign(budget={"experiments": 1}, **changes)
    return bakery.run(store, make_random({}), laboratory=lab, campaign=wanted)


async def _carried_out(run: Run, store: Store, folder: Path) -> None:
    attendance = Attendance(waits=False)
    await run_session(run, store, folder, prefect=False, say=lambda _: None, attendance=attendance)


async def test_end_of_a_campaign_arrives_at_the_webhook(store: Store, tmp_path: Path) -> None:
    with listening() as listener:
        await _carried_out(_real_bakery(store, NotifyEntry(webhook=listener.url)), store, tmp_path)
    [notice] = listener.heard
    assert notice["kind"] == "finished"
    assert notice["title"] == "bread-1: finished"
    assert "the budget of 1 experiments is used up" in notice["text"]


async def test_question_arrives_with_the_command_that_answers_it(
    store: Store, tmp_path: Path
) -> None:
    with listening() as listener:
        run = _real_bakery(
            store, NotifyEntry(webhook=listener.url, on=ENDS), approval={"ask": "each"}
        )
        await _carried_out(run, store, tmp_path)
    [notice] = listener.heard
    assert notice["kind"] == "question"
    assert "sdlab answer bread-1 approve/0 approve|veto" in notice["text"]


async def test_only_what_is_wanted_is_told(store: Store, tmp_path: Path) -> None:
    with listening() as listener:
        entry = NotifyEntry(webhook=listener.url, on=("failed",))
        await _carried_out(_real_bakery(store, entry), store, tmp_path)
    assert listener.heard == []


async def test_notice_that_is_refused_is_recorded_and_stops_nothing(
    store: Store, tmp_path: Path
) -> None:
    with listening(status=500) as listener:
        entry = NotifyEntry(webhook=listener.url, blocks=("slack-webhook/lab",), on=ENDS)
        await _carried_out(_real_bakery(store, entry), store, tmp_path)
    assert store.campaign("bread-1").status == "finished"
    told = [e.message for e in store.events("bread-1") if e.kind == "notice_failed"]
    assert told == [
        "a notice (finished) was not delivered by the webhook: HTTPStatusError",
        "a notice (finished) was not delivered by the block slack-webhook/lab: PrefectException",
    ]
    assert not any(listener.url in line for line in told)


async def test_simulated_laboratory_tells_nobody(store: Store, tmp_path: Path) -> None:
    with listening() as listener:
        run = _real_bakery(store, NotifyEntry(webhook=listener.url))
        quiet = replace(run, laboratory=replace(run.laboratory, simulated=True))
        await _carried_out(quiet, store, tmp_path)
    assert listener.heard == []


async def test_slow_receiver_does_not_hold_up_the_loop(store: Store) -> None:
    from orchestrator.people.notifying import Notice
    from orchestrator.under_prefect.posting import Post

    with listening() as listener:
        post = Post(NotifyEntry(webhook=listener.url), print, has_server=False)
        for number in range(3):
            post.send(Notice("overdue", f"{number}", "slow"))
            await asyncio.sleep(0)
        post.close()
    assert [notice["title"] for notice in listener.heard] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"webhook": "ftp://127.0.0.1/x"}, "is no address"),
        ({"webhook": "http://127.0.0.1/x?token=geheim"}, "may hold a secret"),
        ({"webhook": "http://me:geheim@127.0.0.1/x"}, "may hold a secret"),
        ({"blocks": ["https://hooks.example.org/geheim"]}, "never write its address"),
        ({"blocks": ["lab"]}, "kind/name"),
        ({"on": ["everything"]}, "question"),
    ],
)
def test_notify_that_is_wrong_or_holds_a_secret_is_refused(entry: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        NotifyEntry.model_validate(entry)
