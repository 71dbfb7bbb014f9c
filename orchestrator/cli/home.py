"""Where campaigns live: the state folder and the store in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import platformdirs
import typer

if TYPE_CHECKING:
    from orchestrator.store import Store

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="SDLAB_HOME",
        help="Folder of the history, reports and server; by default your user data folder.",
        show_default=False,
    ),
]


def home_folder(home: Path | None) -> Path:
    """Return the state folder, made if it is not there."""
    folder = (home or Path(platformdirs.user_data_dir("sdlab"))).expanduser().resolve()
    from orchestrator.errors import CampaignError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CampaignError(
            f"the state folder {folder} cannot be made ({error.strerror}); name another with "
            "--home or SDLAB_HOME"
        ) from error
    return folder


def open_store(folder: Path) -> Store:
    """Return the store of a state folder; `SDLAB_DATABASE` names another database by URL."""
    import os

    from orchestrator.store import Store

    url = os.environ.get("SDLAB_DATABASE") or f"sqlite:///{folder / 'sdlab.sqlite'}"
    return Store.open(url, folder / "arrays")
