"""What the history tells of an agent's word: statements, truths, and the trust that was used.

Pure functions over records, for a campaign that runs and for everybody who looks at one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analysis.insight import Insight
from orchestrator.acting.current import latest
from orchestrator.failing.clearing import standing
from orchestrator.scoring import observe
from orchestrator.store.records import Event, Experiment
from orchestrator.trust.alarms import Alarm
from orchestrator.trust.calibrating import cases
from orchestrator.trust.coverage import Coverage, coverage
from orchestrator.trust.statements import Foretold, Statement, Truth
from orchestrator.trust.trusting import Trust, referred, trust, with_truths
from orchestrator.trust.wording import alarms_of, corrections_of, floors_of, truths_of
from planners.objective import Objective
from planners.proposal import Observation


@dataclass(frozen=True, slots=True)
class Judged:
    """How a campaign's agents stand.

    Attributes
    ----------
    coverage : of each agent and quantity of which truths are known.
    on : alarms that nobody has resolved.
    truths : told by people.
    """

    believing: Trust
    coverage: tuple[Coverage, ...]
    on: tuple[Alarm, ...]
    truths: tuple[Truth, ...]


def judge(
    experiments: Sequence[Experiment], events: Sequence[Event], *, references: Sequence[str] = ()
) -> Judged:
    """Return how the agents stand after everything that is recorded."""
    said = [statement for known in experiments for statement in said_of(known)]
    told, on = truths_of(events), alarms_of(events)
    against = [*referred(said, references), *told]
    agents = [a for a in dict.fromkeys(s.agent for s in said) if a not in references]
    covered = [c for agent in agents for c in coverage(agent, cases(agent, said, against))]
    believing = trust(said, truths=told, references=references, on=on)
    return Judged(believing, tuple(covered), tuple(on), tuple(told))


def said_of(known: Experiment, insights: Sequence[Insight] | None = None) -> list[Statement]:
    """Return what the agents said last of an experiment; what they abstained from is left out.

    Parameters
    ----------
    insights : what they say of it, if that is known better than the history.
    """
    spoken = last_words(known) if insights is None else insights
    values = known.proposal.values if known.observation is None else known.observation.values
    made = sample_of(known, known.number)
    return [
        Statement.of(known.number, i, values=values, made=made) for i in spoken if not i.abstained
    ]


def last_words(known: Experiment) -> list[Insight]:
    """Return what each agent said last, without the curves it showed."""
    return standing([[insight.without_arrays()] for insight in known.insights])


def sample_of(known: Experiment | None, number: int) -> int:
    """Return the number of the experiment that made the sample of another."""
    again = None if known is None else known.proposal.measure_again
    return number if again is None else again.experiment


def pinned(events: Sequence[Event], kind: str, number: int) -> Trust | None:
    """Return the trust that was written down for an experiment, None if there is none."""
    for event in events:
        if event.kind == kind and event.number == number:
            corrections, truths = corrections_of(event.message)
            return Trust(corrections, tuple(truths_of(events, most=truths)))
    return None


def foretold(ended: Sequence[tuple[int, Observation]]) -> list[Foretold]:
    """Return how the planner's predictions of each outcome fared, by experiment."""
    found = []
    for number, observation in ended:
        for quantity, p in observation.predicted.items():
            value = observation.outcomes.get(quantity)
            noise = observation.stds.get(quantity, p.noise)
            total = math.hypot(p.std, noise)
            if value is not None and total > 0:
                found.append(Foretold(number, quantity, (value - p.mean) / total))
    return found


def scored_again(
    objective: Objective,
    known: Sequence[tuple[int, Observation]],
    believing: Trust,
    *,
    ended: Sequence[tuple[int, Observation]],
    events: Sequence[Event],
    experiment: Callable[[int], Experiment | None],
) -> list[tuple[int, Observation]]:
    """Return observations scored again from what the agents had said, as they are believed now.

    Parameters
    ----------
    known : what is known of each sample, under the number of the experiment that made it.
    ended : every observation by number, superseded ones included.
    events : the log.
    experiment : number → its record.
    """
    if believing.is_neutral:
        return list(known)  # what was odd of a sample was counted when it was scored
    found, floors = [], floors_of(events)
    for made, observation in known:
        holder = None if observation.failed else experiment(latest(ended, made))
        if holder is not None:
            insights = with_truths(
                made, last_words(holder), believing, floors=floors.get(holder.number)
            )
            observation = _scored(objective, observation, insights)
        found.append((made, observation))
    return found


def _scored(objective: Objective, then: Observation, insights: Sequence[Insight]) -> Observation:
    now = observe(
        objective,
        insights,
        values=then.values,
        cost=then.cost,
        context=then.context,
        predicted=then.predicted,
    )
    return now.model_copy(update={"supersedes": then.supersedes})
