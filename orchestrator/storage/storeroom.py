"""The storeroom: what every physical action takes from the stock, and where it leaves things.

It writes in the transactions in which an action is intended and settled, so stock and custody say
the same as the actions do, wherever the process dies.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from instruments.commands import Command, Measure, Outcome, Synthesize
from instruments.protocols import Estimated
from orchestrator.errors import CustodyConflict, LaboratoryRefused
from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.storage.vessels import Vessels
from orchestrator.store import Store
from orchestrator.store.records import NOT_CARRIED_OUT, ActionRecord
from orchestrator.store.storage_records import AWAY, SHELF, Handover, Whereabouts

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Storeroom:
    """Stock and custody of one campaign's laboratory.

    Attributes
    ----------
    scope : the laboratory's name, or the campaign's id if the laboratory is simulated: a real
        stock is shared by all campaigns, a dry run starts with a full one of its own.
    slots : instrument → the places in which it can hold things.
    vessel_kinds : instrument → kind of vessel it makes its samples in.
    now : laboratory time.
    remarks : sentences for the person who starts the campaign.
    """

    store: Store
    campaign_id: str
    scope: str
    slots: Mapping[str, tuple[str, ...]]
    vessel_kinds: Mapping[str, str]
    vessels: Vessels
    now: Callable[[], datetime]
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(cls, campaign_id: str, laboratory: Laboratory, store: Store) -> Storeroom:
        """Return the storeroom of a campaign in its laboratory."""
        scope = scope_of(campaign_id, laboratory)
        return cls(
            store,
            campaign_id,
            scope,
            {name: laboratory.describe(name).slots for name in laboratory.instruments},
            laboratory.vessel_kinds,
            Vessels(store, campaign_id, scope, simulated=laboratory.simulated),
            laboratory.clock.now,
        )

    def before(self, action: ActionRecord, order: Command, estimated: Estimated) -> None:
        """Set aside what the command may use, and offer the instrument what it works on.

        Once more for the same command changes nothing.
        """
        short = self.store.stock.set_aside(
            self.scope,
            self.campaign_id,
            action.command_id,
            action.instrument,
            estimated.consumed,
            at=self.now(),
        )
        if short:
            raise LaboratoryRefused(
                "; ".join(map(str, short)) + ". Refill it and say so with "
                f"`sdlab stock fill`, or give up a reservation with `sdlab stock release`; "
                f"then `sdlab resume {self.campaign_id}`"
            )
        try:
            if isinstance(order, Measure):
                self._load(action, order)
            else:
                self._hand_vessel(action)
        except CustodyConflict as error:
            raise LaboratoryRefused(str(error)) from error

    def after(
        self, action: ActionRecord, order: Command, outcome: Outcome, *, presumed: bool = False
    ) -> None:
        """Book what was used, and record where things are now."""
        if outcome.settled == "unconfirmed":
            return  # what was offered and set aside stays so until somebody knows
        acted = _acted(outcome, presumed=presumed)
        nothing_measured = presumed and acted
        self.store.stock.book(
            self.scope,
            self.campaign_id,
            action.command_id,
            action.instrument,
            None if nothing_measured else outcome.consumed,
            at=self.now(),
        )
        try:
            self._settle(action, order, outcome, acted=acted)
        except CustodyConflict as error:
            # What has happened is recorded all the same; where the thing is, a person must say.
            logger.warning("custody in doubt command=%s: %s", action.command_id, error)
            self.store.record_event(self.campaign_id, "custody", str(error), action.number)

    def has(self, sample_id: str) -> bool:
        """Return whether a sample is in the laboratory; one of unknown whereabouts counts as there.

        A sample goes where its vessel goes.
        """
        there = self.store.custody.holding(self.scope, sample_id)
        if there is not None and there.holder not in (SHELF, AWAY):
            there = self.store.custody.holding(self.scope, there.holder) or there
        return there is None or there.holder != AWAY

    def _hand_vessel(self, action: ActionRecord) -> None:
        kind = self.vessel_kinds.get(action.instrument)
        if kind and not self.store.custody.open_offers(action.command_id):
            self._offer(action, self.vessels.take(kind, at=self.now()), giver=SHELF)

    def _load(self, action: ActionRecord, order: Measure) -> None:
        carrier = self._carrier(order.sample.id)
        if carrier.holder == AWAY:
            raise LaboratoryRefused(
                f"{carrier.thing} was taken out of the laboratory at {carrier.since:%Y-%m-%d %H:%M}"
                f" and is to be measured by {action.instrument}; put it back and say "
                f"`sdlab move {carrier.thing} {SHELF}`"
            )
        if carrier.holder != action.instrument:
            self._offer(action, carrier.thing, giver=carrier.holder)

    def _offer(self, action: ActionRecord, thing: str, *, giver: str) -> None:
        """Offer a thing to the first slot of the instrument that is free."""
        conflict: CustodyConflict | None = None
        for slot in self.slots[action.instrument]:
            try:
                self.store.custody.offer(
                    self.scope,
                    thing,
                    action.instrument,
                    slot=slot,
                    command_id=action.command_id,
                    at=self.now(),
                    giver=giver,
                )
            except CustodyConflict as error:
                conflict = conflict or error
            else:
                return
        if conflict is not None:
            raise conflict

    def _carrier(self, sample_id: str) -> Whereabouts:
        """Return what must move for a sample to move: the vessel it is in, or itself."""
        custody = self.store.custody
        there = custody.holding(self.scope, sample_id)
        if there is None:  # made before custody was recorded
            self._enter(sample_id, "sample", SHELF)
            there = custody.holding(self.scope, sample_id)
            assert there is not None
        if there.holder in (SHELF, AWAY):
            return there
        return custody.holding(self.scope, there.holder) or there

    def _settle(
        self, action: ActionRecord, order: Command, outcome: Outcome, *, acted: bool
    ) -> None:
        custody, at = self.store.custody, self.now()
        offers = custody.open_offers(action.command_id)
        if not acted:
            for offer in offers:
                custody.withdraw(offer.scope, offer.thing, action.command_id, at=at)
            return
        for offer in offers:
            custody.accept_offer(offer, at=at)
        if isinstance(order, Synthesize):
            self._fill(action, order, outcome, offers)
        for offer in offers:
            custody.pass_on(offer, SHELF, at=at)

    def _fill(
        self, action: ActionRecord, order: Synthesize, outcome: Outcome, vessels: list[Handover]
    ) -> None:
        """Record what a synthesis left: a sample, or the remains of a failed one in its vessel."""
        vessel = vessels[0].thing if vessels else None
        if outcome.settled == "succeeded" and vessel:
            self._enter(order.sample_id, "sample", vessel)
        elif outcome.settled == "succeeded":
            self._enter(order.sample_id, "sample", SHELF)
        elif vessel:
            self._enter(action.command_id, "remains", vessel)

    def _enter(self, thing: str, kind: str, holder: str) -> None:
        self.store.custody.enter(
            self.scope, thing, kind, holder, at=self.now(), campaign_id=self.campaign_id
        )


def scope_of(campaign_id: str, laboratory: Laboratory) -> str:
    """Return whose stock and things a campaign uses."""
    return campaign_id if laboratory.simulated else laboratory.name


def _acted(outcome: Outcome, *, presumed: bool) -> bool:
    """Return whether the device got as far as taking or using anything."""
    if outcome.fault == NOT_CARRIED_OUT:
        return False
    worked = presumed or bool(outcome.consumed) or outcome.finished > outcome.started
    return outcome.settled == "succeeded" or worked
