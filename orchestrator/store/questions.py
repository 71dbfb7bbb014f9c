"""Questions to a person: asked once, answered once, and longer-lived than any process."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, bindparam, select, update

from orchestrator.errors import QuestionError
from orchestrator.store import rows
from orchestrator.store.agreement_tables import QUESTION
from orchestrator.store.ledger import Ledger
from orchestrator.store.question_records import Asked, Question, Reply

_ONE = select(QUESTION).where(
    QUESTION.c.campaign_id == bindparam("campaign_id"), QUESTION.c.key == bindparam("key")
)

_OF_CAMPAIGN = (
    select(QUESTION)
    .where(QUESTION.c.campaign_id == bindparam("campaign_id"))
    .order_by(QUESTION.c.row)
)

_OPEN = _OF_CAMPAIGN.where(QUESTION.c.answer.is_(None))

_OPEN_ANYWHERE = select(QUESTION).where(QUESTION.c.answer.is_(None)).order_by(QUESTION.c.row)

_ANSWER = (
    update(QUESTION)
    .where(
        QUESTION.c.campaign_id == bindparam("this_campaign"),
        QUESTION.c.key == bindparam("this_key"),
        QUESTION.c.answer.is_(None),
    )
    .values(
        {name: bindparam(name) for name in ("answer", "reason", "answered", "answered_by")},
    )
)


class Questions:
    """The questions of all campaigns. May be used from several threads and processes."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def ask(self, campaign_id: str, question: Question) -> Asked:
        """Write a question down, unless one with its key is there; return the one that is."""
        values: dict[str, Any] = {
            "campaign_id": campaign_id,
            "key": question.key,
            "number": question.number,
            "kind": question.kind,
            "text": question.text,
            "options": list(question.options),
            "details": dict(question.details),
            "asked": rows.now(),
            "answer": None,
            "reason": "",
            "answered": None,
            "answered_by": "",
        }
        with self._ledger.writing(campaign_id):
            self._ledger.driver.insert(QUESTION, values)
        return self.find(campaign_id, question.key)

    def find(self, campaign_id: str, key: str) -> Asked:
        """Return a question with its answer, if it has one.

        Raises
        ------
        QuestionError
            Nobody asked it.
        """
        found = self._read(_ONE, campaign_id=campaign_id, key=key)
        if not found:
            raise QuestionError(
                f"nothing was asked under {key!r} in {campaign_id}; "
                f"`sdlab questions {campaign_id}` lists what was"
            )
        return found[0]

    def of(self, campaign_id: str) -> list[Asked]:
        """Return every question of a campaign, oldest first."""
        return self._read(_OF_CAMPAIGN, campaign_id=campaign_id)

    def open(self, campaign_id: str | None = None) -> list[Asked]:
        """Return the questions without an answer, oldest first; None for those of all campaigns."""
        if campaign_id is None:
            return self._read(_OPEN_ANYWHERE)
        return self._read(_OPEN, campaign_id=campaign_id)

    def answer(self, campaign_id: str, key: str, reply: Reply) -> Asked:
        """Answer a question. The same answer given twice changes nothing; the first reason stays.

        Raises
        ------
        QuestionError
            Nobody asked it, the answer is none of its options, or it was answered otherwise.
        """
        asked = self.find(campaign_id, key)
        if reply.answer not in asked.question.options:
            raise QuestionError(
                f"{reply.answer!r} does not answer {key}; say one of "
                f"{', '.join(asked.question.options)}"
            )
        values = {
            "this_campaign": campaign_id,
            "this_key": key,
            "answer": reply.answer,
            "reason": reply.reason,
            "answered": rows.now(),
            "answered_by": reply.by,
        }
        with self._ledger.writing(campaign_id):
            self._ledger.driver.change(_ANSWER, values)
        stands = self.find(campaign_id, key)
        if stands.reply is not None and stands.reply.answer != reply.answer:
            raise QuestionError(
                f"{key} was answered already: {stands.reply.by} said {stands.reply.answer!r} on "
                f"{stands.answered:%Y-%m-%d at %H:%M} UTC. An answer is acted on at once and "
                "cannot be changed"
            )
        return stands

    def _read(self, query: Select[Any], **values: Any) -> list[Asked]:
        return [_asked(row) for row in self._ledger.driver.read(query, values)]


def _asked(row: tuple[Any, ...]) -> Asked:
    told = dict(zip(QUESTION.c.keys(), row, strict=True))
    question = Question(
        key=told["key"],
        kind=told["kind"],
        text=told["text"],
        options=tuple(told["options"]),
        number=told["number"],
        details=told["details"],
    )
    answered = told["answer"] is not None
    reply = Reply(told["answer"], told["reason"], told["answered_by"]) if answered else None
    return Asked(told["campaign_id"], question, told["asked"], reply, told["answered"])
