"""From files to a run: a new campaign, or one that goes on where it stopped."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.campaign import Campaign, load_campaign, parse_campaign
from orchestrator.deciding.deciders import match_planner
from orchestrator.deciding.lessons import (
    Lesson,
    as_config,
    earlier_campaigns,
    pin_lessons,
    pinned_lessons,
)
from orchestrator.errors import BadFile, CampaignError, Fault
from orchestrator.forecast import Forecast, look_ahead
from orchestrator.laboratories.laboratory import (
    Laboratory,
    build_laboratory,
    load_laboratory,
    parse_laboratory,
)
from orchestrator.laboratories.matching import Match, match
from orchestrator.run import Run, Step
from orchestrator.sharing.desk import Desk, LocalDesk
from orchestrator.sharing.store_desk import StoreDesk
from orchestrator.storage.storeroom import Storeroom
from orchestrator.storage.supplies import open_storeroom, secure
from orchestrator.store import Store, software_versions
from orchestrator.store.records import CampaignRecord
from orchestrator.toml_source import TomlSource, parse_toml


@dataclass(frozen=True, slots=True)
class Prepared:
    """A campaign and a laboratory that fit each other, before anything is recorded or moved.

    Attributes
    ----------
    dry_run : the laboratory is the twin of the one that was named.
    """

    campaign: Campaign
    laboratory: Laboratory
    match: Match
    campaign_source: TomlSource
    laboratory_source: TomlSource
    dry_run: bool


def prepare(
    campaign_path: Path, laboratory_path: Path | None = None, *, dry_run: bool = False
) -> Prepared:
    """Return a campaign and its laboratory, read and checked against each other.

    Parameters
    ----------
    laboratory_path : laboratory file; None takes the one the campaign names.

    Raises
    ------
    BadFile
        With every fault found in the file that has them.
    """
    campaign, source = load_campaign(campaign_path)
    path = laboratory_path or _default_laboratory(campaign, source)
    file, laboratory_source = load_laboratory(path)
    laboratory = build_laboratory(file, laboratory_source, twin=dry_run)
    matched = match(campaign, laboratory, source)
    return Prepared(campaign, laboratory, matched, source, laboratory_source, dry_run)


def with_changes(
    prepared: Prepared, *, seed: int | None = None, experiments: int | None = None
) -> Prepared:
    """Return the same with another seed or number of experiments, as the command line asks.

    Raises
    ------
    CampaignError
        The number is impossible.
    """
    text, campaign = prepared.campaign_source.text, prepared.campaign
    if experiments is not None:
        if experiments < 1:
            raise CampaignError(f"{experiments} experiments were asked for; at least 1 is needed")
        budget = campaign.budget.model_copy(update={"experiments": experiments})
        campaign = campaign.model_copy(update={"budget": budget})
    if seed is not None:
        if seed < 0:
            raise CampaignError(f"the seed {seed} was asked for; a whole number from 0 is needed")
        campaign = campaign.model_copy(update={"seed": seed})
    if campaign is prepared.campaign:
        return prepared
    matched = match(campaign, prepared.laboratory, prepared.campaign_source)
    source = replace(prepared.campaign_source, text=text)
    return replace(prepared, campaign=campaign, match=matched, campaign_source=source)


def begin(
    prepared: Prepared,
    store: Store,
    *,
    watch: Callable[[Step], None] | None = None,
    expected: Forecast | None = None,
) -> Run:
    """Record a new campaign, keep back what it will use, and return it ready to run.

    Parameters
    ----------
    expected : what it will take, if that is known already.

    Raises
    ------
    LaboratoryRefused
        The stock does not last; nothing is recorded.
    BadFile
        An earlier campaign to learn from is unknown or teaches nothing here.
    """
    now = datetime.now(UTC)
    campaign = prepared.campaign
    simulated = prepared.laboratory.simulated
    lessons = pin_lessons(campaign, prepared.campaign_source, store, simulated=simulated)
    record = CampaignRecord(
        id=new_id(prepared.campaign_source.path.stem, now),
        name=campaign.name,
        status="created",
        message="",
        created=now,
        updated=now,
        campaign_toml=prepared.campaign_source.text,
        campaign_source=str(prepared.campaign_source.path.resolve()),
        laboratory_toml=prepared.laboratory_source.text,
        laboratory_source=str(prepared.laboratory_source.path.resolve()),
        seed=campaign.seed,
        dry_run=simulated,
        versions=software_versions(),
        config={
            **campaign.model_dump(mode="json", exclude={"space": {"candidates"}}),
            "twin": prepared.dry_run,
            "lessons": as_config(lessons),
        },
    )
    laboratory = prepared.laboratory
    matched = _taught(prepared.match, campaign, prepared.campaign_source, lessons, store)
    expected = expected or look_ahead(campaign, laboratory, matched)
    with store.beginning(record):
        room = open_storeroom(record.id, laboratory, store)
        secure(campaign, laboratory, matched, room, expected)
    return _run(record.id, campaign, laboratory, matched, room, watch)


def reopen(campaign_id: str, store: Store, *, watch: Callable[[Step], None] | None = None) -> Run:
    """Return a recorded campaign ready to go on, read from the files as they were recorded.

    Raises
    ------
    UnknownCampaign, BadFile
    """
    record = store.campaign(campaign_id)
    campaign, source = recorded_campaign(record)
    file, laboratory_source = parse_laboratory(
        parse_toml(record.laboratory_toml, Path(record.laboratory_source))
    )
    laboratory = build_laboratory(
        file,
        laboratory_source,
        twin=bool(record.config["twin"]),
        start=_time_reached(store, record.id),
    )
    matched = match(campaign, laboratory, source)
    matched = _taught(matched, campaign, source, pinned_lessons(record.config), store)
    with store.together(record.id):
        room = open_storeroom(record.id, laboratory, store)
    return _run(record.id, campaign, laboratory, matched, room, watch)


def _taught(
    matched: Match,
    campaign: Campaign,
    source: TomlSource,
    lessons: Sequence[Lesson],
    store: Store,
) -> Match:
    """Return the match with a planner that knows the earlier campaigns it learns from."""
    if not lessons:
        return matched
    faults: list[Fault] = []
    planner = match_planner(
        campaign,
        source,
        faults,
        agents=matched.agents.values(),
        earlier=earlier_campaigns(lessons, store),
    )
    if faults or planner is None:
        raise BadFile(source.path, faults)
    return replace(matched, planner=planner)


def recorded_campaign(record: CampaignRecord) -> tuple[Campaign, TomlSource]:
    """Return a campaign as it was recorded, seed and number of experiments included.

    Raises
    ------
    BadFile
        This sdlab does not understand the file any more.
    """
    campaign, source = parse_campaign(
        parse_toml(record.campaign_toml, Path(record.campaign_source))
    )
    budget = campaign.budget.model_copy(
        update={"experiments": record.config["budget"]["experiments"]}
    )
    return campaign.model_copy(update={"seed": record.seed, "budget": budget}), source


def new_id(name: str, now: datetime) -> str:
    """Return an identifier that can be read, typed and used as a file name."""
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:20].rstrip("-") or "campaign"
    return f"{stem}-{now:%y%m%d}-{secrets.token_hex(2)}"


def _time_reached(store: Store, campaign_id: str) -> datetime | None:
    """Return the laboratory time at which the last settled action ended."""
    ends = [a.finished for a in store.actions(campaign_id) if a.finished is not None]
    return max(ends, default=None)


def _default_laboratory(campaign: Campaign, source: TomlSource) -> Path:
    if not campaign.laboratory:
        message = 'names no laboratory; add `laboratory = "lab.toml"` or use --lab FILE'
        raise BadFile(source.path, [Fault(0, "laboratory", message)])
    path = source.path.parent / campaign.laboratory
    if not path.is_file():
        message = f"the laboratory file {path} does not exist; correct the path or use --lab FILE"
        raise BadFile(source.path, [source.fault(("laboratory",), message)])
    return path


def _run(
    campaign_id: str,
    campaign: Campaign,
    laboratory: Laboratory,
    matched: Match,
    room: Storeroom,
    watch: Callable[[Step], None] | None,
) -> Run:
    store = room.store
    run = Run(
        campaign_id,
        campaign,
        laboratory,
        matched,
        store,
        desk=_desk(laboratory, store),
        storeroom=room,
    )
    return run if watch is None else replace(run, watch=watch)


def _desk(laboratory: Laboratory, store: Store) -> Desk:
    """Return who lends the instruments: those in virtual time exist in this process alone."""
    if laboratory.clock.is_virtual:
        return LocalDesk(laboratory.clock)
    return StoreDesk(store.leases, laboratory.name)
