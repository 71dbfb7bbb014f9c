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

CampaignArgument = Annotated[
    str, typer.Argument(help="The campaign, the beginning of its id, or `last`.")
]


def home_folder(home: Path | None) -> Path:
    """Return the state folder, made if it is not there."""
    folder = (home or Path(platformdirs.user_data_dir("sdlab"))).expanduser().resolve()
    from orchestrator.errors import CampaignError

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
    """Return the store of a state folder; `SDLAB_DATABASE` names another database by URL."""
    import os

    from orchestrator.store import Store

    url = os.environ.get("SDLAB_DATABASE") or f"sqlite:///{folder / 'sdlab.sqlite'}"
    return Store.open(url, folder / "arrays")


def named(store: Store, campaign_id: str) -> str:
    """Return the id of the campaign that a person names by its beginning or as `last`."""
    from orchestrator.errors import UnknownCampaign

    if campaign_id != "last":
        return store.campaign(campaign_id).id
    records = store.campaigns()
    if not records:
        raise UnknownCampaign("there is no campaign yet; start one with `sdlab run tio2`")
    return records[0].id
