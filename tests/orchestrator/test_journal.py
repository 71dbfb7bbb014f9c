"""A device acts exactly once if it can be asked, and at most once if it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from instruments.commands import Command, Outcome
from instruments.errors import CommandRefused, InstrumentError
from instruments.execution import Executor
from instruments.protocols import Answer
from orchestrator.errors import LaboratoryRefused, StoreConflict, Superseded, WaitsForPerson
from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.loop import turn
from orchestrator.people.asking import Nobody, Reply
from orchestrator.people.settling import settle_by_person
from orchestrator.run import Run
from orchestrator.store import Store
from planners.baselines import make_random
from planners.proposal import Observation
from tests.orchestrator import bakery

CAMPAIGN = "bread-1"


class Killed(BaseException):
    """The process is gone."""


class Remembering(Executor):
    """An executor in a process of its own: it outlives the campaign's and answers questions."""

    scope_token: int = 0
    mute: bool = False
    memory: str = "book 1"

    async def query(self, command_id: str) -> Answer:
        if self.mute:
            raise InstrumentError("the line is dead")
        if command_id not in self._known:
            return Answer("not_seen")
        _, task = self._known[command_id]
        return Answer("done", task.result()) if task.done() else Answer("running")

    async def fence(self, scope: str, token: int) -> None:
        if token < self.scope_token:
            raise CommandRefused(self.name, [f"{scope} was taken over"])
        self.scope_token = token


def queryable(oven: bakery.Oven | None = None) -> Laboratory:
    lab = bakery.laboratory()
    oven = oven or bakery.Oven(lab.clock)
    capabilities = bakery.OVEN.model_copy(update={"recovery": "queryable"})
    instruments = {
        **lab.instruments,
        "oven": Remembering("oven", capabilities, lab.clock, oven),
    }
    return replace(lab, instruments=instruments)


def silent() -> Laboratory:
    """Return a laboratory whose oven cannot be asked."""
    return bakery.laboratory(oven=bakery.OVEN.model_copy(update={"recovery": "ask_operator"}))


async def begun(store: Store, laboratory: Laboratory) -> Run:
    run = bakery.run(store, make_random({}), laboratory=laboratory)
    await run.laboratory.connect()
    return replace(run, person=Nobody(CAMPAIGN, store.questions))


def acts(run: Run) -> list[str]:
    found: list[str] = run.laboratory.instruments["oven"].device.acts  # type: ignore[attr-defined]
    return found


class Dying:
    """A history whose process dies before or after one of its records."""

    def __init__(self, store: Store, dies: Callable[[str, Any, bool], bool]) -> None:
        self._store = store
        self._dies = dies

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not name.startswith(("record_", "settle_")):
            return found

        def recorded(*args: Any, **more: Any) -> None:
            if self._dies(name, args, False):
                raise Killed
            found(*args, **more)
            if self._dies(name, args, True):
                raise Killed

        return recorded


def at(name: str, *, sent: bool | None = None, after: bool) -> Callable[[str, Any, bool], bool]:
    """Return the rule for dying at the record of the synthesis."""

    def dies(record: str, args: Any, is_after: bool) -> bool:
        if record != name or is_after != after:
            return False
        action = args[0] if record in ("record_action", "settle_action") else None
        return sent is None or (action is not None and (action.sent is not None) == sent)

    return dies


MOMENTS = {
    "before the intent": at("record_action", sent=False, after=False),
    "after the intent": at("record_action", sent=False, after=True),
    "before it is marked as sent": at("record_action", sent=True, after=False),
    "after it is marked as sent": at("record_action", sent=True, after=True),
    "after the result": at("settle_action", after=False),
    "after the settlement": at("settle_action", after=True),
    "before the sample is kept": at("record_sample", after=False),
    "after the sample is kept": at("record_sample", after=True),
    "after the planner's write": at("record_proposal", after=True),
}


async def dies(run: Run, store: Store, moment: str) -> None:
    """Take the first turn until the process dies at a moment."""
    with pytest.raises(Killed):
        await turn(replace(run, history=Dying(store, MOMENTS[moment])), 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_device_that_can_be_asked_acts_exactly_once(store: Store, moment: str) -> None:
    run = await begun(store, queryable())
    await dies(run, store, moment)
    observation = await turn(run, 0)
    assert not observation.failed
    assert len(acts(run)) == 1
    assert store.unsettled_actions(CAMPAIGN) == []
    (synthesis,) = (a for a in store.actions(CAMPAIGN) if a.step == "synthesize")
    assert synthesis.settled == "succeeded"


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_death_changes_nothing_in_what_is_observed(
    store: Store, moment: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = await begun(store, queryable())
    await dies(run, store, moment)
    told = await turn(run, 0)
    calm = await begun(store, queryable())
    undisturbed = await turn(replace(calm, id="bread-2"), 0)
    assert values(told) == values(undisturbed)


def values(observation: Observation) -> tuple[object, ...]:
    return observation.values, observation.outcomes, observation.failed


NEVER_SENT = {
    "before the intent",
    "after the intent",
    "before it is marked as sent",
    "after the planner's write",
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_device_that_cannot_be_asked_acts_at_most_once_and_a_person_decides(
    store: Store, moment: str
) -> None:
    run = await begun(store, silent())
    await dies(run, store, moment)
    if moment in NEVER_SENT:
        assert not (await turn(run, 0)).failed
        assert store.questions.of(CAMPAIGN) == []
    else:
        with pytest.raises(WaitsForPerson):
            await turn(run, 0)
        (asked,) = store.questions.open(CAMPAIGN)
        assert asked.question.kind == "unsettled"
    assert len(acts(run)) <= 1


@pytest.mark.parametrize(("answer", "deeds"), [("done", 0), ("failed", 0), ("not-done", 1)])
async def test_what_a_person_saw_is_what_the_journal_says(
    store: Store, answer: str, deeds: int
) -> None:
    run = await begun(store, silent())
    await dies(run, store, "after it is marked as sent")
    with pytest.raises(WaitsForPerson):
        await turn(run, 0)
    settle_by_person(store, CAMPAIGN, answer, by="anna")
    observation = await turn(run, 0)
    assert observation.failed == (answer == "failed")
    assert len(acts(run)) == deeds


async def test_a_running_action_is_adopted_and_its_result_collected(store: Store) -> None:
    lab = queryable()
    run = await begun(store, lab)
    oven = lab.instruments["oven"]
    honest = oven.execute

    async def lost(command_id: str, command: Command) -> Outcome:
        asyncio.get_running_loop().create_task(honest(command_id, command))
        await asyncio.sleep(0)
        raise Killed

    oven.execute = lost  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await turn(run, 0)
    oven.execute = honest  # type: ignore[method-assign]
    assert not (await turn(run, 0)).failed
    assert len(acts(run)) == 1
    assert "adopted" in [e.kind for e in store.events(CAMPAIGN)]


async def test_a_device_that_does_not_answer_is_put_to_a_person_and_asked_again(
    store: Store,
) -> None:
    lab = queryable()
    run = await begun(store, lab)
    await dies(run, store, "after the result")
    lab.instruments["oven"].mute = True  # type: ignore[attr-defined]
    with pytest.raises(WaitsForPerson):
        await turn(run, 0)
    (asked,) = store.questions.open(CAMPAIGN)
    lab.instruments["oven"].mute = False  # type: ignore[attr-defined]
    store.questions.answer(CAMPAIGN, asked.question.key, Reply("look-again", "", "anna"))
    assert not (await turn(run, 0)).failed
    assert len(acts(run)) == 1


async def test_a_device_that_obeys_another_process_ends_this_one(store: Store) -> None:
    lab = queryable()
    run = await begun(store, lab)
    await dies(run, store, "after it is marked as sent")

    async def taken_over(_: str) -> Answer:
        raise CommandRefused("oven", ["bread-1 was taken over"])

    lab.instruments["oven"].query = taken_over  # type: ignore[attr-defined]
    with pytest.raises(Superseded):
        await turn(run, 0)
    assert acts(run) == []


async def test_a_command_that_is_refused_at_the_device_is_settled_as_never_carried_out(
    store: Store,
) -> None:
    lab = queryable()
    run = await begun(store, lab)

    async def refused(_: str, __: Command) -> Outcome:
        raise CommandRefused("oven", ["the door is open"])

    lab.instruments["oven"].execute = refused  # type: ignore[method-assign]
    with pytest.raises(LaboratoryRefused, match="door is open"):
        await turn(run, 0)
    (action,) = store.actions(CAMPAIGN)
    assert (action.settled, action.fault) == ("aborted", "not_carried_out")


async def test_an_action_has_one_end(store: Store) -> None:
    run = await begun(store, queryable())
    await turn(run, 0)
    settled = store.actions(CAMPAIGN)[0]
    with pytest.raises(StoreConflict, match="never overwritten"):
        store.settle_action(replace(settled, settled="failed", error="no", fault="jam"))


async def test_an_emergency_stop_says_nothing_about_the_recipe(store: Store) -> None:
    lab = bakery.laboratory()
    run = await begun(store, lab)
    oven = lab.instruments["oven"]
    baking = asyncio.create_task(turn(run, 0))
    while (await oven.status()).state != "busy":
        await asyncio.sleep(0)
    await oven.stop(emergency=True)
    with pytest.raises(WaitsForPerson, match="was stopped"):
        await baking
    assert store.observations(CAMPAIGN) == []
    await oven.reset()
    assert not (await turn(run, 0)).failed
    assert [a.fault for a in store.actions(CAMPAIGN)] == ["emergency_stop", "", ""]


async def test_a_device_that_lost_its_log_is_not_believed_that_it_never_saw_a_command(
    store: Store,
) -> None:
    lab = queryable()
    run = await begun(store, lab)
    await dies(run, store, "after the result")
    oven = lab.instruments["oven"]
    oven._known.clear()  # type: ignore[attr-defined]
    oven.memory = "book 2"  # type: ignore[attr-defined]
    with pytest.raises(WaitsForPerson, match="lost the log"):
        await turn(run, 0)
    assert len(acts(run)) == 1


async def test_what_never_arrived_is_sent_again_under_its_id_since_it_may_arrive_late(
    store: Store,
) -> None:
    lab = queryable()
    run = await begun(store, lab)
    oven = lab.instruments["oven"]
    honest, late = oven.execute, list[tuple[str, Command]]()

    async def delayed(command_id: str, command: Command) -> Outcome:
        oven.execute = honest  # type: ignore[method-assign]
        late.append((command_id, command))
        now = lab.clock.now()
        return Outcome(command_id, "unconfirmed", None, now, now, True, error="the host is away")

    oven.execute = delayed  # type: ignore[method-assign]
    assert not (await turn(run, 0)).failed
    assert (await oven.execute(*late[0])).replayed
    assert len(acts(run)) == 1


async def test_a_device_that_runs_on_though_it_was_stopped_is_put_to_a_person(
    store: Store,
) -> None:
    lab = queryable()
    run = await begun(store, lab)
    oven = lab.instruments["oven"]

    async def hangs(command_id: str, _: Command) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError(command_id)

    async def runs(_: str) -> Answer:
        return Answer("running")

    oven.execute, oven.query = hangs, runs  # type: ignore[method-assign, attr-defined]
    with pytest.raises(WaitsForPerson, match="more than twice"):
        await asyncio.wait_for(turn(run, 0), 20.0)


async def test_a_running_action_that_is_then_refused_stays_unsettled(store: Store) -> None:
    lab = queryable()
    run = await begun(store, lab)
    await dies(run, store, "after it is marked as sent")
    oven = lab.instruments["oven"]

    async def running(_: str) -> Answer:
        return Answer("running")

    async def refused(_: str, __: Command) -> Outcome:
        raise CommandRefused("oven", ["its log was replaced this moment"])

    oven.query, oven.execute = running, refused  # type: ignore[attr-defined,method-assign]
    with pytest.raises(LaboratoryRefused, match="replaced"):
        await turn(run, 0)
    assert len(store.unsettled_actions(CAMPAIGN)) == 1
