"""Disputes: agents whose statements on one sample leave nobody sure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.agreeing.answering import answer_of, answering
from orchestrator.agreeing.statements import Speaks, comparable, said_wrong
from orchestrator.report.labels import quantity_name
from orchestrator.routing import combine, combine_answers

DOUBTFUL = 0.2
"""Probability of being wrong from which agents that contradict each other have a dispute; also
that from which a report draws a point hollow. Between 0.1 and 0.4 the samples on which `SHARES` was
learnt are as often wrong in the end, for as much instrument time."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What one agent says in a dispute.

    Attributes
    ----------
    told : ``0.31 ± 0.01`` or ``present (98 %)``.
    p_wrong : as it states; None if it cannot tell.
    """

    agent: str
    told: str
    p_wrong: float | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A quantity or question on which agents contradict each other.

    Attributes
    ----------
    about : the quantity's or the question's key.
    votes : in the order in which they spoke.
    p_wrong : probability that what they say together is wrong.
    """

    about: str
    votes: tuple[Vote, ...]
    p_wrong: float

    @property
    def sentence(self) -> str:
        """What it is about, for a person."""
        said = ", ".join(f"{vote.agent} says {vote.told}" for vote in self.votes)
        return (
            f"{quantity_name(self.about)}: {said}; the likeliest of it is wrong with probability "
            f"{self.p_wrong:.0%}"
        )


def disputes(
    insights: Sequence[Speaks], *, wanted: Collection[str] | None = None
) -> tuple[Dispute, ...]:
    """Return what agents contradict each other in, the most doubtful first.

    They do if together they are less sure than the surest of them alone, and wrong with a
    probability of `DOUBTFUL` or more. Who is outvoted or yields to a surer one has no dispute.

    Parameters
    ----------
    wanted : quantities that matter; None for all. Some belong to a measurement and not to the
        sample, such as how high it was mounted, and may well differ. Questions always matter.
    """
    told = dict.fromkeys(q for i in insights for q in i.estimates if wanted is None or q in wanted)
    found = [*_on_numbers(insights, list(told)), *_on_answers(insights)]
    return tuple(sorted(found, key=lambda dispute: -dispute.p_wrong))


def _on_numbers(insights: Sequence[Speaks], quantities: Sequence[str]) -> list[Dispute]:
    found = []
    for quantity in quantities:
        speaking = comparable(quantity, insights)
        if len(speaking) < 2:
            continue
        told = combine(quantity, speaking)
        if told is not None and _doubtful(told[1], speaking):
            votes = [Vote(i.agent, str(i.estimates[quantity]), i.p_wrong) for i in speaking]
            found.append(Dispute(quantity, tuple(votes), told[1]))
    return found


def _on_answers(insights: Sequence[Speaks]) -> list[Dispute]:
    found = []
    for question in dict.fromkeys(q for i in insights for q in i.class_probabilities):
        speaking = answering(question, insights)
        if len(speaking) < 2:
            continue
        told = combine_answers(question, speaking)
        if told is not None and _doubtful(told[1], speaking):
            votes = [
                Vote(i.agent, _likeliest(said), i.p_wrong)
                for i in speaking
                if (said := answer_of(question, i)) is not None
            ]
            found.append(Dispute(question, tuple(votes), told[1]))
    return found


def _doubtful(p_wrong: float, speaking: Sequence[Speaks]) -> bool:
    return p_wrong >= DOUBTFUL and p_wrong > min(said_wrong(i) for i in speaking)


def _likeliest(answers: Mapping[str, float]) -> str:
    best = max(answers, key=answers.__getitem__)
    return f"{best} ({answers[best]:.0%})"
