"""A person moved, washed or took out a thing, and says so."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime

from orchestrator.errors import CampaignError
from orchestrator.store import Store
from orchestrator.store.custody import BY_PERSON
from orchestrator.store.records import CampaignRecord
from orchestrator.store.storage_records import AWAY, SHELF, Whereabouts

THINGS_IN_VESSELS = frozenset({"sample", "remains"})


def find_thing(store: Store, thing: str, scope: str | None = None) -> Whereabouts:
    """Return the one thing that is meant; one of a real laboratory before those of dry runs.

    Raises
    ------
    CampaignError
        There is none, or several laboratories have one.
    """
    found = [t for t in store.custody.everything(scope) if t.thing == thing]
    real = real_laboratories(store)
    meant = [t for t in found if t.scope in real] or found
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise CampaignError(
            f"{thing} is known in {len(meant)} laboratories: "
            f"{', '.join(repr(t.scope) for t in meant[:6])}; name one with --in"
        )
    raise CampaignError(f"no thing called {thing!r} is known; `sdlab where` lists what is there")


def move(store: Store, there: Whereabouts, place: str) -> Whereabouts:
    """Record that a person put a thing in a place; an offer in doubt is settled by that.

    Parameters
    ----------
    place : an instrument, a vessel, ``shelf`` or ``away``; ``furnace:2`` names the slot too.

    Raises
    ------
    CampaignError
        There is no such place, or something else is in it.
    """
    holder, _, slot = place.partition(":")
    known = places(store, there.scope)
    if holder not in known:
        raise CampaignError(f"{there.scope} has no place {holder!r}; it has {', '.join(known)}")
    if holder not in (SHELF, AWAY) and there.kind not in THINGS_IN_VESSELS:
        inside = store.custody.where(there.scope, holder)
        if inside is not None:
            raise CampaignError(
                f"{there.thing} is a vessel and cannot go into {holder}; name an instrument, "
                f"`{SHELF}` or `{AWAY}`"
            )
    with store.custody.together():
        _put(store, there, holder, slot or "1")
    _log(store, there, f"a person moved {there.thing} to {place}")
    return find_thing(store, there.thing, there.scope)


def give_back(store: Store, there: Whereabouts) -> list[str]:
    """Record that a vessel was emptied, or a sample taken out; return what was written.

    Emptied vessels stand on the shelf and can be used again; what was in them is away.
    """
    scope = there.scope
    if there.kind in THINGS_IN_VESSELS:
        vessel = store.custody.where(scope, there.holder)
        contents = [there]
    else:
        vessel = there
        inside = [
            thing for thing, holder, _ in store.custody.contents(scope) if holder == there.thing
        ]
        contents = [t for name in inside if (t := store.custody.where(scope, name)) is not None]
    said = []
    with store.custody.together():
        for thing in contents:
            _put(store, thing, AWAY, "")
            said.append(f"{thing.thing} is away")
        if vessel is not None:
            _put(store, vessel, SHELF, "")
            said.append(f"{vessel.thing} is empty and on the shelf")
    _log(store, there, "a person says: " + "; ".join(said))
    return said


def places(store: Store, scope: str) -> list[str]:
    """Return where a thing of a laboratory can be: its instruments, its vessels, shelf and away."""
    instruments: list[str] = []
    for record in store.campaigns():
        if scope_of_record(record) == scope:
            instruments = list(tomllib.loads(record.laboratory_toml).get("instruments", {}))
            break
    everything = store.custody.everything(scope)
    vessels = [t.thing for t in everything if t.kind not in THINGS_IN_VESSELS]
    return [SHELF, AWAY, *instruments, *vessels]


def real_laboratories(store: Store) -> set[str]:
    """Return the names of the laboratories that move matter and have been used."""
    return {scope_of_record(record) for record in store.campaigns() if not record.dry_run}


def scope_of_record(record: CampaignRecord) -> str:
    """Return whose stock and things a recorded campaign uses."""
    if record.dry_run:
        return record.id
    return str(tomllib.loads(record.laboratory_toml)["name"])


def _put(store: Store, there: Whereabouts, holder: str, slot: str) -> None:
    custody, scope, at = store.custody, there.scope, datetime.now(UTC)
    now = custody.where(scope, there.thing)
    if now is not None and now.doubt is not None:
        custody.withdraw(scope, there.thing, now.doubt.command_id, at=at)
    if now is not None and now.holder == holder and (now.slot == slot or holder in (SHELF, AWAY)):
        return
    custody.hand(scope, there.thing, holder, slot=slot, command_id=BY_PERSON, at=at)


def _log(store: Store, there: Whereabouts, message: str) -> None:
    if there.campaign_id is not None:
        store.record_event(there.campaign_id, "moved_by_person", message)
