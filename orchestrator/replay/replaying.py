"""Decisions of a recorded campaign made again, from what was known at each of them.

Agents read the stored raw data again, and the planner chooses again from the observations it had
been told and the points that were under way. Nothing is written, and no instrument is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.insight import Insight
from orchestrator.acting.again import replacing
from orchestrator.acting.asking import DISCARDED, INFEASIBLE, infeasible
from orchestrator.deciding.choosing import choose
from orchestrator.deciding.deciders import Deciders, deciders
from orchestrator.deciding.interpreting import interpret
from orchestrator.failing.clearing import standing
from orchestrator.failing.repeating import made_again
from orchestrator.replay.differing import differences, insight_facts
from orchestrator.replay.past import Past
from orchestrator.scoring import failure, observe
from orchestrator.store.records import Experiment
from orchestrator.trust.recorded import pinned, sample_of
from orchestrator.trust.standards import STANDARD, check
from orchestrator.trust.trusting import Trust, with_truths
from orchestrator.trust.wording import TRUSTED, floors_of
from planners.errors import PlanningError
from planners.proposal import Observation, Proposal


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, made again.

    Attributes
    ----------
    by : the planner, the agent, or ``scoring``.
    differs : each place where it is not what is recorded, to the last bit; empty if it is.
    """

    number: int
    kind: Literal["proposal", "insight", "observation"]
    by: str
    differs: tuple[str, ...] = ()


def replay(past: Past, *, experiments: int | None = None) -> Iterator[Decision]:
    """Yield every decision of a campaign as it is made again, experiment by experiment.

    Parameters
    ----------
    experiments : how many, from the first; None for all.

    Raises
    ------
    BadFile
        A planner or an agent of the campaign is not installed any more.
    """
    who = deciders(past.campaign, past.source, earlier=past.earlier)
    for experiment in chosen(past, experiments):
        yield _proposal(past, experiment, who)
        for times in past.rounds(experiment):
            yield from _insights(past, experiment, who, times=times)
        seen = experiment.observation
        if experiment.insights and seen is not None and seen.cause != DISCARDED:
            yield _observation(past, experiment)


def chosen(past: Past, experiments: int | None) -> list[Experiment]:
    """Return the first so many experiments, by number."""
    return [past.experiments[n] for n in sorted(past.experiments)][:experiments]


def proposed(past: Past, experiment: Experiment, who: Deciders) -> Proposal | str:
    """Return what a planner proposes from what was known then, or why it proposes nothing."""
    observations, pending = past.known(experiment)
    try:
        return choose(
            who.planner,
            past.campaign,
            observations=observations,
            pending=pending,
            rng=np.random.default_rng(list(experiment.seed)),
            offer=experiment.proposal.offer,
        )
    except PlanningError as error:
        return f"{type(error).__name__}: {error}"


def _made_again(past: Past, lost: int) -> Proposal | str:
    """Return the proposal that repeats an experiment whose sample was lost."""
    earlier = past.experiments.get(lost)
    if earlier is None or earlier.observation is None or not earlier.observation.repeat:
        return f"experiment {lost} was not to be repeated"
    return made_again(lost, earlier.proposal, earlier.observation)


def _proposal(past: Past, experiment: Experiment, who: Deciders) -> Decision:
    by = experiment.proposal.reason.instead_of or experiment.proposal.reason.planner
    lost = experiment.proposal.reason.repeats
    standard = past.campaign.trust.standard
    if by == STANDARD and standard is not None:
        now: Proposal | str = check(standard)
    else:
        now = proposed(past, experiment, who) if lost is None else _made_again(past, lost)
    if isinstance(now, str):
        return Decision(experiment.number, "proposal", by, (f"a proposal → {now}",))
    then = experiment.proposal.model_dump(mode="json")
    found = differences(then, now.model_dump(mode="json"))
    return Decision(experiment.number, "proposal", by, tuple(found))


def _insights(
    past: Past, experiment: Experiment, who: Deciders, *, times: int
) -> Iterator[Decision]:
    said = {insight.agent: insight for insight in past.said(experiment, times=times)}
    shown = past.shown(experiment, times=times) if said else []
    for name, agents in who.agents.items():
        then = next((said[a.name] for a in agents if a.name in said), None)
        if then is None:
            continue  # the experiment failed, or was left, before the agents were asked
        now = interpret(agents, shown, rng=past.reading_stream(experiment.number))
        found = ["an insight → nothing it can read"]
        if now is not None:
            found = differences(insight_facts(then), insight_facts(now.insight))
        yield Decision(experiment.number, "insight", name, tuple(found))


def _scored(
    past: Past, experiment: Experiment, then: Observation, last: Sequence[Insight]
) -> Observation:
    """Return what an experiment tells by the last word of each agent."""
    why = infeasible(last)
    if why is not None:
        now = failure(why, values=then.values, cost=then.cost, cause=INFEASIBLE)
    else:
        now = observe(
            past.campaign.objective, last, values=then.values, cost=then.cost, context=then.context
        )
    again = experiment.proposal.measure_again
    if again is None:
        return now
    known = past.told if experiment.told is None else past.told[: experiment.told]
    return replacing(now, again.experiment, sorted(known, key=lambda told: told[0]))


def _observation(past: Past, experiment: Experiment) -> Decision:
    then = experiment.observation
    assert then is not None
    last = standing([past.said(experiment, times=n) for n in past.rounds(experiment)])
    believing = pinned(past.events, TRUSTED, experiment.number) or Trust()
    made = sample_of(experiment, experiment.number)
    floors = floors_of(past.events).get(experiment.number)
    believed = with_truths(made, last, believing, floors=floors)
    now = _scored(past, experiment, then, believed)
    # A failure's own words may tell of what was done about it, which is no decision of scoring.
    told = {"outcomes", "stds", "p_wrong", "failed", "supersedes"}
    found = differences(
        then.model_dump(mode="json", include=told), now.model_dump(mode="json", include=told)
    )
    return Decision(experiment.number, "observation", "scoring", tuple(found))
