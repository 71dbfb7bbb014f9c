"""Telling people who are not looking: never in the way, never the reason why something stops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from orchestrator.errors import Fault
from orchestrator.toml_source import TomlSource

if TYPE_CHECKING:
    from orchestrator.run import Run

NoticeKind = Literal["question", "overdue", "failed", "finished", "stopped"]
"""A person is needed; an action takes too long; a campaign failed; it ended; it was stopped."""

THIS_COMPUTER = frozenset({"127.0.0.1", "::1", "localhost"})


class NotifyEntry(BaseModel):
    """Whom a laboratory tells what happens while nobody looks; silent in a simulation.

    Attributes
    ----------
    webhook : address on this computer, or on one that the laboratory allows, which is sent each
        notice as JSON. It holds no secret, since the laboratory file is kept in the history.
    blocks : Prefect's own notification blocks (e-mail, Slack, Teams, …), as ``kind/name``. Their
        secrets stay with Prefect.
    on : what is told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook: str = ""
    blocks: tuple[str, ...] = ()
    on: tuple[NoticeKind, ...] = Field(
        default=("question", "overdue", "failed", "finished", "stopped")
    )

    @field_validator("webhook")
    @classmethod
    def _is_a_plain_address(cls, webhook: str) -> str:
        parts = urlsplit(webhook)
        if webhook and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError(f"{webhook!r} is no address; write http://127.0.0.1:8080/notices")
        if parts.username or parts.password or parts.query:
            raise ValueError(
                "a webhook with a user, a password or a query may hold a secret, and this file is "
                "kept in the history; save it as a Prefect block and name that under `blocks`"
            )
        return webhook

    @field_validator("blocks")
    @classmethod
    def _are_references(cls, blocks: tuple[str, ...]) -> tuple[str, ...]:
        for block in blocks:
            kind, slash, name = block.partition("/")
            if not (kind and slash and name) or "://" in block:
                raise ValueError(
                    "a block is named as `kind/name`, such as slack-webhook/lab; never write its "
                    "address here"
                )
        return blocks


def notify_faults(entry: NotifyEntry, allowed: Sequence[str], source: TomlSource) -> list[Fault]:
    """Return what is wrong with where notices go.

    Parameters
    ----------
    allowed : computers besides this one that the laboratory may contact.
    """
    host = urlsplit(entry.webhook).hostname
    if host is None or host in THIS_COMPUTER or host in allowed:
        return []
    why = f"{host} is another computer; add it to `[network] allow`, or use a Prefect block"
    return [source.fault(("notify", "webhook"), why)]


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
