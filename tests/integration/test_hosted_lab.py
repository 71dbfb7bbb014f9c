"""A campaign on hosted instruments is killed while its furnace fires; nothing is done twice."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.examples import FOLDER
from orchestrator.store import Store

MAIN = "from orchestrator.cli import main; main()"


def sdlab(home: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, *arguments, "--home", str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )


def hosted(folder: Path, home: Path) -> tuple[Path, subprocess.Popen[str]]:
    """Write the example with its instruments on a host, and start that host."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = (FOLDER / "tio2_lab.toml").read_text()
    for driver in ("furnace", "diffractometer"):
        entry = f'driver = "simulated.{driver}"'
        text = text.replace(entry, f'{entry}\nhost = "bench"')
    text += f'\n[hosts.bench]\naddress = "127.0.0.1:{port}"\nspeed = 8000\n'
    (folder / "tio2_lab.toml").write_text(text)
    campaign = folder / "tio2.toml"
    campaign.write_text((FOLDER / "tio2.toml").read_text())
    host = sdlab(home, "host", str(folder / "tio2_lab.toml"))
    assert host.stdout is not None
    first = host.stdout.readline()
    assert f"listens on 127.0.0.1:{port}, without a token, at speed 8000" in first
    return campaign, host


def begun(home: Path, instrument: str) -> list[str]:
    """Return the ids of the commands that an instrument accepted, by its host's log."""
    path = home / "hosts" / "bench" / instrument / "commands.jsonl"
    events = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [event["id"] for event in events if event["what"] == "accepted"]


@pytest.mark.slow
def test_a_firing_goes_on_when_its_campaign_is_killed_and_is_adopted(tmp_path: Path) -> None:
    home = tmp_path / "home"
    campaign, host = hosted(tmp_path, home)
    try:
        run = sdlab(home, "run", str(campaign), "-n", "2", "--no-prefect")
        while not begun(home, "furnace"):
            assert run.poll() is None, run.communicate()[0]
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        resumed = sdlab(home, "resume", "last", "--no-prefect")
        said = resumed.communicate(timeout=120)[0]
        assert resumed.returncode == 0, said
    finally:
        host.send_signal(signal.SIGINT)
        printed = host.communicate(timeout=30)[0]
    assert "bench has ended; its instruments are at rest" in printed
    with Store.open(f"sqlite:///{home / 'sdlab.sqlite'}", home / "arrays") as store:
        record = store.campaigns()[0]
        actions = store.actions(record.id)
    assert record.status == "finished"
    assert begun(home, "furnace") == [f"{record.id}/{n}/synthesize/0" for n in (0, 1)]
    done = [a.command_id for a in actions if a.settled == "succeeded"]
    assert len(done) == len(set(done)) == 4
