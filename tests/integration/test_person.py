"""A person decides from another terminal, while a campaign waits or after it has died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.examples import FOLDER
from orchestrator.store import Store
from tests.integration.conftest import Sdlab

SDLAB = (sys.executable, "-c", "from orchestrator.cli import main; main()")

APPROVAL = """
[approval]
ask = "first"
first = 1
"""


class Lab:
    """A state folder, and the processes that work on it."""

    def __init__(self, home: Path, sdlab: Sdlab) -> None:
        self.home = home
        self.sdlab = sdlab
        home.mkdir()
        self.errors = home / "errors.txt"

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        with self.errors.open("ab") as errors:
            return subprocess.Popen(
                [*SDLAB, *map(str, arguments), "--home", str(self.home)],
                stdout=errors,
                stderr=errors,
                start_new_session=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )

    def say(self, *arguments: str) -> tuple[int, str]:
        """Say something from this process, which is another than the campaign's."""
        said = self.sdlab(*arguments)
        return said.code, said.out + said.err

    @contextmanager
    def store(self) -> Iterator[Store]:
        with Store.open(f"sqlite:///{self.home / 'sdlab.sqlite'}", self.home / "arrays") as store:
            yield store

    def status(self) -> str:
        with self.store() as store:
            return next((r.status for r in store.campaigns()), "")

    def id(self) -> str:
        with self.store() as store:
            return store.campaigns()[0].id

    def until(self, true: Callable[[], bool], *, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, self.errors.read_text()
            time.sleep(0.1)


@pytest.fixture
def lab(home: Path, sdlab: Sdlab) -> Lab:
    return Lab(home, sdlab)


@pytest.fixture
def careful(tmp_path: Path) -> Path:
    """Return a campaign whose first proposal waits for approval."""
    path = tmp_path / "careful.toml"
    path.write_text((FOLDER / "tio2.toml").read_text() + APPROVAL)
    (tmp_path / "tio2_lab.toml").write_text((FOLDER / "tio2_lab.toml").read_text())
    return path


def test_campaign_waits_until_it_is_approved_from_another_terminal(lab: Lab, careful: Path) -> None:
    process = lab.start("run", careful, "--dry-run", "--ask", "-n", "2")
    lab.until(lambda: lab.status() == "waiting")
    code, said = lab.say("questions")
    assert code == 0
    assert "approve/0" in said
    assert "sdlab answer" in said
    code, said = lab.say("approve", "last", "--reason", "looks fine")
    assert (code, said) == (0, "approve/0: approve\n")
    assert process.wait(timeout=120) == 0, lab.errors.read_text()
    code, said = lab.say("approve", "last")
    assert code == 1
    assert "no proposal of" in said
    code, said = lab.say("questions", "last", "--all")
    assert "looks fine" in said
    with lab.store() as store:
        assert [o.failed for _, o in store.observations(lab.id())] == [False, False]


def test_answer_given_to_a_dead_campaign_is_found_when_it_is_resumed(
    lab: Lab, careful: Path
) -> None:
    process = lab.start("run", careful, "--dry-run", "--ask", "-n", "1")
    lab.until(lambda: lab.status() == "waiting")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    code, said = lab.say("veto", "last", "--reason", "the crucible is cracked")
    assert code == 0
    assert "sdlab resume" in said
    code, said = lab.say("answer", "last", "approve/0", "approve")
    assert code == 1
    assert "cannot be changed" in said
    code, said = lab.say("resume", "last", "--ask")
    assert code == 0, said
    with lab.store() as store:
        [(_, observation)] = store.observations(lab.id())
        assert observation.failure == "vetoed: the crucible is cracked"
        assert store.actions(lab.id()) == []


def test_campaign_that_does_not_wait_ends_with_the_command_that_answers(
    lab: Lab, careful: Path
) -> None:
    code, said = lab.say("run", str(careful), "--dry-run", "--ask", "--no-wait", "-n", "1")
    assert code == 3, said
    assert "waits for you" in said
    assert f"sdlab answer {lab.id()} approve/0 approve|veto" in said
    assert lab.say("answer", "last", "approve/0", "perhaps")[0] == 1
    assert lab.say("answer", "last", "approve/0", "approve")[0] == 0
    code, said = lab.say("resume", "last", "--ask", "--no-wait")
    assert code == 0, said


def test_dry_run_says_that_nobody_is_asked(lab: Lab, careful: Path) -> None:
    code, said = lab.say("run", str(careful), "--dry-run", "-n", "1")
    assert code == 0
    assert "nobody is asked in a simulated laboratory; use --ask" in said


def test_running_campaign_is_paused_resumed_and_cancelled_from_another_terminal(lab: Lab) -> None:
    process = lab.start("run", "tio2", "--dry-run", "--seed", "3")
    lab.until(lambda: lab.status() == "running")
    code, said = lab.say("pause", "last", "--reason", "lunch")
    assert code == 0, said
    lab.until(lambda: lab.status() == "paused")
    code, said = lab.say("list")
    assert "paused" in said
    assert "lunch" in said
    with lab.store() as store:
        lab.until(lambda: all(e.observation is not None for e in store.experiments(lab.id())))
        paused_at = len(store.observations(lab.id()))
        time.sleep(1.0)
        assert len(store.observations(lab.id())) == paused_at
        code, said = lab.say("resume", "last")
        assert (code, said.strip()) == (0, f"{lab.id()} goes on in the process that was paused")
        lab.until(lambda: len(store.observations(lab.id())) > paused_at)
    assert lab.say("cancel", "last", "--reason", "enough")[0] == 0
    assert process.wait(timeout=60) == 3, lab.errors.read_text()
    assert lab.status() == "cancelled"
    code, said = lab.say("resume", "last")
    assert code == 1
    assert "cancelled for good" in said


def test_campaign_whose_process_is_dead_is_cancelled_at_once(lab: Lab, careful: Path) -> None:
    process = lab.start("run", careful, "--dry-run", "--ask")
    lab.until(lambda: lab.status() == "waiting")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert lab.say("pause", "last")[0] == 1
    code, said = lab.say("cancel", "last")
    assert code == 0, said
    assert lab.status() == "cancelled"


def test_emergency_stop_without_now_moves_nothing(lab: Lab) -> None:
    code, said = lab.say("stop")
    assert code == 1
    assert "wants `--now`" in said


def test_emergency_stop_ends_a_living_campaign_until_a_person_releases_it(
    lab: Lab, careful: Path
) -> None:
    process = lab.start("run", careful, "--dry-run", "--ask", "-n", "1")
    lab.until(lambda: lab.status() == "waiting")
    code, said = lab.say("stop", "--now", "--reason", "smoke")
    assert code == 0, said
    assert f"{lab.id()}: stopped" in said
    assert process.wait(timeout=60) == 3, lab.errors.read_text()
    assert lab.status() == "stopped"
    code, said = lab.say("resume", "last", "--ask", "--no-wait")
    assert code == 3, said
    with lab.store() as store:
        keys = [a.question.key for a in store.questions.open(lab.id())]
    assert keys == ["approve/0", "reset/1/furnace", "reset/1/diffractometer"]
    for key, answer in zip(keys, ("approve", "reset", "reset"), strict=True):
        assert lab.say("answer", "last", key, answer)[0] == 0
    code, said = lab.say("resume", "last", "--ask", "--no-wait")
    assert code == 0, said
