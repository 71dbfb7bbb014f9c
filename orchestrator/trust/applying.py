"""Trust inside a running campaign: what was said is believed as far as it has deserved it.

What an agent said stays in the history as it was said. What was believed of it is written beside
it, once, before the experiment ends, so that a resumed campaign and a replay believe the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from analysis.insight import Insight
from orchestrator.acting.current import latest
from orchestrator.people.notifying import notify
from orchestrator.run import Run
from orchestrator.store.records import Event
from orchestrator.trust.alarms import Alarm, alarms
from orchestrator.trust.oddity import oddity
from orchestrator.trust.recorded import foretold, pinned, said_of, sample_of, scored_again
from orchestrator.trust.standards import tell_standard
from orchestrator.trust.statements import Statement, Truth
from orchestrator.trust.trusting import Trust, trust, with_truths
from orchestrator.trust.wording import (
    ALARM,
    ODD,
    RETOLD,
    TRUSTED,
    alarm_in_words,
    alarms_of,
    corrections_in_words,
    floors_of,
    odd_in_words,
    resolved_of,
    truths_of,
)
from planners.proposal import Observation

LOOK_BACK = 40
"""Latest experiments that alarms are judged by, so that a long campaign costs no more a turn."""


REMEMBERED = 400
"""Experiments of which statements are kept in memory."""


def trusted(run: Run, number: int, insights: Sequence[Insight]) -> list[Insight]:
    """Return what is believed of the sample of an experiment, and tell of new alarms.

    Of the same experiment it returns the same again, whatever became known meanwhile.
    """
    tell_standard(run, number)
    events = run.history.events(run.id)
    believing = pinned(events, TRUSTED, number)
    if believing is None:
        told = truths_of(events)
        said = statements(run, _that_count(run, told), now=(number, insights))
        on = [*alarms_of(events), *_new_alarms(run, number, said, told, events)]
        believing = _trust(run, said, told, on)
        _pin(run, TRUSTED, number, believing)
        _tell_oddities(run, number, said, events)
    floors = floors_of(run.history.events(run.id)).get(number)
    return with_truths(
        sample_of(run.history.experiment(run.id, number), number),
        insights,
        believing,
        floors=floors,
    )


def retold(
    run: Run, number: int, known: Sequence[tuple[int, Observation]]
) -> list[tuple[int, Observation]]:
    """Return earlier observations as they are believed today, for the planner.

    Parameters
    ----------
    number : the experiment that is to be proposed.
    known : what is known of each sample, under the number of the experiment that made it.
    """
    events = run.history.events(run.id)
    believing = pinned(events, RETOLD, number)
    if believing is None:
        told, on = truths_of(events), alarms_of(events)
        if not (told or on or run.campaign.trust.references):
            return list(known)
        said = statements(run, _that_count(run, told))
        believing = _trust(run, said, told, on)
        _pin(run, RETOLD, number, believing)
    return scored_again(
        run.campaign.objective,
        known,
        believing,
        ended=run.history.observations(run.id),
        events=events,
        experiment=lambda n: run.history.experiment(run.id, n),
    )


def statements(
    run: Run, numbers: Sequence[int], *, now: tuple[int, Sequence[Insight]] | None = None
) -> list[Statement]:
    """Return what the agents said last of each experiment, and of the one that is being scored."""
    found: list[Statement] = []
    for n in numbers:
        if now is None or n != now[0]:
            found += _said(run, n)
    known = None if now is None else run.history.experiment(run.id, now[0])
    if known is not None and now is not None:
        found += said_of(known, now[1])
    return found


def _said(run: Run, number: int) -> list[Statement]:
    """Return what the agents said last of an experiment, read once if it has ended."""
    if number in run.said:
        return run.said[number]
    known = run.history.experiment(run.id, number)
    said = [] if known is None else said_of(known)
    if known is not None and known.observation is not None:
        if len(run.said) >= REMEMBERED:
            run.said.pop(min(run.said))
        run.said[number] = said
    return said


def _trust(run: Run, said: list[Statement], told: list[Truth], on: list[Alarm]) -> Trust:
    plan = run.campaign.trust
    on = on if plan.doubt_during_alarms else []
    return trust(
        said, truths=told, references=plan.references, batch_spread=plan.batch_spread, on=on
    )


def _that_count(run: Run, told: Sequence[Truth]) -> list[int]:
    """Return the experiments by which trust is judged: the latest, and all of known truth."""
    ended = run.history.observations(run.id)
    if run.campaign.trust.references:
        return [n for n, _ in ended]
    samples = {t.sample for t in told}
    holders = {latest(ended, made) for made in samples}
    return sorted(samples | holders | {n for n, _ in ended[-LOOK_BACK:]})


def _new_alarms(
    run: Run, number: int, said: list[Statement], told: list[Truth], events: Sequence[Event]
) -> list[Alarm]:
    """Tell of what has gone wrong since the last experiment, and return it."""
    if not run.campaign.trust.alarms:
        return []
    on = {(alarm.kind, alarm.agent) for alarm in alarms_of(events)}
    fared = foretold(run.history.observations(run.id)[-LOOK_BACK:])
    found = alarms(said, truths=told, foretold=fared, resolved=resolved_of(events))
    new = [alarm for alarm in found if (alarm.kind, alarm.agent) not in on]
    for alarm in new:
        line = alarm_in_words(alarm)
        run.history.record_event(run.id, ALARM, line, number)
        run.tell(number, "score", "failed", line)
        notify(run, "question", f"{alarm.kind} of {alarm.agent}", line)
    return new


def _tell_oddities(
    run: Run, number: int, said: Sequence[Statement], events: Sequence[Event]
) -> None:
    """Write down which statements on a sample are unlike those before, unless that was done."""
    if not run.campaign.trust.alarms or number in floors_of(events):
        return
    for statement in said:
        if statement.turn != number or statement.agent in run.campaign.trust.references:
            continue
        odd = oddity(statement, said)
        if odd.score >= 1:
            line = odd_in_words(statement.agent, odd)
            run.history.record_event(run.id, ODD, line, number)
            run.tell(number, "score", "failed" if odd.floor else "finished", line)


def _pin(run: Run, kind: str, number: int, believing: Trust) -> None:
    """Write down the trust that is used, unless everything is believed as it was said."""
    if not believing.is_neutral:
        line = corrections_in_words(believing.corrections, truths=len(believing.truths))
        run.history.record_event(run.id, kind, line, number)
