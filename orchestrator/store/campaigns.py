"""Campaigns: found by name, counted, and moved from one status to the next."""

from __future__ import annotations

import difflib
from typing import Any

from sqlalchemy import Engine, Integer, and_, bindparam, cast, func, select, update

from orchestrator.errors import UnknownCampaign
from orchestrator.store import rows
from orchestrator.store.engine import reading
from orchestrator.store.ledger import Ledger
from orchestrator.store.records import CampaignRecord, Event, Progress, check_status
from orchestrator.store.stock_statements import RELEASE
from orchestrator.store.tables import CAMPAIGN, EVENT, OBSERVATION, PROPOSAL

OVER = frozenset({"finished", "cancelled", "failed"})
"""A campaign that ended so keeps nothing back; one that is resumed looks again what there is."""

_STATUS = (
    update(CAMPAIGN)
    .where(CAMPAIGN.c.id == bindparam("this_id"))
    .values({name: bindparam(name) for name in ("status", "message", "updated")})
)


_UNFINISHED = (
    select(PROPOSAL.c.number)
    .outerjoin(
        OBSERVATION,
        and_(
            OBSERVATION.c.campaign_id == PROPOSAL.c.campaign_id,
            OBSERVATION.c.number == PROPOSAL.c.number,
        ),
    )
    .where(PROPOSAL.c.campaign_id == bindparam("campaign_id"), OBSERVATION.c.number.is_(None))
    .order_by(PROPOSAL.c.number)
)


def find(engine: Engine, asked: str) -> CampaignRecord:
    """Return a campaign by its id or by the beginning of it, if only one begins so."""
    with reading(engine) as connection:
        known = list(connection.execute(select(CAMPAIGN.c.id)).scalars())
        name = _the_one_meant(asked, known)
        row = connection.execute(select(CAMPAIGN).where(CAMPAIGN.c.id == name)).one()
    return rows.campaign_record(row)


def newest_first(engine: Engine) -> list[CampaignRecord]:
    """Return every campaign."""
    query = select(CAMPAIGN).order_by(CAMPAIGN.c.created.desc(), CAMPAIGN.c.id)
    with reading(engine) as connection:
        return [rows.campaign_record(row) for row in connection.execute(query)]


def progress(engine: Engine) -> dict[str, Progress]:
    """Return campaign → how many experiments it has begun, ended and lost."""
    counts = (
        func.count(PROPOSAL.c.number),
        func.count(OBSERVATION.c.number),
        func.coalesce(func.sum(cast(OBSERVATION.c.failed, Integer)), 0),
    )
    observed = and_(
        OBSERVATION.c.campaign_id == PROPOSAL.c.campaign_id,
        OBSERVATION.c.number == PROPOSAL.c.number,
    )
    query = (
        select(CAMPAIGN.c.id, *counts)
        .outerjoin(PROPOSAL, PROPOSAL.c.campaign_id == CAMPAIGN.c.id)
        .outerjoin(OBSERVATION, observed)
        .group_by(CAMPAIGN.c.id)
    )
    with reading(engine) as connection:
        found = connection.execute(query).all()
    return {name: Progress(begun, ended, failed) for name, begun, ended, failed in found}


def unfinished(ledger: Ledger, campaign_id: str) -> list[int]:
    """Return the experiments that were begun and have not ended, by number."""
    ledger.is_durable(campaign_id)
    with reading(ledger.engine) as connection:
        return list(connection.execute(_UNFINISHED, {"campaign_id": campaign_id}).scalars())


def set_status(ledger: Ledger, campaign_id: str, status: str, message: str) -> None:
    """Change how a campaign stands, and log the change."""
    check_status(status)
    changed = {"this_id": campaign_id, "status": status, "message": message, "updated": rows.now()}
    with ledger.writing(campaign_id):
        ledger.driver.change(_STATUS, changed)
        if status in OVER:
            ledger.driver.change(RELEASE, {"this_campaign_id": campaign_id})
        log(ledger, campaign_id, "status", f"{status}: {message}" if message else status, None)


def log(ledger: Ledger, campaign_id: str, kind: str, message: str, number: int | None) -> None:
    """Add a line to a campaign's log."""
    values: dict[str, Any] = {
        "campaign_id": campaign_id,
        "kind": kind,
        "message": message,
        "number": number,
        "at": rows.now(),
    }
    with ledger.writing(campaign_id):
        ledger.driver.insert(EVENT, values)


def events(engine: Engine, campaign_id: str) -> list[Event]:
    """Return a campaign's log, oldest first."""
    query = select(EVENT).where(EVENT.c.campaign_id == campaign_id).order_by(EVENT.c.row)
    with reading(engine) as connection:
        return [rows.event_record(row) for row in connection.execute(query)]


def _the_one_meant(asked: str, known: list[str]) -> str:
    """Return the campaign that `asked` names or begins, if it is only one."""
    if asked in known:
        return asked
    found = sorted(name for name in known if asked and name.startswith(asked))
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownCampaign(
            f"{asked!r} begins {len(found)} campaigns: {', '.join(found[:8])}; write more of the id"
        )
    near = difflib.get_close_matches(asked, known, n=4, cutoff=0.4)
    hint = (
        f"; did you mean {' or '.join(near)}?" if near else "; `sdlab list` shows those there are"
    )
    raise UnknownCampaign(f"no campaign is called or begins with {asked!r}{hint}")
