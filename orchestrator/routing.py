"""Which agents see which measurement, and what several of them say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analysis.insight import Estimate
from analysis.learning.voting.answers import PooledAnswer, pool_answers
from analysis.learning.voting.causes import Shares
from analysis.learning.voting.numbers import PooledNumber, pool_numbers
from analysis.protocols import Agent
from instruments.measurement import Measurement
from orchestrator.agreeing.answering import answer_of, answering
from orchestrator.agreeing.statements import (
    SHARED_ERROR,
    SHARES,
    STRETCH,
    Speaks,
    ballot,
    comparable,
    width_of,
)


def readable(agent: Agent, measurements: Sequence[Measurement]) -> list[Measurement]:
    """Return the measurements an agent can read: those of its technique, or all of them."""
    return [m for m in measurements if agent.technique in ("", m.technique)]


def combine(
    quantity: str, insights: Sequence[Speaks], *, width: float | None = None
) -> tuple[Estimate, float] | None:
    """Return what several insights say of one quantity, with the probability that it is wrong.

    Agents that agree make each other surer; agents that contradict each other raise the probability
    of being wrong, as `analysis.learning.voting` weighs it. Those that read the same measurement
    can be fooled by it together. One insight alone is taken at its word.

    Parameters
    ----------
    width : range over which the quantity may lie; without it, see `width_of`.

    Returns
    -------
    The estimate and the probability that it is wrong, or None if no insight speaks of the quantity.
    """
    speaking = comparable(quantity, insights)
    if not speaking:
        return None
    if len(speaking) == 1:
        return speaking[0].estimates[quantity], speaking[0].p_wrong or 0.0
    pooled = pooled_number(quantity, speaking, width=width)
    unit = speaking[0].estimates[quantity].unit
    return Estimate(pooled.value, pooled.std, unit), pooled.p_wrong


def combine_answers(
    question: str, insights: Sequence[Speaks]
) -> tuple[Mapping[str, float], float] | None:
    """Return what several insights answer to one question, as `combine` does for a quantity.

    Who tells how much of a phase there is is heard on whether it is there; see `answer_of`.
    """
    speaking = answering(question, insights)
    if not speaking:
        return None
    if len(speaking) == 1:
        return speaking[0].class_probabilities[question], speaking[0].p_wrong or 0.0
    pooled = pooled_answer(question, speaking)
    return pooled.probabilities, pooled.p_wrong


def pooled_number(
    quantity: str,
    speaking: Sequence[Speaks],
    *,
    width: float | None = None,
    shares: Shares = SHARES,
) -> PooledNumber:
    """Return how two or more insights that estimate a quantity were weighed."""
    heard = ballot(speaking)
    said = [i.estimates[quantity] for i in heard.insights]
    return pool_numbers(
        [e.value for e in said],
        [e.std for e in said],
        p_wrong=heard.p_wrong,
        causes=heard.causes,
        width=width_of(quantity, said, width),
        shares=shares,
        shared_error=SHARED_ERROR,
        stretch=STRETCH,
    )


def pooled_answer(
    question: str, speaking: Sequence[Speaks], *, shares: Shares = SHARES
) -> PooledAnswer:
    """Return how two or more insights that answer a question were weighed."""
    heard = ballot(speaking)
    return pool_answers(
        [told for i in heard.insights if (told := answer_of(question, i)) is not None],
        p_wrong=heard.p_wrong,
        causes=heard.causes,
        shares=shares,
        shared_error=SHARED_ERROR,
    )
