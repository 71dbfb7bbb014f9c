"""Where one action in four goes wrong, campaigns come to their end and hide nothing.

The benchmark in small: the simulated laboratory with all its named faults, hangs and crashes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from instruments.simulated.faults import DIFFRACTOMETER_FAULTS, FURNACE_FAULTS

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "faults.py"


@pytest.mark.timeout(300)
def test_faults_hangs_and_crashes_are_all_in_the_history(tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.json"
    command = [sys.executable, str(BENCHMARK), "--actions", "150", "--rate", "0.25"]
    done = subprocess.run(
        [*command, "--json", str(numbers)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(numbers.read_text())
    assert found["broken"] == []
    assert found["actions"] >= 150
    assert found["faulted"] >= 25
    struck = {name for name, times in found["struck"].items() if times}
    assert {"hang", "agent", "planner"} <= struck
    assert len(struck & {*FURNACE_FAULTS, *DIFFRACTOMETER_FAULTS}) >= 6
