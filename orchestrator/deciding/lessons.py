"""Earlier campaigns that a planner is to learn from: found once in the store, then pinned.

A campaign file says ``learn_from = ["campaign-id", "or its name"]`` under ``[planner.settings]``.
What was recorded of them when the campaign begins is all it ever learns, so that it goes on
alike after a stop and can be replayed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from orchestrator.acting.current import current
from orchestrator.campaign import Campaign, parse_campaign
from orchestrator.errors import BadFile, Fault, UnknownCampaign
from orchestrator.store import Store
from orchestrator.store.records import CampaignRecord
from orchestrator.toml_source import TomlSource, parse_toml
from planners.earlier import EarlierCampaign, check_earlier
from planners.errors import PlanningError

WHERE = ("planner", "settings", "learn_from")

MOST_OF_A_NAME = 5
"""Campaigns that one name stands for at most, the newest."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learnt from one campaign.

    Attributes
    ----------
    campaign : its identifier.
    observations : how many of its experiments, in the order of recording.
    """

    campaign: str
    observations: int


def pin_lessons(
    campaign: Campaign, source: TomlSource, store: Store, *, simulated: bool
) -> tuple[Lesson, ...]:
    """Return the campaigns that are to be learnt from, with what is recorded of them now.

    An identifier, or its beginning, stands for one campaign; a name for the newest
    `MOST_OF_A_NAME` campaigns called so which are real if this one is, and simulated if it is.

    Parameters
    ----------
    simulated : nothing physical can move.

    Raises
    ------
    BadFile
        There is no such campaign, it has no experiment, or shares no setting or wanted quantity.
    """
    asked = campaign.planner.settings.get("learn_from", ())
    names = [asked] if isinstance(asked, str) else asked
    if not isinstance(names, Sequence) or not names:
        return ()
    faults: list[Fault] = []
    lessons: dict[str, Lesson] = {}
    for name in names:
        try:
            for record in _meant(str(name), store, simulated=simulated):
                lesson = Lesson(record.id, len(store.observations_since(record.id)[1]))
                check_earlier(campaign.space, campaign.objective, [_told(lesson, store)])
                lessons[record.id] = lesson
        except UnknownCampaign as error:
            faults.append(source.fault(WHERE, f"{error}; `sdlab list` shows what there is"))
        except (PlanningError, BadFile) as error:
            faults.append(source.fault(WHERE, str(error)))
    if faults:
        raise BadFile(source.path, faults)
    return tuple(lessons.values())


def as_config(lessons: Sequence[Lesson]) -> list[dict[str, Any]]:
    """Return lessons as they are kept with a campaign."""
    return [asdict(lesson) for lesson in lessons]


def pinned_lessons(config: Mapping[str, Any]) -> tuple[Lesson, ...]:
    """Return the lessons kept with a campaign."""
    return tuple(Lesson(**lesson) for lesson in config.get("lessons", ()))


def earlier_campaigns(lessons: Sequence[Lesson], store: Store) -> tuple[EarlierCampaign, ...]:
    """Return what each campaign had searched and found when it was pinned.

    Raises
    ------
    UnknownCampaign, BadFile
        One is not in the store any more, or this sdlab does not understand its file.
    """
    return tuple(_told(lesson, store) for lesson in lessons)


def _told(lesson: Lesson, store: Store) -> EarlierCampaign:
    record = store.campaign(lesson.campaign)
    campaign, _ = parse_campaign(parse_toml(record.campaign_toml, Path(record.campaign_source)))
    _, told = store.observations_since(record.id)
    return EarlierCampaign(
        name=record.id,
        space=campaign.space,
        observations=tuple(o for _, o in current(told[: lesson.observations])),
    )


def _meant(name: str, store: Store, *, simulated: bool) -> list[CampaignRecord]:
    """Return the campaigns that a name or an identifier stands for, newest first."""
    called = [r for r in store.campaigns() if r.name == name]
    alike = [r for r in called if r.dry_run == simulated]
    if alike:
        return alike[:MOST_OF_A_NAME]
    if called:
        one, other = ("simulated", "real") if simulated else ("real", "simulated")
        raise UnknownCampaign(
            f"no {one} campaign is called {name!r}, but {len(called)} {other} ones are; to learn "
            f"from one of these, give its identifier, such as {called[0].id!r}"
        )
    return [store.campaign(name)]
