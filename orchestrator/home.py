"""Where campaigns live: the state folder, the database of the history, and the folder of arrays.

On one machine all three are one folder. Workers on several machines share the database by
``SDLAB_DATABASE`` and the arrays by ``SDLAB_ARRAYS``, a folder that all of them mount.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from orchestrator.errors import CampaignError

if TYPE_CHECKING:
    from orchestrator.store import Store

HOME_VARIABLE = "SDLAB_HOME"
DATABASE_VARIABLE = "SDLAB_DATABASE"
ARRAYS_VARIABLE = "SDLAB_ARRAYS"


def home_folder(home: Path | None = None) -> Path:
    """Return the state folder, made if it is not there.

    Parameters
    ----------
    home : by default what ``SDLAB_HOME`` names, else the user's data folder.

    Raises
    ------
    CampaignError
        The folder cannot be made, or its name cannot stand in a database's address.
    """
    named = home or Path(os.environ.get(HOME_VARIABLE) or platformdirs.user_data_dir("sdlab"))
    folder = named.expanduser().resolve()
    if "?" in str(folder):  # a database URL ends there, so two folders would share one history
        raise CampaignError(
            f"the state folder {folder} has a '?' in its path; name another with --home or "
            "SDLAB_HOME"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CampaignError(
            f"the state folder {folder} cannot be made ({error.strerror}); name another with "
            "--home or SDLAB_HOME"
        ) from error
    return folder


def open_store(folder: Path) -> Store:
    """Return the store of a state folder, or of the database that ``SDLAB_DATABASE`` names."""
    from orchestrator.store import Store

    arrays = os.environ.get(ARRAYS_VARIABLE)
    return Store.open(database_url(folder), Path(arrays) if arrays else folder / "arrays")


def database_url(folder: Path) -> str:
    """Return the address of the history's database."""
    return os.environ.get(DATABASE_VARIABLE) or f"sqlite:///{folder / 'sdlab.sqlite'}"
