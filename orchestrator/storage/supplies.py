"""Supplies: a campaign starts only if what it will use is there and not kept back for another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from orchestrator.campaign import Campaign
from orchestrator.errors import LaboratoryRefused
from orchestrator.forecast import Forecast, look_ahead
from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.laboratories.matching import Match
from orchestrator.run import Run
from orchestrator.storage.storeroom import Storeroom
from orchestrator.storage.vessels import STORE
from orchestrator.store import Store
from orchestrator.store.storage_records import Level, Shortage

Good = tuple[str, str]
"""Instrument and consumable."""

Needs = Mapping[Good, float]


def open_storeroom(campaign_id: str, laboratory: Laboratory, store: Store) -> Storeroom:
    """Return the storeroom of a campaign; what is seen for the first time is put on its shelves."""
    room = Storeroom.of(campaign_id, laboratory, store)
    at = laboratory.clock.now()
    room.vessels.declare(laboratory.vessels, at=at)
    remarks = [
        _differs(level, consumable.stock)
        for name in sorted(laboratory.instruments)
        for consumable in laboratory.describe(name).consumables
        if (level := store.stock.declare(room.scope, name, consumable, at)) is not None
    ]
    return replace(room, remarks=tuple(remarks))


def as_stocked(expected: Forecast, laboratory: Laboratory, store: Store) -> Forecast:
    """Return a forecast with what is left now instead of what the laboratory file says."""
    if laboratory.simulated:
        return expected  # every dry run starts full
    left = {(n.instrument, n.consumable): n.left for n in store.stock.levels(laboratory.name)}
    supplies = tuple(
        replace(s, stock=left.get((s.instrument, s.name), s.stock)) for s in expected.supplies
    )
    return replace(expected, supplies=supplies)


def secure(
    campaign: Campaign, laboratory: Laboratory, match: Match, room: Storeroom, expected: Forecast
) -> None:
    """Keep back what a new campaign will use.

    Raises
    ------
    LaboratoryRefused
        Something does not last; the caller's transaction should be rolled back.
    """
    n = campaign.budget.experiments
    needs = _shared(expected, laboratory, match)
    short = _reserve(room, needs, _vessels(campaign, laboratory, match, n))
    _refuse(short, laboratory, f"{n} experiments; nothing was started", "plan fewer with -n")


def secure_again(run: Run, store: Store) -> None:
    """Keep back what the rest of a campaign will use, before it goes on.

    What its experiments under way have used already is not needed again.

    Raises
    ------
    LaboratoryRefused
        Something does not last.
    """
    assert isinstance(run.storeroom, Storeroom)
    expected = look_ahead(run.campaign, run.laboratory, run.match)
    progress = store.progress()[run.id]
    n = max(run.campaign.budget.experiments - progress.ended, 0)
    used = store.stock.used_under_way(run.id)
    needs = {
        good: max(amount * n / expected.experiments - used.get(good, 0.0), 0.0)
        for good, amount in _shared(expected, run.laboratory, run.match).items()
    }
    to_begin = max(run.campaign.budget.experiments - progress.begun, 0)
    with store.together(run.id):
        vessels = _vessels(run.campaign, run.laboratory, run.match, to_begin)
        short = _reserve(run.storeroom, needs, vessels)
        how = f"the {n} experiments that are left; nothing was started"
        _refuse(short, run.laboratory, how, "`sdlab cancel` it")


def _reserve(room: Storeroom, needs: Needs, vessels: Mapping[str, float]) -> list[Shortage]:
    at = room.now()
    found = [room.vessels.shortage(kind, n, at=at) for kind, n in sorted(vessels.items())]
    short = room.store.stock.reserve(room.scope, room.campaign_id, needs)
    for kind, n in vessels.items():
        key = {"scope": room.scope, "instrument": STORE, "consumable": kind}
        room.store.stock.keep_back(key, room.campaign_id, n)
    return short + [shortage for shortage in found if shortage is not None]


def _shared(expected: Forecast, laboratory: Laboratory, match: Match) -> dict[Good, float]:
    """Return what is needed of each consumable; instruments that do a step alike share it."""
    needs: dict[Good, float] = {}
    steps = (match.synthesizers, *(match.measuring(i) for i in range(len(match.measurers))))
    for supply in expected.supplies:
        alike = next((names for names in steps if supply.instrument in names), ())
        users = [n for n in alike if supply.name in _consumables(laboratory, n)]
        for name in users or [supply.instrument]:
            share = supply.needed / max(len(users), 1)
            needs[name, supply.name] = needs.get((name, supply.name), 0.0) + share
    return needs


def _consumables(laboratory: Laboratory, name: str) -> list[str]:
    return [consumable.name for consumable in laboratory.describe(name).consumables]


def _vessels(
    campaign: Campaign, laboratory: Laboratory, match: Match, experiments: int
) -> dict[str, float]:
    """Return how many vessels of each kind must be free.

    A real sample stays in its vessel until a person washes it; a simulated one frees it when its
    experiment has ended.
    """
    at_once = min(campaign.in_flight, experiments) if laboratory.simulated else experiments
    kinds = laboratory.vessel_kinds
    return {kinds[name]: float(at_once) for name in match.synthesizers if name in kinds}


def _refuse(short: list[Shortage], laboratory: Laboratory, what: str, otherwise: str) -> None:
    if not short:
        return
    held = any(shortage.reserved for shortage in short)
    release = ", give up a reservation with `sdlab stock release CAMPAIGN`" if held else ""
    refill = (
        "Give its laboratory file more"
        if laboratory.simulated
        else "Refill it, say so with `sdlab stock fill` (`sdlab return` for vessels)"
    )
    raise LaboratoryRefused(
        f"the stock of {laboratory.name} does not last for {what}. {refill}{release}, or "
        f"{otherwise}:\n  " + "\n  ".join(map(str, short))
    )


def _differs(level: Level, declared: float) -> str:
    return (
        f"the laboratory file now says {declared:g} {level.unit} of {level.consumable} for "
        f"{level.instrument} (it said {level.declared:g}); {level.left:g} are left by the books, "
        f"which are believed. If it was refilled, say `sdlab stock fill '{level.scope}' "
        f"{level.instrument} {level.consumable} AMOUNT`"
    )
