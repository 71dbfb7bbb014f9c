"""Run: a campaign bound to a laboratory, a planner, agents and a history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import numpy as np

from analysis.insight import Insight
from instruments.measurement import Measurement
from instruments.sample import Sample
from orchestrator.campaign import Campaign
from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.laboratories.matching import Match
from orchestrator.people.asking import Nobody, Person
from orchestrator.people.notifying import Notifier, Silent
from orchestrator.sharing.desk import Desk, LocalDesk
from orchestrator.storage.keeping import Keeper, KeepsNothing
from orchestrator.store.records import ActionRecord, Event, Experiment
from orchestrator.trust.statements import Statement
from orchestrator.under_way import UnderWay
from planners.proposal import Observation, Proposal

Verb = Literal["propose", "synthesize", "measure", "analyze", "score"]

ROLES: tuple[str, ...] = ("propose", "synthesize", "measure", "analyze", "score", "weigh")
"""Roles that own a random stream; the order is part of a campaign's identity: append only."""


class History(Protocol):
    """What the loop asks of the store; every record is durable when its call returns."""

    def together(self, campaign_id: str, *, on_disk: bool = True) -> AbstractContextManager[None]:
        """Keep what is recorded of a campaign in a block all together or not at all.

        Parameters
        ----------
        on_disk : survives a power cut from the end of the block on. False leaves that to the next
            block that does, for what may be lost together with everything after it.
        """
        ...

    def record_proposal(
        self,
        campaign_id: str,
        number: int,
        proposal: Proposal,
        *,
        seed: Sequence[int],
        told: int | None = None,
        pending: Sequence[int] = (),
    ) -> None:
        """Begin an experiment."""
        ...

    def record_sample(self, campaign_id: str, number: int, sample: Sample) -> None:
        """Add the sample."""
        ...

    def record_measurement(self, campaign_id: str, number: int, measurement: Measurement) -> None:
        """Add a measurement."""
        ...

    def record_insight(self, campaign_id: str, number: int, insight: Insight) -> None:
        """Add an insight."""
        ...

    def record_observation(self, campaign_id: str, number: int, observation: Observation) -> None:
        """End an experiment."""
        ...

    def record_action(self, action: ActionRecord) -> None:
        """Write down a physical action before it happens."""
        ...

    def settle_action(self, action: ActionRecord) -> None:
        """Write down how a physical action ended."""
        ...

    def unsettled_actions(self, campaign_id: str) -> list[ActionRecord]:
        """Return actions that were sent and never settled."""
        ...

    def actions(self, campaign_id: str, number: int | None = None) -> list[ActionRecord]:
        """Return every action of one experiment, or of all, in order."""
        ...

    def observations(self, campaign_id: str) -> list[tuple[int, Observation]]:
        """Return finished experiments by number."""
        ...

    def observations_since(
        self, campaign_id: str, cursor: int = 0
    ) -> tuple[int, list[tuple[int, Observation]]]:
        """Return a new cursor, and what ended after the old one in the order of recording."""
        ...

    def unfinished(self, campaign_id: str) -> list[int]:
        """Return the experiments that were begun and have not ended, by number."""
        ...

    def experiment(self, campaign_id: str, number: int) -> Experiment | None:
        """Return one experiment as far as it has come."""
        ...

    def experiments(self, campaign_id: str) -> list[Experiment]:
        """Return every experiment as far as it has come, by number."""
        ...

    def measurement(self, measurement_id: str) -> Measurement:
        """Return a measurement with its arrays."""
        ...

    def insight(self, insight_id: str) -> Insight:
        """Return an insight with its arrays."""
        ...

    def record_event(
        self, campaign_id: str, kind: str, message: str, number: int | None = None
    ) -> None:
        """Add a line to the campaign's log."""
        ...

    def events(self, campaign_id: str) -> list[Event]:
        """Return the campaign's log, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """Something that just began or ended, for whoever watches.

    Attributes
    ----------
    text : one phrase for a person, such as ``furnace · 640 degC, 2 h``.
    at : laboratory time.
    """

    number: int
    verb: Verb
    state: Literal["started", "finished", "failed"]
    text: str
    at: datetime


def _nobody(_: Step) -> None:
    """Watch nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """Everything a turn of the loop needs.

    Attributes
    ----------
    id : the campaign's identifier.
    match : who does what.
    watch : called with every step, for progress displays; must return at once.
    desk : lends the laboratory's instruments.
    under_way : experiments that were proposed and have not ended.
    time_passes : a block in which virtual time may pass for this turn, see `Flight`.
    token : of the process that holds the campaign, see `orchestrator.sharing.holding`; None if
        nobody could take it over.
    storeroom : keeps the books of stock, samples and vessels around every physical action.
    said : what agents said of experiments that have ended, so that each is read once; a memory of
        the history, which may be empty at any time.
    """

    id: str
    campaign: Campaign
    laboratory: Laboratory
    match: Match
    history: History
    watch: Callable[[Step], None] = field(default=_nobody)
    person: Person = field(default_factory=Nobody)
    notifier: Notifier = field(default_factory=Silent)
    desk: Desk = field(default_factory=LocalDesk)
    under_way: UnderWay = field(default_factory=UnderWay)
    time_passes: Callable[[], AbstractContextManager[None]] = nullcontext
    token: int | None = None
    storeroom: Keeper = field(default_factory=KeepsNothing)
    said: dict[int, list[Statement]] = field(default_factory=dict)

    def rng(self, number: int, role: str) -> np.random.Generator:
        """Return the random stream of one experiment and role.

        The same campaign seed, number and role give the same stream, whatever was drawn
        elsewhere, so a resumed campaign repeats itself.
        """
        return np.random.default_rng(self.seed(number, role))

    def seed(self, number: int, role: str) -> list[int]:
        """Return the seed words of one experiment and role, as they are recorded."""
        return [self.campaign.seed, number, ROLES.index(role)]

    def tell(
        self, number: int, verb: Verb, state: Literal["started", "finished", "failed"], text: str
    ) -> None:
        """Tell the watcher of a step."""
        self.watch(Step(number, verb, state, text, self.laboratory.clock.now()))
