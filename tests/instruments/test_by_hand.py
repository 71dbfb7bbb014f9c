"""A person makes the sample: what the sheet says when it comes back is what was made."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from instruments import Bench, CommandRefused, RealClock, Sample, Synthesize, VirtualClock
from instruments.by_hand import ByHand, synthesizer
from instruments.commands import Command, Outcome
from instruments.conformance import CHECKS, check_instrument
from instruments.errors import CommandConflict, TakenOver
from instruments.execution import Executor
from instruments.remembering import QueryableExecutor

SETTINGS = {
    "folder": "recipes",
    "accepts": [
        {"name": "temperature", "unit": "degC", "low": 20, "high": 900},
        {"name": "salt", "choices": ["NaCl", "KCl"], "default": "NaCl"},
    ],
    "consumables": [{"name": "crucible", "unit": "1", "stock": 3}],
    "poll": 0.01,
    "deadline": 5.0,
}
ORDER = Synthesize(sample_id="c-1/4", number=4, recipe={"temperature": 640.0, "salt": "KCl"})


def furnace(folder: Path, **changes: object) -> QueryableExecutor:
    bench = Bench(clock=RealClock(), folder=folder, seed=0)
    return synthesizer("furnace", {**SETTINGS, **changes}, bench)


async def answered(folder: Path, edit: Callable[[str], str], **changes: object) -> Outcome:
    """Order a sample and have the sheet edited by a person as soon as it lies there."""
    driver = furnace(folder, **changes)
    await driver.connect()
    path = folder / "recipes" / "c-1_4.toml"

    async def person() -> None:
        while not path.exists():
            await asyncio.sleep(0.005)
        path.write_text(edit(path.read_text()))

    outcome, _ = await asyncio.gather(driver.execute("c-1/4/synthesize/0", ORDER), person())
    await driver.disconnect()
    return outcome


async def test_the_sample_is_as_the_person_made_it(tmp_path: Path) -> None:
    outcome = await answered(
        tmp_path, lambda t: t.replace("done = false", "done = true").replace("640.0", "655")
    )
    assert outcome.settled == "succeeded"
    assert isinstance(outcome.value, Sample)
    assert outcome.value.recipe == {"temperature": 655.0, "salt": "KCl"}
    assert outcome.value.units["temperature"] == "degC"
    assert outcome.consumed == {"crucible": 1.0}
    assert not outcome.value.simulated


async def test_a_person_may_say_why_it_failed(tmp_path: Path) -> None:
    outcome = await answered(tmp_path, lambda t: t.replace('failed = ""', 'failed = "dropped it"'))
    assert (outcome.settled, outcome.fault) == ("failed", "person")
    assert "dropped it" in outcome.error


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t.replace("done = false", "done = true") + 'extra = "x"\n',
        lambda t: t.replace("done = false", "done = true").replace("640.0", "nan"),
        lambda t: t.replace("done = false", "done = yes"),
        lambda t: t.replace("done = false", "done = true").replace('"salt"', '"sugar"'),
        lambda _: "",
    ],
)
async def test_a_sheet_that_is_not_understood_is_no_answer(
    tmp_path: Path, spoil: Callable[[str], str]
) -> None:
    outcome = await answered(tmp_path, spoil, deadline=0.1)
    assert (outcome.settled, outcome.fault) == ("failed", "no_answer")


async def test_an_answer_given_while_the_process_was_dead_is_found(tmp_path: Path) -> None:
    first = await answered(tmp_path, lambda t: t.replace("done = false", "done = true"))
    again = furnace(tmp_path)
    await again.connect()
    second = await again.execute("c-1/4/synthesize/0", ORDER)
    await again.disconnect()
    assert isinstance(first.value, Sample)
    assert isinstance(second.value, Sample)
    assert second.value.recipe == first.value.recipe
    assert second.value == first.value
    assert second.replayed
    assert [p.name for p in (tmp_path / "recipes").glob("*.toml")] == ["c-1_4.toml"]


async def test_what_a_person_said_of_one_attempt_is_no_answer_to_the_next(tmp_path: Path) -> None:
    failed = await answered(tmp_path, lambda t: t.replace('failed = ""', 'failed = "it cracked"'))
    assert failed.fault == "person"
    again = furnace(tmp_path)
    await again.connect()
    second = asyncio.create_task(again.execute("c-1/4/synthesize/1", ORDER))
    path = tmp_path / "recipes" / "c-1_4.toml"
    async with asyncio.timeout(5.0):
        while not path.exists() or "it cracked" in path.read_text():
            await asyncio.sleep(0.01)
    assert not second.done()
    path.write_text(path.read_text().replace("done = false", "done = true"))
    assert (await second).settled == "succeeded"
    assert "it cracked" in path.with_suffix(".earlier-0").read_text()
    await again.disconnect()


async def test_whoever_takes_over_can_ask_what_became_of_a_sheet(tmp_path: Path) -> None:
    dead, path = furnace(tmp_path), tmp_path / "recipes" / "c-1_4.toml"
    await dead.connect()
    waiting = asyncio.create_task(dead.execute("c-1/4/synthesize/0", ORDER))
    while not path.exists():
        await asyncio.sleep(0.005)
    waiting.cancel()
    heir = furnace(tmp_path)
    await heir.connect()
    await heir.fence("c-1", 2)
    assert (await heir.query("c-1/4/synthesize/0")).fate == "running"
    assert (await heir.query("c-1/5/synthesize/0")).fate == "not_seen"
    path.write_text(path.read_text().replace("done = false", "done = true"))
    told = await heir.query("c-1/4/synthesize/0")
    assert told.outcome is not None
    outcome = await heir.execute("c-1/4/synthesize/0", ORDER)
    assert (outcome.value, outcome.replayed) == (told.outcome.value, True)
    with pytest.raises(TakenOver, match="holder of token 2"):
        await dead.execute("c-1/4/synthesize/0", ORDER)
    other = ORDER.model_copy(update={"recipe": {"temperature": 650.0, "salt": "KCl"}})
    with pytest.raises(CommandConflict):
        await heir.execute("c-1/4/synthesize/0", other)
    await dead.disconnect()
    await heir.disconnect()


async def test_a_person_who_answers_conforms_to_the_contract_of_instruments(
    tmp_path: Path,
) -> None:
    numbers = itertools.count()
    folders: dict[int, Path] = {}
    clock = RealClock()

    def made(folder: Path) -> Executor:
        settings = {**SETTINGS, "expected": 0.3}
        driver = synthesizer("furnace", settings, Bench(clock, folder, seed=0))
        folders[id(driver)] = folder
        drivers.append(driver)
        return driver

    drivers: list[Executor] = []

    async def person(command: Command) -> None:
        assert isinstance(command, Synthesize)
        path = folders[id(drivers[-1])] / "recipes" / f"{command.sample_id.replace('/', '_')}.toml"
        while not path.exists():
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.3)
        path.write_text(path.read_text().replace("done = false", "done = true"))

    passed = await check_instrument(
        lambda: made(tmp_path / str(next(numbers))),
        ORDER,
        [ORDER.model_copy(update={"recipe": {"temperature": 1000.0}})],
        clock=clock,
        world=person,
        beside=lambda instrument: made(folders[id(instrument)]),
    )
    assert len(passed) == len(CHECKS)


async def test_limits_hold_before_a_sheet_is_laid_out(tmp_path: Path) -> None:
    driver = furnace(tmp_path)
    await driver.connect()
    hot = ORDER.model_copy(update={"recipe": {"temperature": 1000.0}})
    with pytest.raises(CommandRefused, match="above the limit 900"):
        await driver.execute("c-1/4/synthesize/0", hot)
    assert not list((tmp_path / "recipes").iterdir())


async def test_a_person_who_never_answers_is_waited_for_until_the_deadline(tmp_path: Path) -> None:
    clock = VirtualClock()
    driver = synthesizer(
        "furnace", {**SETTINGS, "poll": 60, "deadline": 86400}, Bench(clock, tmp_path, 0)
    )
    await driver.connect()
    outcome = await driver.execute("c-1/4/synthesize/0", ORDER)
    assert outcome.fault == "no_answer"
    assert (outcome.finished - outcome.started).total_seconds() == pytest.approx(86400, rel=0.01)


def test_a_station_that_accepts_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        furnace(tmp_path, accepts=[])


def test_the_sheet_stays_in_its_folder(tmp_path: Path) -> None:
    driver = furnace(tmp_path)
    assert isinstance(driver.device, ByHand)
    assert driver.device.sheet(ORDER).parent == tmp_path / "recipes"
