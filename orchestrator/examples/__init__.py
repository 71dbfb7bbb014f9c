"""Campaigns that come with sdlab, each with its laboratory."""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

from orchestrator.errors import CampaignError

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return the names of the examples."""
    return sorted(p.stem for p in FOLDER.glob("*.toml") if not p.stem.endswith("_lab"))


def find_campaign(name: str) -> Path:
    """Return a campaign file: a path as it is, or the example of that name.

    Raises
    ------
    CampaignError
        It is neither.
    """
    path = Path(name).expanduser()
    if path.suffix or path.exists():
        return path
    if name in names():
        return FOLDER / f"{name}.toml"
    close = difflib.get_close_matches(name, names(), n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise CampaignError(
        f"{name!r} is neither a file nor an example; the examples are {', '.join(names())}{hint}"
    )


def copy(name: str, folder: Path) -> list[Path]:
    """Copy an example and its laboratory files into a folder, overwriting nothing.

    Raises
    ------
    CampaignError
        There is no such example, a file is there already, or the folder cannot be written.
    """
    campaign = find_campaign(name)
    longer = tuple(f"{n}_" for n in names() if n.startswith(f"{campaign.stem}_"))
    laboratories = sorted(FOLDER.glob(f"{campaign.stem}_*lab.toml"))
    files = [campaign, *(f for f in laboratories if not f.name.startswith(longer))]
    targets = [folder / p.name for p in files]
    there = [t for t in targets if t.exists()]
    if there:
        raise CampaignError(f"{there[0]} exists already; choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source, target in zip(files, targets, strict=True):
            shutil.copyfile(source, target)
    except OSError as error:
        raise CampaignError(
            f"the example cannot be copied to {folder} ({error.strerror}); choose another folder"
        ) from error
    return targets
