"""Killed at any moment, a campaign loses nothing and does nothing twice.

The benchmark in small: instruments in a process of their own, whose log of deeds is the oracle.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "kill_nine.py"


@pytest.mark.timeout(600)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes that are killed are forked")
def test_kills_in_every_phase_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.json"
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), "--points", "2", "--cuts", "0", "--json", str(numbers)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(numbers.read_text())["rows"]
    assert len(rows) == 12
    for row in rows:
        assert row["kills"] >= 2, row
        assert row["deeds"], row
        found = {name: row[name] for name in ("twice", "lost", "stuck", "changed")}
        assert set(found.values()) == {0}, row
    asked = {row["phase"] for row in rows if row["asked"]}
    assert "after the acknowledgement" in asked  # nobody else can know
    assert all(not row["asked"] for row in rows if row["recovery"] == "queryable")
