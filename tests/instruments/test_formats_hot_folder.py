from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from instruments.clock import VirtualClock
from instruments.commands import Command, Measure, Outcome
from instruments.conformance import check_instrument
from instruments.errors import CommandRefused, InstrumentError
from instruments.execution import Executor
from instruments.formats.hot_folder import instrument
from instruments.measurement import Measurement
from instruments.protocols import Bench
from instruments.sample import Sample
from tests.instruments.pattern_files import as_text, pattern, write

TWO_THETA, COUNTS = pattern()
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SAMPLE = Sample(
    id="c/3", number=3, recipe={}, made_by="furnace", simulated=False, started=NOW, finished=NOW
)
MEASURE = Measure(measurement_id="c/3/xrd/0", sample=SAMPLE)
SETTINGS: dict[str, object] = {
    "folder": ".",
    "pattern": "{measurement}*.xy",
    "deadline": 600.0,
    "expected": 100.0,
    "stable_for": 5.0,
    "poll": 1.0,
}
Event = tuple[float, Callable[[], object]]


def folder_instrument(folder: Path, clock: VirtualClock, **more: object) -> Executor:
    return instrument("bench_xrd", {**SETTINGS, **more}, Bench(clock, folder, seed=0))


async def measured(folder: Path, *events: Event, **more: object) -> Outcome:
    """Measure while things happen in the folder at given times [s]."""
    clock = VirtualClock(NOW)
    driver = folder_instrument(folder, clock, **more)
    await driver.connect()

    async def happen() -> None:
        now = 0.0
        for time, event in events:
            await clock.sleep(time - now)
            now = time
            event()

    happening = asyncio.create_task(happen())
    outcome = await driver.execute("c/3/measure/0", MEASURE)
    happening.cancel()
    return outcome


def appears(path: Path, part: float = 1.0) -> Callable[[], object]:
    text = as_text(".xy", TWO_THETA, COUNTS)
    return lambda: path.write_text(text[: int(len(text) * part)])


async def test_a_file_is_read_once_it_stands_still(tmp_path: Path) -> None:
    path = tmp_path / "c_3_xrd_0.xy"
    growing = [(10.0 + i, appears(path, (i + 1) / 20)) for i in range(20)]
    outcome = await measured(tmp_path, *growing)
    assert isinstance(outcome.value, Measurement)
    assert outcome.value.n_points == COUNTS.size
    assert outcome.value.instrument == "bench_xrd"
    assert not outcome.value.simulated
    # the last write is at 29 s and the file must stand still for 5 s
    assert 34.0 <= (outcome.finished - outcome.started).total_seconds() <= 36.0


async def test_a_half_file_that_is_completed_later_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "c_3_xrd_0.xy"
    half = as_text(".xy", TWO_THETA, COUNTS)[:-40] + "1.0e"
    outcome = await measured(tmp_path, (5.0, lambda: path.write_text(half)), (40.0, appears(path)))
    assert isinstance(outcome.value, Measurement)
    assert outcome.value.n_points == COUNTS.size


@pytest.mark.parametrize(
    ("name", "text", "fault", "said"),
    [
        ("c_3_xrd_0.xy", "1 2\n3 x\n", "unreadable_file", "line 2"),
        ("c_4_xrd_0.xy", as_text(".xy", TWO_THETA, COUNTS), "wrong_name", "c_4_xrd_0.xy"),
    ],
)
async def test_what_is_wrong_with_a_file_is_named(
    tmp_path: Path, name: str, text: str, fault: str, said: str
) -> None:
    outcome = await measured(tmp_path, (5.0, lambda: (tmp_path / name).write_text(text)))
    assert (outcome.settled, outcome.fault) == ("failed", fault)
    assert said in outcome.error


async def test_no_file_is_a_failure_at_the_deadline(tmp_path: Path) -> None:
    outcome = await measured(tmp_path)
    assert outcome.fault == "missing_file"
    assert (outcome.finished - outcome.started).total_seconds() == pytest.approx(600.0, abs=2.0)


async def test_a_file_from_before_the_command_is_stale(tmp_path: Path) -> None:
    appears(tmp_path / "c_3_xrd_0.xy")()
    outcome = await measured(tmp_path)
    assert outcome.fault == "stale_file"
    accepted = await measured(tmp_path, accept_existing=True)
    assert accepted.settled == "succeeded"


async def test_a_stale_file_that_is_written_anew_is_fresh(tmp_path: Path) -> None:
    path = tmp_path / "c_3_xrd_0.xy"
    path.write_text("old")
    os.utime(path, (1.0, 1.0))
    outcome = await measured(tmp_path, (10.0, appears(path)))
    assert outcome.settled == "succeeded"


async def test_two_different_files_of_one_name_are_a_fault(tmp_path: Path) -> None:
    other = tmp_path / "c_3_xrd_0 (2).xy"
    outcome = await measured(
        tmp_path,
        (5.0, appears(tmp_path / "c_3_xrd_0.xy")),
        (6.0, lambda: write(other, TWO_THETA, COUNTS + 1)),
    )
    assert outcome.fault == "duplicate_file"
    assert "(2)" in outcome.error


async def test_a_copy_of_the_same_content_is_flagged(tmp_path: Path) -> None:
    outcome = await measured(
        tmp_path,
        (5.0, appears(tmp_path / "c_3_xrd_0.xy")),
        (6.0, appears(tmp_path / "c_3_xrd_0 (2).xy")),
    )
    assert isinstance(outcome.value, Measurement)
    assert "duplicate_file" in outcome.value.flags


async def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.xy"
    appears(outside)()
    folder = tmp_path / "hot"
    folder.mkdir()
    outcome = await measured(folder, (5.0, lambda: (folder / "c_3_xrd_0.xy").symlink_to(outside)))
    assert outcome.fault == "missing_file"


async def test_a_folder_that_disappears_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "hot"
    folder.mkdir()
    outcome = await measured(folder, (5.0, folder.rmdir))
    assert outcome.fault == "folder_lost"


async def test_a_missing_folder_is_refused_on_connect(tmp_path: Path) -> None:
    with pytest.raises(InstrumentError, match="no folder"):
        await folder_instrument(tmp_path / "nowhere", VirtualClock()).connect()


@pytest.mark.parametrize("identity", ["../secret", "a\nb", "a/../b", "*"])
def test_identities_that_would_leave_the_folder_are_refused(tmp_path: Path, identity: str) -> None:
    driver = folder_instrument(tmp_path, VirtualClock())
    with pytest.raises(CommandRefused, match="measurement id"):
        driver.check(MEASURE.model_copy(update={"measurement_id": identity}))


@pytest.mark.parametrize(
    "pattern_", ["../{sample}.xy", "all.xy", "{sample}.png", "{sample}{owner}.xy", "{sample"]
)
def test_a_pattern_that_names_no_one_file_is_refused(tmp_path: Path, pattern_: str) -> None:
    with pytest.raises(ValidationError):
        folder_instrument(tmp_path, VirtualClock(), pattern=pattern_)


async def test_the_hot_folder_conforms(tmp_path: Path) -> None:
    clock = VirtualClock()

    async def person(command: Command) -> None:
        assert isinstance(command, Measure)
        await clock.sleep(90.0)
        text = as_text(".xy", TWO_THETA, COUNTS)
        path = tmp_path / (command.measurement_id.replace("/", "_") + ".xy")
        path.unlink(missing_ok=True)
        path.write_text(text)

    await check_instrument(
        lambda: folder_instrument(tmp_path, clock), MEASURE, clock=clock, world=person
    )
