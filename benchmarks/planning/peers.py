"""The peers' own environments, and the workers that replay in them.

Ax and BayBE pin what they need; they never enter sdlab's environment. The first use makes a
virtual environment for each with the versions below (about 1 GB each), in a cache directory or
`--peers`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from dataclasses import asdict
from pathlib import Path
from typing import Any

import platformdirs

from planning.replaying import Task

ROOT = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("working.py")

PINS = {
    "ax": ("ax-platform==1.3.1",),
    "baybe": ("baybe==0.15.0",),
}
"""Peer → what is installed in its environment."""

BESIDE = (
    "torch==2.13.0",
    "botorch==0.18.1",
    "gpytorch==1.15.2",
    "pydantic>=2.10,<3",
    "pandas>=2.2",
)
"""Installed beside each peer: the same BoTorch as ours, and what our Protocol and pools import."""


def default_directory() -> Path:
    """Return where the environments stand unless told otherwise."""
    return platformdirs.user_cache_path("sdlab") / "peers"


def python_of(planner: str, directory: Path) -> Path:
    """Return the interpreter that runs a planner, after making its environment if it is missing.

    Raises
    ------
    SystemExit
        The peer could not be installed.
    """
    if planner not in PINS:
        return Path(sys.executable)
    home = directory / planner
    python = home / "bin" / "python"
    if not python.exists():
        print(f"installing {' '.join(PINS[planner])} into {home}", file=sys.stderr)
        venv.create(home, with_pip=True)
    if not _is_complete(python):
        command = [str(python), "-m", "pip", "install", "--quiet", *PINS[planner], *BESIDE]
        if subprocess.run(command, check=False).returncode != 0:
            raise SystemExit(
                f"{planner} could not be installed into {home}; its environment must hold "
                f"{' '.join([*PINS[planner], *BESIDE])}. Install them there by hand, or leave "
                f"{planner} out of --planners"
            )
    return python


def _is_complete(python: Path) -> bool:
    """Return whether an environment can import what a worker does."""
    probe = "import importlib.util as u; raise SystemExit(not all(map(u.find_spec, {})))"
    needed = "('torch', 'botorch', 'pydantic', 'pandas')"
    found = subprocess.run([str(python), "-c", probe.format(needed)], check=False)
    return found.returncode == 0


class Worker:
    """A process in one environment that replays one task after another."""

    def __init__(self, python: Path) -> None:
        path = os.pathsep.join([str(ROOT), str(ROOT / "benchmarks")])
        self._process = subprocess.Popen(
            [str(python), str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )

    def replay(self, task: Task) -> dict[str, Any]:
        """Return the record of one task.

        Raises
        ------
        SystemExit
            The worker died; what it said stands above on the error stream.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(asdict(task)) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise SystemExit(
                f"the replay of {task.planner} on {task.pool}, seed {task.seed}, ended without a "
                "record; its error stands above. Finished replays are kept: mend it and run again"
            )
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        """Let the process end."""
        self._process.communicate()
