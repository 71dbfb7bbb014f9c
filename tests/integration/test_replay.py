"""A history, even of a campaign that was killed, repeats itself to the last bit."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from orchestrator.store import Store
from tests.integration.conftest import Sdlab
from tests.integration.test_resume import errors, history, start

EXPERIMENTS = 7
"""Enough for two proposals of the model, after five that fill the space."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the state folder of a campaign that was killed once and resumed."""
    home = tmp_path_factory.mktemp("recorded")
    process = start(home, "run", "tio2", "--dry-run", "-n", str(EXPERIMENTS))
    while process.poll() is None and len(history(home)[1]) < 3:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    campaign_id, begun = history(home)
    assert len(begun) < EXPERIMENTS
    assert start(home, "resume", campaign_id).wait() == 0, errors(home)
    return home


@pytest.fixture
def past(recorded: Path, home: Path) -> Path:
    """Return a copy of that history, where this test's commands look for it."""
    shutil.copytree(recorded, home)
    return home


def change(home: Path, table: str, number: int, edit: Any) -> None:
    """Tamper with the contents of a row."""
    with sqlite3.connect(home / "sdlab.sqlite") as database:
        query = f"select contents from {table} where number = ?"
        contents = json.loads(database.execute(query, (number,)).fetchone()[0])
        edit(contents)
        update = f"update {table} set contents = ? where number = ?"
        database.execute(update, (json.dumps(contents), number))


def test_every_decision_repeats_itself_after_a_kill(sdlab: Sdlab, past: Path) -> None:
    before = (past / "sdlab.sqlite").read_bytes()
    said = sdlab("replay", "last")
    assert said.code == 0, said.out
    assert f"all {3 * EXPERIMENTS} decisions identical" in said.out
    assert f"{EXPERIMENTS} proposals" in said.out
    assert (past / "sdlab.sqlite").read_bytes() == before


def test_another_proposal_in_the_history_is_caught(sdlab: Sdlab, past: Path) -> None:
    true: list[float] = []

    def warmer(contents: Any) -> None:
        true.append(contents["values"]["temperature"])
        contents["values"]["temperature"] = 600.5

    change(past, "proposal", 6, warmer)
    said = sdlab("replay", "last")
    assert said.code == 1
    assert f"values.temperature: 600.5 → {true[0]!r}" in said.out
    assert f"1 of {3 * EXPERIMENTS} decisions differ" in said.out
    assert "the software is the one the campaign ran with" in said.out


def test_another_outcome_in_the_history_is_caught_and_so_is_what_it_led_to(
    sdlab: Sdlab, past: Path
) -> None:
    def better(contents: Any) -> None:
        contents["outcomes"]["xrd.weight_fraction.rutile"] += 0.05

    change(past, "observation", 1, better)
    said = sdlab("replay", "last")
    assert said.code == 1
    lines = said.out.splitlines()
    assert any(line.startswith("1  observation") for line in lines)
    assert any(line.startswith("6     proposal") for line in lines)
    assert not any(line.startswith("2     proposal") for line in lines)


def test_another_software_is_named(sdlab: Sdlab, past: Path) -> None:
    change(past, "proposal", 0, lambda c: c["values"].update(dwell=1.0))
    with sqlite3.connect(past / "sdlab.sqlite") as database:
        [versions] = database.execute("select versions from campaign").fetchone()
        changed = {**json.loads(versions), "botorch": "0.0.1"}
        database.execute("update campaign set versions = ?", (json.dumps(changed),))
    said = sdlab("replay", "last", "-n", "1")
    assert said.code == 1
    assert "botorch" in said.out
    assert "0.0.1" in said.out


def test_another_planner_says_what_it_would_have_proposed(sdlab: Sdlab, past: Path) -> None:
    said = sdlab("replay", "last", "--planner", "sobol")
    assert said.code == 0, said.err
    same = [line for line in said.out.splitlines() if line.rstrip().endswith("0.000")]
    assert len(same) == 5  # the Bayesian planner begins with the same sequence
    assert "±" in said.out  # what the model expected of its own proposals
    assert f"the same point in 5 of {EXPERIMENTS} experiments" in said.out
    with Store.open(f"sqlite:///{past / 'sdlab.sqlite'}", past / "arrays") as store:
        assert {e.proposal.reason.planner for e in store.experiments(history(past)[0])} == {
            "bayesian"
        }


def test_the_same_agent_reads_the_same(sdlab: Sdlab, past: Path) -> None:
    said = sdlab("replay", "last", "--agents", "xrd.quantify", "-n", "2")
    assert said.code == 0, said.err
    assert "+0.0 σ" in said.out
    assert "0 of 3 differ by more than 3 σ" in said.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--planner", "bayes"), "no planner called 'bayes'"),
        (("--agents", "xrd.quantfy"), "did you mean 'xrd.quantify'"),
        (("--agents", "readings"), "quantities"),
        (("-n", "0"), "at least 1"),
    ],
)
def test_a_wrong_replay_is_one_sentence(
    sdlab: Sdlab, past: Path, arguments: tuple[str, ...], words: str
) -> None:
    said = sdlab("replay", "last", *arguments)
    assert said.code == 1
    assert words in said.err
    assert "Traceback" not in said.err
