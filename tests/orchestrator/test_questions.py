"""Questions to a person: written down once, answered once, whoever asks and whoever answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from instruments.clock import RealClock, VirtualClock
from orchestrator.errors import QuestionError, UnknownCampaign, WaitsForPerson
from orchestrator.people.asking import Asked, Nobody, Operator, Question, Rehearsal, Reply
from orchestrator.store import Store

GATE = Question("approve/4", "approve", "May the oven go to 240 degC?", ("approve", "veto"), 4)
YES = Reply("approve", "the tray is clean", "anna@bakery")


def test_question_is_the_same_however_often_it_is_asked(store: Store) -> None:
    first = store.questions.ask("bread-1", GATE)
    other_words = Question("approve/4", "approve", "Again?", ("approve", "veto"), 4)
    assert store.questions.ask("bread-1", other_words) == first
    assert store.questions.open("bread-1") == [first]


def test_same_key_in_two_campaigns_is_two_questions(store: Store) -> None:
    store.questions.ask("bread-1", GATE)
    store.questions.ask("bread-2", GATE)
    store.questions.answer("bread-2", GATE.key, YES)
    assert [a.campaign_id for a in store.questions.open()] == ["bread-1"]


def test_answer_outlives_the_process(store: Store, tmp_path: Path) -> None:
    store.questions.ask("bread-1", GATE)
    with Store.open(f"sqlite:///{tmp_path / 'sdlab.sqlite'}", tmp_path / "arrays") as elsewhere:
        elsewhere.questions.answer("bread-1", GATE.key, YES)
    found = store.questions.find("bread-1", GATE.key)
    assert found.reply == YES
    assert found.answered is not None
    assert found.question == GATE
    assert store.questions.open("bread-1") == []


def test_answer_cannot_be_changed(store: Store) -> None:
    store.questions.ask("bread-1", GATE)
    store.questions.answer("bread-1", GATE.key, YES)
    store.questions.answer("bread-1", GATE.key, Reply("approve", "again", "bert@bakery"))
    with pytest.raises(QuestionError, match=r"anna@bakery said 'approve'.*cannot be changed"):
        store.questions.answer("bread-1", GATE.key, Reply("veto", "no", "bert@bakery"))
    assert store.questions.find("bread-1", GATE.key).reply == YES


def test_answer_outside_the_options_is_refused(store: Store) -> None:
    store.questions.ask("bread-1", GATE)
    with pytest.raises(QuestionError, match=r"'maybe' does not answer.*approve, veto"):
        store.questions.answer("bread-1", GATE.key, Reply("maybe", "", "anna@bakery"))
    assert store.questions.find("bread-1", GATE.key).reply is None


def test_question_that_nobody_asked_cannot_be_answered(store: Store) -> None:
    with pytest.raises(QuestionError, match="sdlab questions bread-1"):
        store.questions.answer("bread-1", "approve/9", YES)
    with pytest.raises(UnknownCampaign):
        store.questions.ask("cake-1", GATE)


def test_question_without_a_choice_is_none() -> None:
    with pytest.raises(ValueError, match="at least two different answers"):
        Question("approve/1", "approve", "Well?", ("approve",))


async def test_operator_waits_until_somebody_answers(store: Store) -> None:
    told: list[Asked] = []
    operator = Operator("bread-1", store.questions, RealClock(), told.append, told.append)
    waiting = asyncio.create_task(operator.ask(GATE))
    while not store.questions.open("bread-1"):
        await asyncio.sleep(0.01)
    assert not waiting.done()
    store.questions.answer("bread-1", GATE.key, YES)
    assert await waiting == YES
    assert [asked.reply for asked in told] == [None, YES]
    assert await operator.ask(GATE) == YES
    assert len(told) == 2, "an answered question was put to the person again"


async def test_virtual_time_stands_still_while_a_person_thinks(store: Store) -> None:
    clock = VirtualClock()
    other = asyncio.create_task(clock.sleep(3600))
    waiting = asyncio.create_task(Operator("bread-1", store.questions, clock).ask(GATE))
    before = clock.now()
    for _ in range(200):
        await asyncio.sleep(0)
    assert clock.now() == before
    store.questions.answer("bread-1", GATE.key, YES)
    await asyncio.gather(waiting, other)
    assert (clock.now() - before).total_seconds() == 3600


async def test_without_a_person_the_campaign_ends_with_the_command_that_answers(
    store: Store,
) -> None:
    nobody = Nobody("bread-1", store.questions)
    with pytest.raises(WaitsForPerson, match=r"sdlab answer bread-1 approve/4 approve\|veto"):
        await nobody.ask(GATE)
    store.questions.answer("bread-1", GATE.key, YES)
    assert await nobody.ask(GATE) == YES


async def test_rehearsal_agrees_to_what_moves_nothing_and_asks_for_the_rest(store: Store) -> None:
    rehearsal = Rehearsal(Nobody("bread-1", store.questions))
    assert (await rehearsal.ask(GATE)).answer == "approve"
    assert store.questions.of("bread-1") == []
    with pytest.raises(WaitsForPerson):
        await rehearsal.ask(Question("failed/1", "failed", "What now?", ("skip", "stop"), 1))


def test_latest_wish_counts_and_each_is_in_the_log(store: Store) -> None:
    assert store.wishes.find("bread-1").wish == "run"
    store.wishes.wish("bread-1", "pause", by="anna@bakery")
    store.wishes.wish("bread-1", "cancel", reason="burnt", by="bert@bakery")
    found = store.wishes.find("bread-1")
    assert (found.wish, found.reason, found.by) == ("cancel", "burnt", "bert@bakery")
    assert store.wishes.find("bread-2").wish == "run"
    told = [e.message for e in store.events("bread-1") if e.kind == "wish"]
    assert told == ["anna@bakery wishes: pause", "bert@bakery wishes: cancel (burnt)"]
