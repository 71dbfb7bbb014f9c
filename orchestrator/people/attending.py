"""Who answers the questions of a campaign in this process, and who is told that there are some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.people.asking import Asked, Nobody, Operator, Person, Rehearsal, how_to_answer
from orchestrator.people.notifying import notify
from orchestrator.run import Run
from orchestrator.store import Store


@dataclass(frozen=True, slots=True)
class Attendance:
    """Whether somebody can be asked.

    Attributes
    ----------
    waits : the campaign waits for an answer; otherwise it ends until there is one.
    asks_in_simulation : also ask what a simulated laboratory does not need to know.
    """

    waits: bool = True
    asks_in_simulation: bool = False


def person_for(
    run: Run, store: Store, attendance: Attendance, say: Callable[[str], None]
) -> Person:
    """Return who answers the questions of a run; each open one is said and people are told."""

    def asked(question: Asked) -> None:
        how = how_to_answer(question)
        store.set_status(run.id, "waiting", f"{question.question.text} Answer with `{how}`")
        say(f"{question.question.text} Answer: {how}")
        notify(run, "question", f"a question ({question.question.kind})", _letter(question))

    def answered(question: Asked) -> None:
        if not store.questions.open(run.id):
            store.set_status(run.id, "running", f"{question.question.key} was answered")
        if question.reply is not None:
            say(f"{question.reply.by}: {question.reply.answer} {question.reply.reason}".rstrip())

    person: Person = Nobody(run.id, store.questions, asked)
    if attendance.waits:
        person = Operator(run.id, store.questions, run.laboratory.clock, asked, answered)
    if run.laboratory.simulated and not attendance.asks_in_simulation:
        person = Rehearsal(person)
    return person


def _letter(asked: Asked) -> str:
    return f"{asked.question.text}\n\nAnswer with: {how_to_answer(asked)}"
