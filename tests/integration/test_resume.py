"""A campaign killed at random moments ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.store import Store
from orchestrator.store.records import Experiment

SDLAB = str(Path(sys.executable).parent / "sdlab")


def start(home: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with (home / "errors.txt").open("ab") as errors:
        return subprocess.Popen(
            [SDLAB, *arguments, "--home", str(home)],
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )


def errors(home: Path) -> str:
    return (home / "errors.txt").read_text()


def history(home: Path) -> tuple[str, list[Experiment]]:
    with Store.open(f"sqlite:///{home / 'sdlab.sqlite'}", home / "arrays") as store:
        records = store.campaigns()
        if not records:
            return "", []
        return records[0].id, store.experiments(records[0].id)


def told(experiments: list[Experiment]) -> list[tuple[object, object]]:
    return [(e.proposal, e.observation) for e in experiments]


@pytest.mark.timeout(600)
def test_kills_change_nothing(tmp_path: Path) -> None:
    calm, wild = tmp_path / "calm", tmp_path / "wild"
    for home in (calm, wild):
        home.mkdir()
    process = start(calm, "run", "tio2", "--dry-run", "-n", "4")
    assert process.wait() == 0, errors(calm)
    rng = random.Random(5)
    kills = 0
    while True:
        campaign_id, _ = history(wild)
        begin = ("run", "tio2", "--dry-run", "-n", "4")
        process = start(wild, *(("resume", campaign_id) if campaign_id else begin))
        if kills == 3:
            assert process.wait() == 0, errors(wild)
            break
        while process.poll() is None and len(history(wild)[1]) <= kills:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.6))
        if process.poll() == 0:
            break
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
    assert kills
    assert told(history(wild)[1]) == told(history(calm)[1])


def test_ctrl_c_stops_between_experiments_and_loses_nothing(tmp_path: Path) -> None:
    process = start(tmp_path, "run", "tio2", "--dry-run", "-n", "40", "--seed", "3")
    while not any(e.observation for e in history(tmp_path)[1]):
        assert process.poll() is None, errors(tmp_path)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(timeout=120) == 130
    campaign_id, experiments = history(tmp_path)
    assert all(e.observation is not None for e in experiments)
    with Store.open(f"sqlite:///{tmp_path / 'sdlab.sqlite'}", tmp_path / "arrays") as store:
        assert store.campaign(campaign_id).status == "interrupted"


def test_two_processes_never_run_the_same_campaign(tmp_path: Path) -> None:
    first = start(tmp_path, "run", "tio2", "--dry-run", "-n", "40", "--seed", "3")
    while not history(tmp_path)[1]:
        assert first.poll() is None, errors(tmp_path)
    second = start(tmp_path, "resume", history(tmp_path)[0], "--no-prefect")
    assert second.wait(timeout=120) == 1
    assert "being run already" in errors(tmp_path)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
