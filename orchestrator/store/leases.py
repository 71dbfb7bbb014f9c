"""Leases: who uses which instruments of a laboratory, and who waits for them.

Every change looks at the whole queue of a laboratory inside one write transaction, so two
processes never grant the same instrument.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, not_, select, update

from orchestrator.sharing.scheduling import Request, grants
from orchestrator.store.agreement_tables import LEASE
from orchestrator.store.engine import reading, writing
from orchestrator.store.holds import Holder
from orchestrator.store.ledger import Ledger
from orchestrator.store.rows import now

_OUR_LOCKS = 0x5D1AB
"""First half of the number of PostgreSQL's lock; the second is made from the laboratory's name."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A wish to use instruments, granted or waiting.

    Attributes
    ----------
    needs : alternatives for each need.
    given : one name a need once it is granted, empty before.
    heartbeat : when the holder was last heard of, by the clock of its own machine.
    """

    row: int
    campaign_id: str
    purpose: str
    needs: tuple[tuple[str, ...], ...]
    given: tuple[str, ...]
    priority: int
    holder: Holder
    asked: datetime
    heartbeat: datetime
    granted: datetime | None


class Leases:
    """The queues for the instruments of all laboratories."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def ask(
        self,
        laboratory: str,
        campaign_id: str,
        needs: Sequence[Sequence[str]],
        *,
        purpose: str,
        priority: int,
        holder: Holder,
    ) -> tuple[int, tuple[str, ...]]:
        """Stand in the queue, and be served at once if nobody is in the way.

        Returns
        -------
        The row, and what it was given: nothing if it has to wait.
        """
        self._ledger.is_durable(campaign_id)
        moment = now()
        values = {
            "laboratory": laboratory,
            "campaign_id": campaign_id,
            "purpose": purpose,
            "needs": [list(need) for need in needs],
            "given": [],
            "priority": priority,
            "host": holder.host,
            "pid": holder.pid,
            "born": holder.born,
            "asked": moment,
            "heartbeat": moment,
        }
        with writing(self._ledger.engine, durable=False) as connection:
            _alone(connection, laboratory)
            found = connection.execute(insert(LEASE).values(values).returning(LEASE.c.row))
            row = int(found.scalar_one())
            given = _serve(connection, laboratory).get(row, ())
        return row, given

    def queue(self, laboratory: str) -> list[Lease]:
        """Return who uses or waits for instruments of a laboratory, in the order of asking."""
        with reading(self._ledger.engine) as connection:
            return _queue(connection, laboratory)

    def beat(self, own: Collection[int]) -> None:
        """Say that the holder of these rows lives.

        Row by row, each kept at once: whoever serves the queue meanwhile may change several of
        them in another order, and each would wait for the other for good.
        """
        for row in sorted(own):
            with writing(self._ledger.engine, durable=False) as connection:
                beat = update(LEASE).where(LEASE.c.row == row).values(heartbeat=now())
                connection.execute(beat)

    def give_back(self, laboratory: str, row: int) -> bool:
        """Leave the queue and serve who comes next; False if the row was taken away before."""
        with writing(self._ledger.engine, durable=False) as connection:
            _alone(connection, laboratory)
            ours = _released(connection, LEASE.c.row == row)
            _serve(connection, laboratory)
        return ours

    def take_away(self, laboratory: str, dead: Sequence[Lease]) -> list[Lease]:
        """Release the leases of dead holders unless they were heard of since; return which."""
        with writing(self._ledger.engine, durable=False) as connection:
            _alone(connection, laboratory)
            gone = [lease for lease in dead if _released(connection, *_unheard(lease))]
            _serve(connection, laboratory)
        return gone

    def leave(self, campaign_id: str, *, but: Holder) -> None:
        """Take a campaign out of every queue, except where its present holder stands itself.

        Whoever held the campaign before can use nothing in its name any more.
        """
        mine = (LEASE.c.host == but.host, LEASE.c.pid == but.pid, LEASE.c.born == but.born)
        left = LEASE.c.campaign_id == campaign_id, LEASE.c.released.is_(None), not_(and_(*mine))
        with writing(self._ledger.engine, durable=False) as connection:
            laboratories = connection.execute(select(LEASE.c.laboratory).where(*left).distinct())
            for laboratory in sorted(laboratories.scalars()):
                _alone(connection, laboratory)
                here = LEASE.c.laboratory == laboratory
                connection.execute(update(LEASE).where(here, *left).values(released=now()))
                _serve(connection, laboratory)


def _alone(connection: Connection, laboratory: str) -> None:
    """Wait until no other transaction changes the queue; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        lock = func.pg_advisory_xact_lock(_OUR_LOCKS, func.hashtext(laboratory))
        connection.execute(select(lock))


def _released(connection: Connection, *which: ColumnElement[bool]) -> bool:
    released = update(LEASE).where(*which, LEASE.c.released.is_(None)).values(released=now())
    return connection.execute(released).rowcount == 1


def _unheard(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return LEASE.c.row == lease.row, LEASE.c.heartbeat == lease.heartbeat


def _serve(connection: Connection, laboratory: str) -> dict[int, tuple[str, ...]]:
    """Grant what can be granted, and return it by row."""
    queue = _queue(connection, laboratory)
    held = [name for lease in queue for name in lease.given]
    waiting = [_request(lease) for lease in queue if lease.granted is None]
    given = grants(held, waiting)
    for row, names in given.items():
        values = {"given": list(names), "granted": now()}
        connection.execute(update(LEASE).where(LEASE.c.row == row).values(values))
    return given


def _request(lease: Lease) -> Request:
    return Request(lease.row, lease.needs, lease.priority, lease.asked.timestamp())


def _queue(connection: Connection, laboratory: str) -> list[Lease]:
    open_ones = LEASE.c.laboratory == laboratory, LEASE.c.released.is_(None)
    query = select(LEASE).where(*open_ones).order_by(LEASE.c.row)
    return [_lease(dict(row)) for row in connection.execute(query).mappings()]


def _lease(values: dict[str, Any]) -> Lease:
    return Lease(
        row=values["row"],
        campaign_id=values["campaign_id"],
        purpose=values["purpose"],
        needs=tuple(tuple(need) for need in values["needs"]),
        given=tuple(values["given"]),
        priority=values["priority"],
        holder=Holder(values["host"], values["pid"], values["born"]),
        asked=values["asked"],
        heartbeat=values["heartbeat"],
        granted=values["granted"],
    )
