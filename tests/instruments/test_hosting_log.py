"""The command log: what a power cut, a full disk or another process may do to it, and may not."""

from __future__ import annotations

import os
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.commands import Outcome
from instruments.conformance.trial import same_value
from instruments.errors import InstrumentError
from instruments.hosting.log import CommandLog
from instruments.hosting.wire import outcome_from_json, outcome_to_json
from instruments.measurement import Measurement, Reading
from tests.instruments.kettle import heat

NOW = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)
finite = st.floats(allow_nan=False, allow_infinity=False)


def scan(y: list[float], **more: object) -> Outcome:
    """Return the outcome of a measurement of these intensities."""
    contents: dict[str, object] = {
        "id": "c/1/0",
        "sample_id": "c/1",
        "technique": "xrd",
        "x": np.arange(len(y), dtype=np.float64),
        "y": np.array(y),
        "sigma": None,
        "x_name": "two_theta",
        "x_unit": "deg",
        "y_name": "counts",
        "y_unit": "1",
        "instrument": "d",
        "simulated": True,
        "started": NOW,
        "finished": NOW,
        **more,
    }
    return Outcome("c/1/m/0", "succeeded", Measurement(**contents), NOW, NOW, True)  # type: ignore[arg-type]


def failed(command_id: str) -> Outcome:
    """Return the outcome of a command that failed."""
    return Outcome(command_id, "failed", None, NOW, NOW, True, error="it jammed", fault="jam")


def same(one: Outcome, other: Outcome) -> bool:
    """Return whether two outcomes agree to the last bit."""
    names = [f.name for f in fields(Outcome) if f.name != "value"]
    return same_value(one.value, other.value) and all(
        getattr(one, name) == getattr(other, name) for name in names
    )


@given(
    y=st.lists(finite, max_size=20),
    reading=finite,
    setting=st.one_of(st.floats(allow_nan=False), st.text()),
    flags=st.lists(st.text()).map(tuple),
)
def test_an_outcome_crosses_the_wire_to_the_last_bit(
    y: list[float], reading: float, setting: float | str, flags: tuple[str, ...]
) -> None:
    outcome = scan(
        y,
        readings={"magnetisation": Reading(reading, None, "emu")},
        settings={"counting_time": setting},
        flags=flags,
    )
    assert same(outcome_from_json(outcome_to_json(outcome)), outcome)


def test_a_number_that_is_none_crosses_the_wire_too() -> None:
    told = outcome_from_json(outcome_to_json(scan([1.0], settings={"offset": float("nan")})))
    assert np.isnan(told.value.settings["offset"])  # type: ignore[union-attr]


def test_the_log_is_found_again_as_it_was_left(tmp_path: Path) -> None:
    log = CommandLog(tmp_path)
    log.accept("c/1/m/0", heat())
    log.settle(scan([1.5, 2.5]))
    log.accept("c/2/m/0", heat())
    log.accept("c/3/m/0", heat())
    log.release("c/3/m/0", "it was stopped")
    log.fence("c", 7)
    log.close()
    again = CommandLog(tmp_path)
    assert again.identity == log.identity
    assert again.fences == {"c": 7}
    assert list(again.entries) == ["c/1/m/0", "c/2/m/0"]
    outcome = again.outcome("c/1/m/0")
    assert outcome is not None
    assert same(outcome, scan([1.5, 2.5]))
    assert again.outcome("c/2/m/0") is None
    again.close()


def test_a_line_torn_at_any_byte_loses_only_itself(tmp_path: Path) -> None:
    log = CommandLog(tmp_path)
    log.accept("c/1/m/0", heat())
    kept = (tmp_path / "commands.jsonl").stat().st_size
    log.settle(failed("c/1/m/0"))
    log.close()
    whole = (tmp_path / "commands.jsonl").read_bytes()
    for length in range(kept, len(whole)):
        (tmp_path / "commands.jsonl").write_bytes(whole[:length])
        torn = CommandLog(tmp_path)
        assert list(torn.entries) == ["c/1/m/0"]
        assert torn.outcome("c/1/m/0") is None
        torn.settle(failed("c/1/m/0"))
        torn.close()
        mended = CommandLog(tmp_path)
        assert mended.outcome("c/1/m/0") == failed("c/1/m/0")
        mended.close()


def test_damage_before_the_last_line_is_told_and_not_skipped(tmp_path: Path) -> None:
    log = CommandLog(tmp_path)
    log.accept("c/1/m/0", heat())
    log.accept("c/2/m/0", heat())
    log.close()
    path = tmp_path / "commands.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:40] + b"\n" + lines[2])
    with pytest.raises(InstrumentError, match=r"line 2 of the command log .* is damaged"):
        CommandLog(tmp_path)
    path.write_bytes(b"".join(lines))
    CommandLog(tmp_path).close()


def test_arrays_that_were_changed_are_not_taken_for_the_result(tmp_path: Path) -> None:
    log = CommandLog(tmp_path)
    log.accept("c/1/m/0", heat())
    log.settle(scan([1.0, 2.0]))
    arrays = tmp_path / "arrays.bin"
    packed = bytearray(arrays.read_bytes())
    packed[-1] ^= 1
    arrays.write_bytes(packed)
    with pytest.raises(InstrumentError, match="changed after it was written"):
        log.outcome("c/1/m/0")
    log.close()


def test_the_axis_of_every_scan_is_kept_once(tmp_path: Path) -> None:
    log = CommandLog(tmp_path)
    sizes = []
    for number in range(3):
        log.accept("c/1/m/0", heat())
        log.settle(scan([float(number)] * 1000))
        sizes.append((tmp_path / "arrays.bin").stat().st_size)
    log.close()
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0] < 0.6 * sizes[0]


def test_what_could_not_be_written_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = CommandLog(tmp_path)
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", _no_room)
        with pytest.raises(InstrumentError, match="No space left"):
            log.accept("c/1/m/0", heat())
    assert "c/1/m/0" not in log.entries
    log.accept("c/2/m/0", heat())
    log.close()
    again = CommandLog(tmp_path)
    assert list(again.entries) == ["c/2/m/0"]
    again.close()


def test_one_process_at_a_time_has_the_log(tmp_path: Path) -> None:
    log = CommandLog(tmp_path)
    with pytest.raises(InstrumentError, match="another host keeps its commands"):
        CommandLog(tmp_path)
    log.close()
    CommandLog(tmp_path).close()


def test_a_thousand_commands_are_read_and_written_by_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither settling nor asking reads the log: the bytes read are those of one line."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    log = CommandLog(tmp_path)
    for number in range(1000):
        log.accept(f"c/{number}/m/0", heat())
        log.settle(failed(f"c/{number}/m/0"))
    read: list[int] = []
    pread = os.pread
    monkeypatch.setattr(
        os, "pread", lambda handle, n, at: (read.append(n), pread(handle, n, at))[1]
    )
    log.accept("c/1000/m/0", heat())
    log.settle(failed("c/1000/m/0"))
    assert read == []
    for number in (0, 500, 999):
        assert log.outcome(f"c/{number}/m/0") == failed(f"c/{number}/m/0")
    assert max(read) < 1000
    log.close()


def _no_room(handle: int) -> None:
    raise OSError(28, "No space left on device")
