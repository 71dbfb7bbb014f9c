"""What the journal asks of whoever keeps stock and things, and the keeper of nothing."""

from __future__ import annotations

from typing import Protocol

from instruments.commands import Command, Outcome
from instruments.protocols import Estimated
from orchestrator.store.records import ActionRecord


class Keeper(Protocol):
    """Keeps the books of stock and of who holds what, around every physical action."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Return sentences for the person who starts the campaign."""
        ...

    def before(self, action: ActionRecord, order: Command, estimated: Estimated) -> None:
        """Set aside what a command may use and offer what it works on.

        Called inside the transaction that records the intention.

        Raises
        ------
        LaboratoryRefused
            Stock is missing, or a thing is not where it should be; nothing has moved.
        """
        ...

    def after(
        self, action: ActionRecord, order: Command, outcome: Outcome, *, presumed: bool = False
    ) -> None:
        """Book what was used and record where things are; never refuses what has happened.

        Called inside the transaction that settles the action.

        Parameters
        ----------
        presumed : a person says how it ended and nobody measured what was used, so what was set
            aside counts as used.
        """
        ...

    def has(self, sample_id: str) -> bool:
        """Return whether a sample is where an instrument can be given it."""
        ...


class KeepsNothing:
    """For a laboratory without a storeroom: everything is there, and nothing is noted."""

    remarks: tuple[str, ...] = ()

    def before(self, action: ActionRecord, order: Command, estimated: Estimated) -> None:
        """Allow everything."""

    def after(
        self, action: ActionRecord, order: Command, outcome: Outcome, *, presumed: bool = False
    ) -> None:
        """Note nothing."""

    def has(self, sample_id: str) -> bool:
        """Return True: everything is there."""
        del sample_id
        return True
