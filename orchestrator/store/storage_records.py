"""Records of the storeroom: what is left of each consumable, and who holds which thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

SHELF = "shelf"
"""Holder with a place for everything; it stands in every laboratory."""

AWAY = "away"
"""Holder of what a person has taken out of the laboratory."""

UNLIMITED = frozenset({SHELF, AWAY})
"""Holders in which every thing has a slot of its own."""


@dataclass(frozen=True, slots=True)
class Level:
    """What is left of a consumable.

    Attributes
    ----------
    scope : the laboratory by its name, or the campaign if its laboratory is simulated.
    left : amount there is, in `unit`.
    aside : how much of it commands that are under way may use.
    declared : what the laboratory file said when it was last believed; None after a refill.
    reserved : campaign → amount kept back for it.
    """

    scope: str
    instrument: str
    consumable: str
    unit: str
    left: float
    aside: float
    declared: float | None
    reserved: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shortage:
    """More of a consumable is needed than may be taken.

    Attributes
    ----------
    available : what is left without what is set aside and what is reserved for others.
    reserved : other campaign → amount kept back for it.
    """

    instrument: str
    consumable: str
    unit: str
    needed: float
    available: float
    reserved: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        unit = "" if self.unit in ("", "1") else f" {self.unit}"
        held = ", ".join(f"{amount:g}{unit} for {who}" for who, amount in self.reserved.items())
        return (
            f"{self.instrument} has {self.available:g}{unit} of {self.consumable} to give, "
            f"about {self.needed:.4g} are needed" + (f" (reserved: {held})" if held else "")
        )


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a thing is.

    Attributes
    ----------
    kind : ``sample``, ``remains`` of a failed synthesis, or the kind of a vessel.
    holder, slot : an instrument, a vessel, the shelf or away, and the place in it.
    campaign_id : the campaign it belongs to, None for what belongs to the laboratory.
    since : laboratory time.
    doubt : the open offer, if one is: then it may be with the taker already.
    """

    scope: str
    thing: str
    kind: str
    holder: str
    slot: str
    campaign_id: str | None
    since: datetime
    doubt: Handover | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """A thing offered by one holder to another, and what became of the offer.

    Attributes
    ----------
    command_id : the command it was for; ``person`` if a person moved it.
    offered, accepted, withdrawn : laboratory time; the offer is open while both others are None.
    """

    scope: str
    thing: str
    giver: str
    giver_slot: str
    taker: str
    taker_slot: str
    command_id: str
    offered: datetime
    accepted: datetime | None = None
    withdrawn: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody has said yet where the thing is."""
        return self.accepted is None and self.withdrawn is None
