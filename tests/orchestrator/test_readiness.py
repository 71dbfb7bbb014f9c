"""A fault that is over does not stop the commands that come after it."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from unittest.mock import AsyncMock

import pytest

from instruments.commands import Command, Synthesize
from instruments.device import Action
from instruments.errors import InstrumentFault
from instruments.execution import Executor
from instruments.protocols import Status
from instruments.sample import Sample
from orchestrator.control import run_campaign
from orchestrator.errors import LaboratoryRefused, WaitsForPerson
from orchestrator.failing.readiness import make_ready
from orchestrator.people.asking import Nobody, Rehearsal, Reply
from orchestrator.run import Run
from orchestrator.store import Store
from planners.baselines import make_random
from tests.orchestrator import bakery


@dataclass
class Burning(bakery.Oven):
    """Its heater dies in the `bad` experiments; if `broken`, no reset helps."""

    broken: bool = False
    resets: list[int] = field(default_factory=list)

    async def act(self, action: Action, command: Command) -> Sample:
        try:
            return await super().act(action, command)
        except InstrumentFault as error:
            raise InstrumentFault("heater_dead", "an element broke", needs_reset=True) from error

    async def recover(self) -> None:
        if self.broken:
            raise InstrumentFault("heater_dead", "the element is still broken")
        self.resets.append(len(self.acts))


async def _run(store: Store, *, broken: bool = False) -> tuple[Run, Burning]:
    lab = bakery.laboratory()
    oven = Burning(lab.clock, frozenset({1}), broken=broken)
    lab.instruments["oven"] = Executor("oven", bakery.OVEN, lab.clock, oven)  # type: ignore[index]
    run = bakery.run(store, make_random({}), laboratory=lab)
    await lab.connect()
    return replace(run, person=Nobody("bread-1", store.questions)), oven


async def test_a_latched_fault_is_reset_before_the_next_command(store: Store) -> None:
    run, oven = await _run(store)
    assert (await run_campaign(run)).experiments == 6
    assert oven.resets == [2]
    assert [n for n, o in store.observations("bread-1") if o.failed] == [1]
    [event] = [e for e in store.events("bread-1") if e.kind == "instrument_reset"]
    assert "an element broke" in event.message


async def test_a_broken_instrument_is_sent_nothing_until_a_person_has_looked(
    store: Store,
) -> None:
    run, oven = await _run(store, broken=True)
    with pytest.raises(WaitsForPerson, match="still broken"):
        await run_campaign(run)
    assert len(oven.acts) == 2
    oven.broken = False
    store.questions.answer("bread-1", _asked(store), Reply("reset", "new element", "anna"))
    assert (await run_campaign(run)).experiments == 6


async def test_an_instrument_that_a_person_gives_up_is_not_reset(store: Store) -> None:
    run, oven = await _run(store)
    await run.laboratory.instruments["oven"].stop(emergency=True)
    with pytest.raises(WaitsForPerson, match="emergency stop"):
        await run_campaign(run)
    store.questions.answer("bread-1", _asked(store), Reply("give-up", "it smells", "anna"))
    with pytest.raises(LaboratoryRefused, match="anna gave oven up: it smells"):
        await run_campaign(run)
    assert oven.acts == []
    assert oven.resets == []


async def test_what_was_answered_about_one_stop_is_no_answer_to_the_next(store: Store) -> None:
    run, oven = await _run(store)
    device = run.laboratory.instruments["oven"]
    for answer in ("reset", "give-up", "reset"):
        await device.stop(emergency=True)
        with pytest.raises(WaitsForPerson):
            await make_ready(run, "oven")
        store.questions.answer("bread-1", _asked(store), Reply(answer, "", "anna"))
        with nullcontext() if answer == "reset" else pytest.raises(LaboratoryRefused):
            await make_ready(run, "oven")
    assert len(oven.resets) == 2


async def test_a_rehearsal_does_not_reset_a_broken_instrument_for_ever(store: Store) -> None:
    run, oven = await _run(store, broken=True)
    run = replace(run, person=Rehearsal(run.person))
    with pytest.raises(LaboratoryRefused, match="cannot be reset"):
        await run_campaign(run)
    assert len(oven.acts) == 2


async def test_what_a_campaign_whose_process_died_left_behind_is_waited_for(store: Store) -> None:
    run, oven = await _run(store)
    device = run.laboratory.instruments["oven"]
    other = Synthesize(sample_id="b", number=0, recipe={"temperature": 200, "time": 4.0})
    left = asyncio.create_task(device.execute("bread-2/0/synthesize/0", other))
    while (await device.status()).state != "busy":
        await asyncio.sleep(0)
    assert (await run_campaign(run)).experiments == 6
    assert (await left).settled == "succeeded"
    kinds = [e.kind for e in store.events("bread-1")]
    assert "instrument_busy" in kinds
    assert "overdue_stopped" not in kinds
    assert len(oven.acts) == 7


async def test_another_campaign_that_hangs_is_not_waited_for_without_end(store: Store) -> None:
    run, oven = await _run(store)
    device = run.laboratory.instruments["oven"]
    hung = Status("busy", command_id="bread-2/0/synthesize/0", remaining=0.0)
    device.status = AsyncMock(return_value=hung)  # type: ignore[method-assign]
    with pytest.raises(LaboratoryRefused, match=r"bread-2/0/synthesize/0 .* longer than expected"):
        await run_campaign(run)
    assert oven.acts == []


def _asked(store: Store) -> str:
    [asked] = store.questions.open("bread-1")
    assert asked.question.kind == "reset"
    return asked.question.key
