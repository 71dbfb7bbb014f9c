"""Killed while it measures a sample again, a campaign goes on as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.store import Store
from tests.integration.acting_victim import TURN

ROOT = Path(__file__).parents[2]


def live(folder: Path, where: str) -> int:
    """Run the campaign of a folder in a process of its own, and return how that ended."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.integration.acting_victim", str(folder), where]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def told(folder: Path) -> list[tuple[object, ...]]:
    """Return what a campaign chose, measured and found, without the times."""
    with Store.open(f"sqlite:///{folder / 'sdlab.sqlite'}", folder / "arrays") as store:
        assert store.unsettled_actions("bread-1") == []
        return [
            (
                e.proposal.values,
                e.proposal.measure_again,
                [m.id for m in e.measurements],
                [(i.id, i.estimates) for i in e.insights],
                e.observation and (e.observation.outcomes, e.observation.stds),
                e.observation and e.observation.supersedes,
                [(a.step, a.attempt) for a in store.actions("bread-1", e.number)],
            )
            for e in store.experiments("bread-1")
        ]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_kill_in_the_middle_of_a_second_look_changes_nothing(tmp_path: Path) -> None:
    assert live(tmp_path / "calm", "never") == 0
    calm = told(tmp_path / "calm")
    again = calm[TURN]
    assert again[5] == 0  # it supersedes what was known of the first sample
    assert len(again[2]) == 2  # measured again, and further while it lay there
    for where in ("sent", "measured", "weighed"):
        folder = tmp_path / where
        assert live(folder, where) == -signal.SIGKILL
        assert live(folder, "never") == 0
        assert told(folder) == calm, where
