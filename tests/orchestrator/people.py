"""People of whom a test knows the answers; the questions go through a real store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.people.asking import Question, Reply
from orchestrator.store import Store

Answers = Callable[[Question], tuple[str, str]]
"""A question → answer and reason."""


@dataclass
class Decided:
    """Answers at once, and in the store, as somebody with a terminal would."""

    store: Store
    campaign_id: str
    answers: Answers
    asked: list[Question] = field(default_factory=list)

    async def ask(self, question: Question) -> Reply:
        """Return the answer that the store has in the end."""
        stands = self.store.questions.ask(self.campaign_id, question)
        if stands.reply is None:
            self.asked.append(question)
            answer, reason = self.answers(question)
            reply = Reply(answer, reason, "anna@bakery")
            stands = self.store.questions.answer(self.campaign_id, question.key, reply)
        assert stands.reply is not None
        return stands.reply


def agrees(question: Question) -> tuple[str, str]:
    """Answer what lets the campaign go on."""
    return question.options[0], ""
