"""Asking a person: the question is written down first, so the answer may come from anywhere."""

from __future__ import annotations

import asyncio
import getpass
import socket
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Protocol

from instruments.clock import Clock, VirtualClock
from orchestrator.errors import WaitsForPerson
from orchestrator.store.question_records import Asked, Question, QuestionKind, Reply

__all__ = [
    "Asked",
    "Nobody",
    "Operator",
    "Person",
    "Question",
    "QuestionKind",
    "Rehearsal",
    "Reply",
    "how_to_answer",
    "this_person",
]

LOOK_EVERY = 0.3
"""Seconds between two looks for an answer; real time, for a person is not simulated."""

REHEARSED: frozenset[QuestionKind] = frozenset({"approve", "manual", "reset", "look"})
"""Kinds of which a simulated laboratory needs no answer, since nothing moves in it."""


class Person(Protocol):
    """Whoever answers what only a person can say."""

    async def ask(self, question: Question) -> Reply:
        """Return the answer to a question; asked again under its key, the answer given before.

        Raises
        ------
        WaitsForPerson
            Nobody is there; the question is written down, and the campaign ends until it is
            answered.
        """
        ...


class Book(Protocol):
    """Where questions are written down; `orchestrator.store.questions` is one."""

    def ask(self, campaign_id: str, question: Question) -> Asked:
        """Write a question down, unless one with its key is there; return the one that is."""
        ...

    def find(self, campaign_id: str, key: str) -> Asked:
        """Return a question with its answer, if it has one."""
        ...


def _unheard(_: Asked) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who answers sooner or later, by whatever way; the campaign waits for it.

    Virtual time stands still meanwhile, so that a simulated laboratory does not run ahead of the
    person.

    Attributes
    ----------
    asked : told of a question that is open, once for each time it is asked.
    answered : told of the answer.
    """

    campaign_id: str
    book: Book
    clock: Clock
    asked: Callable[[Asked], None] = field(default=_unheard)
    answered: Callable[[Asked], None] = field(default=_unheard)

    async def ask(self, question: Question) -> Reply:
        """Return the answer as soon as there is one in the history."""
        stands = self.book.ask(self.campaign_id, question)
        if stands.reply is not None:
            return stands.reply
        self.asked(stands)
        with self.clock.hold() if isinstance(self.clock, VirtualClock) else nullcontext():
            reply = await self._answer(question.key)
        self.answered(replace(stands, reply=reply))
        return reply

    async def _answer(self, key: str) -> Reply:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if (reply := self.book.find(self.campaign_id, key).reply) is not None:
                return reply


@dataclass(frozen=True, slots=True)
class Nobody:
    """Nobody is there: what was answered before is known, anything else ends the campaign for now.

    Attributes
    ----------
    book : None asks in vain and leaves no trace.
    """

    campaign_id: str = ""
    book: Book | None = None
    asked: Callable[[Asked], None] = field(default=_unheard)

    async def ask(self, question: Question) -> Reply:
        """Return the answer given before. Raises WaitsForPerson if there is none."""
        if self.book is None:
            raise WaitsForPerson(f"{question.text} Nobody was there to answer {question.key}")
        stands = self.book.ask(self.campaign_id, question)
        if stands.reply is None:
            self.asked(stands)
            raise WaitsForPerson(
                f"{question.text} Say `{how_to_answer(stands)}`, then "
                f"`sdlab resume {self.campaign_id}`"
            )
        return stands.reply


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Agrees to what moves nothing in a simulated laboratory, and asks a person for the rest."""

    person: Person

    async def ask(self, question: Question) -> Reply:
        """Return the first option where a rehearsal needs no person."""
        if question.kind in REHEARSED:
            return Reply(
                question.options[0], "nothing moves in a simulated laboratory", "rehearsal"
            )
        return await self.person.ask(question)


def how_to_answer(asked: Asked) -> str:
    """Return the command that answers a question."""
    return (
        f"sdlab answer {asked.campaign_id} {asked.question.key} {'|'.join(asked.question.options)}"
    )


def this_person() -> str:
    """Return who sits at this machine, as it is recorded with an answer."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        name = "somebody"
    return f"{name}@{socket.gethostname()}"
