"""Telling people who are not looking: never in the way, never the reason why something stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from orchestrator.run import Run

NoticeKind = Literal["question", "overdue", "failed", "finished", "stopped"]
"""A person is needed; an action takes too long; a campaign failed; it ended; it was stopped."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell.

    Attributes
    ----------
    title : one line, with the campaign's identifier.
    text : sentences; no secrets, for it leaves the house.
    """

    kind: NoticeKind
    title: str
    text: str


class Notifier(Protocol):
    """Whoever carries notices to people."""

    def send(self, notice: Notice) -> None:
        """Send a notice off and return at once; what goes wrong with it is recorded there."""
        ...


@dataclass(frozen=True, slots=True)
class Silent:
    """Tells nobody."""

    def send(self, notice: Notice) -> None:
        """Do nothing."""


def notify(run: Run, kind: NoticeKind, title: str, text: str) -> None:
    """Tell the people whom the laboratory names; silent in a simulated laboratory."""
    if not run.laboratory.simulated:
        run.notifier.send(Notice(kind, f"{run.id}: {title}", text))
