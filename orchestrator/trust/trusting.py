"""What is believed of what agents say: the corrections of all agents, and what alarms add."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from analysis.insight import Estimate, Insight
from orchestrator.trust.alarms import Alarm, AlarmKind
from orchestrator.trust.calibrating import UNCHANGED, Correction, answers, cases, correction, widest
from orchestrator.trust.pairing import pairs
from orchestrator.trust.statements import Statement, Truth

DURING: Mapping[AlarmKind, tuple[float, float]] = {
    "drift": (1.5, 0.7),
    "unknown_phase": (1.0, 1.5),
    "overconfident": (1.0, 0.0),
    "property": (1.0, 0.0),
}
"""Alarm that is on → factor of the agent's stds, and what is added to its log odds of being wrong.

Truths widen an over-confident agent by themselves, and a property that its planner cannot foretell
says nothing against the agent that reads it.
"""


@dataclass(frozen=True, slots=True)
class Trust:
    """How far each agent is believed.

    Attributes
    ----------
    corrections : agent → what is done to its word.
    truths : known truths of samples.
    """

    corrections: Mapping[str, Correction] = field(default_factory=dict)
    truths: Sequence[Truth] = ()

    @property
    def is_neutral(self) -> bool:
        """Whether everything is believed as it was said."""
        return not self.truths and all(c == UNCHANGED for c in self.corrections.values())


def trust(
    statements: Sequence[Statement],
    *,
    truths: Sequence[Truth] = (),
    references: Sequence[str] = (),
    batch_spread: Mapping[str, float] | None = None,
    on: Sequence[Alarm] = (),
) -> Trust:
    """Return how far each agent is believed after all that was said and all that turned out true.

    Parameters
    ----------
    truths : told by people.
    references : agents whose word is taken as the truth.
    batch_spread : quantity → standard deviation between samples of one recipe, if it is known.
    on : alarms that nobody has resolved.
    """
    known = [*referred(statements, references), *truths]
    found: dict[str, Correction] = {}
    for agent in dict.fromkeys(s.agent for s in statements):
        if agent not in references:
            against = cases(agent, statements, known)
            apart = pairs(agent, statements, batch_spread=batch_spread)
            answered = answers(agent, statements, known)
            usual = correction(against, answered)
            if apart:
                usual = widest(usual, correction([*against, *apart], answered))
            found[agent] = _during(usual, [a for a in on if a.agent == agent])
    return Trust(found, tuple(truths))


def referred(statements: Sequence[Statement], references: Sequence[str]) -> list[Truth]:
    """Return what agents that count as a reference say, as truths."""
    return [
        Truth(s.sample, quantity, estimate.value, estimate.std or 0.0, s.agent)
        for s in statements
        if s.agent in references
        for quantity, estimate in s.estimates.items()
    ]


def believed(insight: Insight, believing: Trust) -> Insight:
    """Return an insight with the uncertainty that is believed; nothing else of it changes."""
    how = believing.corrections.get(insight.agent, UNCHANGED)
    if how == UNCHANGED or insight.abstained:
        return insight
    widened = {
        key: e if e.std is None else Estimate(e.value, how.std(key, e.std), e.unit)
        for key, e in insight.estimates.items()
    }
    doubt = how.p_wrong(insight.p_wrong or 0.0)
    said_nothing = insight.p_wrong is None and how.shift == 0
    return replace(
        insight,
        estimates=widened,
        covariance=None,
        covariance_keys=(),
        p_wrong=None if said_nothing else doubt,
    )


def with_truths(
    sample: int,
    insights: Sequence[Insight],
    believing: Trust,
    *,
    floors: Mapping[str, float] | None = None,
) -> list[Insight]:
    """Return what is believed of one sample, a truth taking the place of statements on it.

    Parameters
    ----------
    sample : number of the experiment that made it.
    floors : agent → least probability that what it said of this sample is wrong.
    """
    known = {t.quantity: t for t in believing.truths if t.sample == sample}
    told = [_raised(believed(i, believing), (floors or {}).get(i.agent, 0.0)) for i in insights]
    numbers = {q: t for q, t in known.items() if not isinstance(t.value, str)}
    answers = {q: t for q, t in known.items() if isinstance(t.value, str)}
    if not known:
        return told
    units = {q: e.unit for i in insights for q, e in i.estimates.items() if q in numbers}
    spoken = [_without(insight, set(known)) for insight in told]
    estimates = {q: Estimate(float(t.value), t.std, units.get(q, "")) for q, t in numbers.items()}
    person = Insight(
        id=f"{insights[0].id if insights else sample}/truth",
        agent="truth",
        measurement_ids=insights[0].measurement_ids if insights else (),
        estimates=estimates,
        class_probabilities={q: {str(t.value): 1.0} for q, t in answers.items()},
        p_wrong=0.0,
    )
    return [*spoken, person]


def _raised(insight: Insight, floor: float) -> Insight:
    if insight.abstained or (insight.p_wrong or 0.0) >= floor:
        return insight
    return replace(insight, p_wrong=floor)


def _without(insight: Insight, quantities: set[str]) -> Insight:
    if insight.abstained:
        return insight
    return replace(
        insight,
        estimates={q: e for q, e in insight.estimates.items() if q not in quantities},
        class_probabilities={
            q: told for q, told in insight.class_probabilities.items() if q not in quantities
        },
        covariance=None,
        covariance_keys=(),
    )


def _during(usual: Correction, on: Sequence[Alarm]) -> Correction:
    """Return a correction with what the alarms of its agent add."""
    for kind in dict.fromkeys(alarm.kind for alarm in on):
        factor, shift = DURING[kind]
        usual = replace(
            usual,
            factor=usual.factor * factor,
            factors={q: f * factor for q, f in usual.factors.items()},
            shift=usual.shift + shift,
        )
    return usual
