"""How a person names the state folder and a campaign on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.home import HOME_VARIABLE, home_folder, open_store

if TYPE_CHECKING:
    from orchestrator.store import Store

__all__ = ["CampaignArgument", "HomeOption", "home_folder", "named", "open_store"]

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar=HOME_VARIABLE,
        help="Folder of the history, reports and server; by default your user data folder.",
        show_default=False,
    ),
]

CampaignArgument = Annotated[
    str, typer.Argument(help="The campaign, the beginning of its id, or `last`.")
]


def named(store: Store, campaign_id: str) -> str:
    """Return the id of the campaign that a person names by its beginning or as `last`."""
    from orchestrator.errors import UnknownCampaign

    if campaign_id != "last":
        return store.campaign(campaign_id).id
    records = store.campaigns()
    if not records:
        raise UnknownCampaign("there is no campaign yet; start one with `sdlab run tio2`")
    return records[0].id
