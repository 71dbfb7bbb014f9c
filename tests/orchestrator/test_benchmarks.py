"""The benchmarks of shared instruments, small: what they say of correctness holds at any size."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])


@pytest.mark.usefixtures("benchmarks")
async def test_ten_campaigns_share_five_instruments_without_a_collision(tmp_path: Path) -> None:
    import shared_laboratory

    log = tmp_path / "log.jsonl"
    waits = await shared_laboratory.in_virtual_time(10, 3, log)
    found = shared_laboratory.verdict(log, waits)
    assert (found["actions"], found["overlaps"], found["twice"]) == (60, 0, 0)


@pytest.mark.usefixtures("benchmarks")
def test_three_processes_share_five_instruments_without_a_collision(tmp_path: Path) -> None:
    import shared_laboratory

    log = tmp_path / "log.jsonl"
    waits, locked = shared_laboratory.in_several_processes(
        3, 6, 2, log, f"sqlite:///{tmp_path}/sdlab.sqlite"
    )
    found = shared_laboratory.verdict(log, waits)
    assert (found["actions"], found["overlaps"], found["twice"], locked) == (36, 0, 0, 0)


@pytest.mark.slow
@pytest.mark.usefixtures("benchmarks")
def test_the_database_grows_by_the_same_amount_with_every_turn() -> None:
    import long_campaign

    found = asyncio.run(long_campaign.measured(150, warm_up=20, in_flight=2))
    assert found["turns"] == 150
    assert found["bytes_a_turn_late"] < 1.5 * found["bytes_a_turn_early"]
