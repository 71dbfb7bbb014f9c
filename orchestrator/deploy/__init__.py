"""The files of a laboratory server, filled in for this machine: Prefect, compose and systemd.

Secrets are in one file that only its owner can read; every other file refers to them by name.
"""

from __future__ import annotations

import secrets
import sys
from importlib.resources import files
from pathlib import Path

__all__ = ["write_files"]

SECRETS = "secrets.env"

_NAMES = (
    "prefect.yaml",
    "compose.yaml",
    "sdlab-server.service",
    "sdlab-worker.service",
    "sdlab-watch.service",
)


def write_files(folder: Path, *, pool: str) -> list[Path]:
    """Write the files of a laboratory server, and return their paths.

    Secrets that are there already stay; without them new ones are drawn.

    Parameters
    ----------
    pool : the work pool whose workers take turns.
    """
    folder = folder.expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    known = {"pool": pool, "bin": str(Path(sys.executable).parent), "folder": str(folder)}
    written = [_fill(name, folder, known) for name in _NAMES]
    return [*written, _write_secrets(folder / SECRETS)]


def _fill(name: str, folder: Path, known: dict[str, str]) -> Path:
    text = files("orchestrator.deploy").joinpath(name).read_text()
    for key, value in known.items():
        text = text.replace(f"@{key}@", value)
    path = folder / name
    path.write_text(text)
    return path


def _write_secrets(path: Path) -> Path:
    if path.exists():
        return path
    text = files("orchestrator.deploy").joinpath("secrets.env").read_text()
    text = text.replace("@auth@", f"sdlab:{secrets.token_urlsafe(24)}")
    text = text.replace("@password@", secrets.token_urlsafe(24))
    path.touch(mode=0o600)
    path.write_text(text)
    return path
