"""Store: the history of all campaigns, in one database and one folder of arrays."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from operator import itemgetter
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Engine, Table, bindparam, insert, literal_column, select, update

from analysis.insight import Insight
from instruments.measurement import Measurement
from instruments.sample import Sample
from orchestrator.errors import StoreError
from orchestrator.store import actions, campaigns, rows
from orchestrator.store.arrays import ArrayFiles
from orchestrator.store.custody import Custody
from orchestrator.store.driver import Values
from orchestrator.store.engine import connect, reading
from orchestrator.store.experiments import assemble
from orchestrator.store.holds import Holds
from orchestrator.store.leases import Leases
from orchestrator.store.ledger import Ledger, Step
from orchestrator.store.questions import Questions
from orchestrator.store.records import (
    ActionRecord,
    CampaignRecord,
    Event,
    Experiment,
    Progress,
)
from orchestrator.store.schema import migrate
from orchestrator.store.stock import Stock
from orchestrator.store.tables import (
    ACTION,
    CAMPAIGN,
    INSIGHT,
    INSIGHT_SOURCE,
    MEASUREMENT,
    OBSERVATION,
    OBSERVATION_SOURCE,
    PROPOSAL,
    SAMPLE,
)
from orchestrator.store.wishes import Wishes
from planners.proposal import Observation, Proposal

_INTO_SOURCES = insert(INSIGHT_SOURCE)

_FROM_INSIGHTS = insert(OBSERVATION_SOURCE).from_select(
    ["campaign_id", "number", "insight_id"],
    select(INSIGHT.c.campaign_id, INSIGHT.c.number, INSIGHT.c.id).where(
        INSIGHT.c.campaign_id == bindparam("this_campaign_id"),
        INSIGHT.c.number == bindparam("this_number"),
    ),
)
"""An observation comes from every insight of its experiment."""

_TOUCH = (
    update(CAMPAIGN)
    .where(CAMPAIGN.c.id == bindparam("this_campaign_id"))
    .values(updated=bindparam("updated"))
)

_NEW_OBSERVATIONS = (
    select(OBSERVATION.c.row, OBSERVATION.c.number, OBSERVATION.c.contents)
    .where(
        OBSERVATION.c.campaign_id.concat(literal_column("''")) == bindparam("campaign_id"),
        OBSERVATION.c.row > bindparam("cursor"),
    )
    .order_by(OBSERVATION.c.row)
)
"""The empty text keeps SQLite from walking the campaign's index: few rows lie after the cursor."""

_BEGUN = select(PROPOSAL.c.number).where(
    PROPOSAL.c.campaign_id == bindparam("campaign_id"), PROPOSAL.c.number == bindparam("number")
)

_ENDED = select(OBSERVATION.c.number).where(
    OBSERVATION.c.campaign_id == bindparam("campaign_id"),
    OBSERVATION.c.number == bindparam("number"),
)


class Store:
    """The history of all campaigns.

    Every `record_…` is one transaction: kept as a whole when the call returns, on disk even if
    the power fails unless the campaign is a dry run. Writing the same record again changes
    nothing; writing another in its place raises `StoreConflict`. May be used from several
    threads; several processes may read and one at a time may write.

    Raises
    ------
    StoreLocked, StoreFull, StoreCorrupt, StoreError
        From every method: another process writes for too long, there is no room, a file is
        damaged, the database refuses.
    UnknownCampaign
        From every method that is given a campaign that was never recorded.
    """

    def __init__(self, engine: Engine, arrays: ArrayFiles) -> None:
        self._engine = engine
        self._ledger = Ledger(engine)
        self._arrays = arrays
        self.holds = Holds(self._ledger)
        self.questions = Questions(self._ledger)
        self.wishes = Wishes(self._ledger)
        self.leases = Leases(self._ledger)
        self.stock = Stock(self._ledger)
        self.custody = Custody(self._ledger)
        self._observed: dict[str, tuple[int, list[tuple[int, Observation]]]] = {}
        self._lock = Lock()

    @classmethod
    def open(cls, url: str, arrays: Path, *, wait: float = 10.0) -> Store:
        """Return the store, made or brought up to date if need be.

        Parameters
        ----------
        url : ``sqlite:////path/sdlab.sqlite`` or ``postgresql://user@host/database``.
        arrays : folder of the array files.
        wait : seconds to wait for another writer before raising `StoreLocked`.

        Raises
        ------
        StoreTooNew
            A newer sdlab has written the database.
        StoreCorrupt
            The file is damaged, no database, or holds something else.
        """
        engine = connect(url, wait=wait)
        try:
            migrate(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, ArrayFiles(arrays))

    def close(self) -> None:
        """Close every connection. May be called twice."""
        self._ledger.driver.close()
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def create_campaign(self, record: CampaignRecord) -> None:
        """Begin the history of a campaign."""
        with self._ledger.driver.writing(durable=True):
            self._ledger.insert_once(CAMPAIGN, rows.campaign_row(record))

    @contextmanager
    def beginning(self, record: CampaignRecord) -> Iterator[None]:
        """Begin a campaign together with what is recorded in the block, or not at all."""
        with self._ledger.driver.writing(durable=not record.dry_run):
            self.create_campaign(record)
            yield

    def campaign(self, campaign_id: str) -> CampaignRecord:
        """Return a campaign by its id or by the beginning of it, if only one begins so.

        Raises
        ------
        UnknownCampaign
            None or several begin so; the message lists the nearest.
        """
        return campaigns.find(self._engine, campaign_id)

    def campaigns(self) -> list[CampaignRecord]:
        """Return every campaign, newest first."""
        return campaigns.newest_first(self._engine)

    def progress(self) -> dict[str, Progress]:
        """Return campaign → how many experiments it has begun, ended and lost."""
        return campaigns.progress(self._engine)

    def set_status(self, campaign_id: str, status: str, message: str = "") -> None:
        """Change how a campaign stands, and log the change as an event of kind ``status``.

        Raises
        ------
        ValueError
            The status is none of `STATUSES`.
        """
        campaigns.set_status(self._ledger, campaign_id, status, message)

    def together(self, campaign_id: str, *, on_disk: bool = True) -> AbstractContextManager[None]:
        """Keep what is recorded of a campaign in a block all together or not at all.

        Parameters
        ----------
        on_disk : survives a power cut from the end of the block on; False leaves that to the next
            block that does. A dry run never asks for it.
        """
        return self._ledger.writing(campaign_id, on_disk=on_disk)

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
        """Begin an experiment.

        Parameters
        ----------
        seed : the words that seeded the planner.
        told : how many observations the planner was told, in the order of recording.
        pending : experiments under way that it was told of.
        """
        words = [int(word) for word in seed]
        values = rows.proposal_row(campaign_id, number, proposal, words, told=told, pending=pending)
        self._insert(PROPOSAL, values)

    def record_sample(self, campaign_id: str, number: int, sample: Sample) -> None:
        """Add the sample of an experiment."""
        self._insert(SAMPLE, rows.sample_row(campaign_id, number, sample))

    def record_measurement(self, campaign_id: str, number: int, measurement: Measurement) -> None:
        """Add a measurement; its arrays are written first."""
        durable = self._ledger.is_durable(campaign_id)
        values = rows.measurement_row(
            campaign_id, number, measurement, self._arrays, durable=durable
        )
        self._insert(MEASUREMENT, values)

    def record_insight(self, campaign_id: str, number: int, insight: Insight) -> None:
        """Add an insight; its arrays are written first."""
        durable = self._ledger.is_durable(campaign_id)
        values = rows.insight_row(campaign_id, number, insight, self._arrays, durable=durable)
        sources: list[Step] = [
            (_INTO_SOURCES, {"insight_id": insight.id, "position": i, "measurement_id": source})
            for i, source in enumerate(insight.measurement_ids)
        ]
        self._insert(INSIGHT, values, then=sources)

    def record_observation(self, campaign_id: str, number: int, observation: Observation) -> None:
        """End an experiment; the observation comes from its insights so far."""
        values = rows.observation_row(campaign_id, number, observation)
        which = {"this_campaign_id": campaign_id, "this_number": number}
        touch = {"this_campaign_id": campaign_id, "updated": values["recorded"]}
        self._insert(OBSERVATION, values, then=[(_FROM_INSIGHTS, which), (_TOUCH, touch)])

    def has_ended(self, campaign_id: str, number: int) -> bool:
        """Return whether an experiment has its observation."""
        which = {"campaign_id": campaign_id, "number": number}
        return bool(self._ledger.driver.read(_ENDED, which))

    def unfinished(self, campaign_id: str) -> list[int]:
        """Return the experiments that were begun and have not ended, by number."""
        return campaigns.unfinished(self._ledger, campaign_id)

    def observations(self, campaign_id: str) -> list[tuple[int, Observation]]:
        """Return the number and observation of every finished experiment, by number.

        Only what is new since the last call is read, so asking every turn stays cheap.
        """
        with self._lock:
            cursor, known = self._observed.get(campaign_id, (0, []))
            cursor, new = self.observations_since(campaign_id, cursor)
            for told in new:
                insort(known, told, key=itemgetter(0))
            self._observed[campaign_id] = cursor, known
            return list(known)

    def observations_since(
        self, campaign_id: str, cursor: int = 0
    ) -> tuple[int, list[tuple[int, Observation]]]:
        """Return the new cursor, and what was observed after `cursor` in the order of recording.

        Parameters
        ----------
        cursor : 0 for everything, later what the call before returned.
        """
        self._ledger.is_durable(campaign_id)
        which = {"campaign_id": campaign_id, "cursor": cursor}
        found = self._ledger.driver.read(_NEW_OBSERVATIONS, which)
        new = [(number, Observation.model_validate(contents)) for _, number, contents in found]
        return (found[-1][0] if found else cursor), new

    def experiments(self, campaign_id: str) -> list[Experiment]:
        """Return every experiment by number, without arrays."""
        self._ledger.is_durable(campaign_id)
        with reading(self._engine) as connection:
            return assemble(connection, campaign_id)

    def experiment(self, campaign_id: str, number: int) -> Experiment | None:
        """Return one experiment as far as it has come, None if it never began."""
        self._ledger.is_durable(campaign_id)
        which = {"campaign_id": campaign_id, "number": number}
        if not self._ledger.driver.read(_BEGUN, which):
            return None
        with reading(self._engine) as connection:
            return assemble(connection, campaign_id, number=number)[0]

    def measurement(self, measurement_id: str) -> Measurement:
        """Return a measurement with its arrays, verified.

        Raises
        ------
        StoreError
            No such measurement was recorded.
        """
        row = self._by_id(MEASUREMENT, measurement_id)
        return rows.measurement_record(row, self._arrays)

    def insight(self, insight_id: str) -> Insight:
        """Return an insight with its evidence and covariance, verified.

        Raises
        ------
        StoreError
            No such insight was recorded.
        """
        return rows.insight_record(self._by_id(INSIGHT, insight_id), self._arrays)

    def record_action(self, action: ActionRecord) -> None:
        """Write down a physical action before it happens.

        Once more with `sent` set says that it went over the wire.
        """
        actions.record(self._ledger, action)

    def settle_action(self, action: ActionRecord) -> None:
        """Write down how a physical action ended.

        Raises
        ------
        StoreConflict
            It ended already, in another way.
        StoreError
            It was never recorded, or `action.settled` is None.
        """
        actions.settle(self._ledger, action)

    def unsettled_actions(self, campaign_id: str) -> list[ActionRecord]:
        """Return the actions that were recorded and have not ended, in order."""
        return actions.find(self._ledger, campaign_id, ACTION.c.settled.is_(None))

    def actions(self, campaign_id: str, number: int | None = None) -> list[ActionRecord]:
        """Return every action of one experiment or of the campaign, in order."""
        conditions = [] if number is None else [ACTION.c.number == number]
        return actions.find(self._ledger, campaign_id, *conditions)

    def record_event(
        self, campaign_id: str, kind: str, message: str, number: int | None = None
    ) -> None:
        """Add a line to the campaign's log."""
        campaigns.log(self._ledger, campaign_id, kind, message, number)

    def events(self, campaign_id: str) -> list[Event]:
        """Return the campaign's log, oldest first."""
        self._ledger.is_durable(campaign_id)
        return campaigns.events(self._engine, campaign_id)

    def _insert(self, table: Table, values: Values, *, then: Sequence[Step] = ()) -> None:
        with self._ledger.writing(values["campaign_id"]):
            self._ledger.insert_once(table, values, then=then)

    def _by_id(self, table: Table, name: str) -> Any:
        row = self._ledger.one(table, table.c.id == name)
        if row is None:
            raise StoreError(f"no {table.name} {name!r} is recorded; look at the experiment's list")
        return row
