"""The files of a laboratory server are accepted by the programs that will read them."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from orchestrator.deploy import write_files
from orchestrator.under_prefect.server import Server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_files(tmp_path / "server", pool="furnace-room")
    return tmp_path / "server"


def test_secrets_are_in_one_file_of_their_owner_and_drawn_once(folder: Path) -> None:
    path = folder / "secrets.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    pairs = [line.partition("=") for line in path.read_text().splitlines() if "=" in line]
    secrets = {name: value for name, _, value in pairs}
    assert secrets["PREFECT_API_AUTH_STRING"] == secrets["PREFECT_SERVER_API_AUTH_STRING"]
    drawn = {secrets["POSTGRES_PASSWORD"], secrets["PREFECT_API_AUTH_STRING"].partition(":")[2]}
    assert all(len(secret) >= 32 for secret in drawn)
    others = "".join(p.read_text() for p in folder.iterdir() if p != path)
    assert not any(secret in others for secret in drawn)
    before = path.read_text()
    write_files(folder, pool="furnace-room")
    assert path.read_text() == before


def test_no_mark_is_left_unfilled(folder: Path) -> None:
    for path in folder.iterdir():
        assert not re.search(r"@(pool|bin|folder|auth|password)@", path.read_text()), path


def test_compose_publishes_on_loopback_only_and_refers_to_what_it_declares(folder: Path) -> None:
    text = (folder / "compose.yaml").read_text()
    compose = yaml.safe_load(text)
    ports = [p for service in compose["services"].values() for p in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    for service in compose["services"].values():
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        mounted = {volume.split(":")[0] for volume in service.get("volumes", [])}
        assert mounted <= set(compose["volumes"])
        assert {c["source"] for c in service.get("configs", [])} <= set(compose["configs"])
    named = set(re.findall(r"\$\{(\w+):\?", text))
    given = set(re.findall(r"^(\w+)=", (folder / "secrets.env").read_text(), re.MULTILINE))
    assert named - given == {"SDLAB_SOURCE"}
    assert re.findall(r"\$\{\w+\}", text) == [], "a variable that is missing must stop compose"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_accepts_the_units(folder: Path) -> None:
    units = [str(p) for p in folder.glob("*.service")]
    assert len(units) == 3
    done = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.prefect
async def test_prefect_makes_of_its_file_the_deployment_that_sdlab_makes(
    folder: Path, server: Server
) -> None:
    from prefect.client.orchestration import get_client

    from orchestrator.under_prefect.deployment import ensure_deployment

    made = await ensure_deployment("furnace-room")
    async with get_client() as client:
        ours = await client.read_deployment(made.id)
        line = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
        done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        again = await client.read_deployment(made.id)
    assert made.pool_was_made
    for name in ("id", "entrypoint", "work_pool_name", "parameter_openapi_schema"):
        assert getattr(again, name) == getattr(ours, name), name
