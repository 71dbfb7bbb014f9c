"""Vessels: the crucibles and vials of a laboratory, each with at most one sample in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestrator.errors import LaboratoryRefused
from orchestrator.store import Store
from orchestrator.store.storage_records import AWAY, SHELF, Shortage

STORE = "vessels"
"""Stands for the instrument where vessels are reserved like a consumable."""


@dataclass(frozen=True, slots=True)
class Vessels:
    """The vessels a campaign can use.

    Attributes
    ----------
    simulated : vessels empty themselves when their experiment has ended; real ones are washed by
        a person, who says so with `sdlab return`.
    """

    store: Store
    campaign_id: str
    scope: str
    simulated: bool

    def declare(self, counts: Mapping[str, int], *, at: datetime) -> None:
        """Put vessels that are seen for the first time on the shelf: ``crucible-1``, …."""
        for kind, count in counts.items():
            for number in range(1, count + 1):
                self.store.custody.enter(self.scope, f"{kind}-{number}", kind, SHELF, at=at)

    def take(self, kind: str, *, at: datetime) -> str:
        """Return a free vessel that is not kept back for another campaign.

        Raises
        ------
        LaboratoryRefused
            There is none.
        """
        free = self._free(kind, at=at)
        reserved = self.store.stock.reserved(self.scope, STORE, kind)
        own = reserved.pop(self.campaign_id, 0.0)
        if not free or (own < 1 and len(free) <= sum(reserved.values())):
            held = ", ".join(f"{n:g} for {who}" for who, n in reserved.items())
            raise LaboratoryRefused(
                f"no {kind} of {self.scope} is free ({len(free)} are empty"
                + (f", reserved: {held}" if held else "")
                + f"). Wash one, say `sdlab return {kind}-…`, then "
                f"`sdlab resume {self.campaign_id}`"
            )
        if own:
            self.store.stock.draw(self.scope, self.campaign_id, STORE, kind, 1.0)
        return free[0]

    def shortage(self, kind: str, needed: float, *, at: datetime) -> Shortage | None:
        """Say how many vessels are missing for a campaign, or return None."""
        free = float(len(self._free(kind, at=at)))
        reserved = self.store.stock.reserved(self.scope, STORE, kind)
        reserved.pop(self.campaign_id, None)
        available = free - sum(reserved.values())
        if needed <= available:
            return None
        return Shortage("the shelf", kind, "1", needed, max(available, 0.0), reserved)

    def _free(self, kind: str, *, at: datetime) -> list[str]:
        free = self.store.custody.free(self.scope, kind)
        if not free and self.simulated:
            self._empty(kind, at=at)
            free = self.store.custody.free(self.scope, kind)
        return free

    def _empty(self, kind: str, *, at: datetime) -> None:
        """Empty the vessels whose experiment has ended."""
        for thing in self.store.custody.filled(self.scope, kind):
            number = int(thing.split("/")[1])
            if self.store.has_ended(self.campaign_id, number):
                self.store.custody.hand(
                    self.scope, thing, AWAY, command_id=f"{self.campaign_id}/{number}", at=at
                )
