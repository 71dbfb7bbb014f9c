"""How long after `sdlab stop --now` has every instrument been reached, its flow process dead?

A laboratory of hosted furnaces and diffractometers is started in processes of its own and a
campaign fires samples in it. The campaign's process is killed with SIGKILL while a furnace is hot;
the hosts go on. Then `sdlab stop --now` is called as a person would. Measured are the time until
every instrument had answered, counted from the moment the stop begins to act, and the whole time of
the command with the start of its interpreter.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SDLAB = (sys.executable, "-c", "from orchestrator.cli import main; main()")
EXAMPLES = Path(__file__).parents[1] / "orchestrator" / "examples"
LIMIT = 500.0
"""Milliseconds within which every instrument has to be reached."""


def laboratory(ports: list[int]) -> str:
    """Return the example's laboratory with every instrument in a host of its own."""
    text = (EXAMPLES / "tio2_lab.toml").read_text()
    for name, port in zip(("furnace", "diffractometer"), ports, strict=True):
        text = text.replace(
            f"[instruments.{name}]\n", f'[instruments.{name}]\nhost = "{name}"\n', 1
        )
        text += f'\n[hosts.{name}]\naddress = "127.0.0.1:{port}"\nspeed = 100\n'
    return text


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    import socket

    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a command in the background."""
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [*SDLAB, *arguments, "--home", str(folder / "home")],
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )


def until_it_fires(folder: Path) -> None:
    """Return when the furnace carries out a command."""
    from orchestrator.store import Store

    database = folder / "home" / "sdlab.sqlite"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if database.exists():
            with Store.open(f"sqlite:///{database}", folder / "home" / "arrays") as store:
                if any(store.unsettled_actions(r.id) for r in store.campaigns()):
                    return
        time.sleep(0.1)
    raise SystemExit(f"nothing was fired:\n{(folder / 'log.txt').read_text()}")


def once(folder: Path) -> dict[str, float]:
    """Return the times of one emergency stop [ms]."""
    folder.mkdir()
    lab, campaign = folder / "lab.toml", folder / "tio2.toml"
    lab.write_text(laboratory(free_ports(2)))
    campaign.write_text((EXAMPLES / "tio2.toml").read_text().replace("tio2_lab.toml", "lab.toml"))
    hosts = [
        start(folder, "host", str(lab), "--name", name) for name in ("furnace", "diffractometer")
    ]
    try:
        time.sleep(8)
        flow = start(folder, "run", str(campaign), "--no-prefect")
        until_it_fires(folder)
        time.sleep(2)  # the furnace is hot
        os.killpg(flow.pid, signal.SIGKILL)
        flow.wait()
        began = time.perf_counter()
        said = subprocess.run(
            [*SDLAB, "stop", "--now", "--home", str(folder / "home")],
            capture_output=True,
            text=True,
        )
        whole = (time.perf_counter() - began) * 1000
        if said.returncode != 0:
            raise SystemExit(f"not everything was stopped:\n{said.stdout}{said.stderr}")
        print(said.stdout)
        reached = float(re.findall(r"every answer was there within (\d+) ms", said.stdout)[0])
        return {"reached_ms": reached, "command_ms": whole}
    finally:
        for host in hosts:
            os.killpg(host.pid, signal.SIGKILL)
            host.wait()


def main() -> None:
    """Measure, print a table and JSON; exit with 1 if the limit is not kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="emergency stops to measure")
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder:
        found = [once(Path(folder) / str(i)) for i in range(repeats)]
    reached = [each["reached_ms"] for each in found]
    command = [each["command_ms"] for each in found]
    print(f"{'':<34}{'median':>10}{'worst':>10}")
    for what, times in (
        ("every instrument reached [ms]", reached),
        ("whole command [ms]", command),
    ):
        print(f"{what:<34}{statistics.median(times):>10.0f}{max(times):>10.0f}")
    result = {"repeats": repeats, "limit_ms": LIMIT, "runs": found, "kept": max(reached) <= LIMIT}
    print(json.dumps(result))
    sys.exit(0 if result["kept"] else 1)


if __name__ == "__main__":
    main()
