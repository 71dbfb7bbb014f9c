"""One turn of the loop: propose, synthesize, measure, analyze, score.

Every verb leaves its record in the history before it returns, and finds the record there if it
has been done before. So a turn can die anywhere and be taken again: what was done is not done
twice, and the turn ends as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from analysis.insight import Insight
from instruments.commands import Synthesize
from instruments.measurement import Measurement
from instruments.sample import Sample
from orchestrator.acting.again import (
    asked_again,
    further_ones,
    in_place,
    measured_again,
    sample_again,
    turn_mark,
)
from orchestrator.acting.asking import DISCARDED, INFEASIBLE, infeasible, looked_at
from orchestrator.acting.current import current
from orchestrator.acting.executed import executed
from orchestrator.acting.options import offered
from orchestrator.costs import cost_of
from orchestrator.deciding.fallback import plan, read
from orchestrator.errors import CampaignStops
from orchestrator.failing.clearing import AGAIN, mark, times_in
from orchestrator.failing.remedies import StepFailed, persist
from orchestrator.failing.repeating import LOOK_BACK, times_repeated, to_repeat
from orchestrator.furthering import cleared
from orchestrator.journal import act, settled_attempts
from orchestrator.measuring import measure_once
from orchestrator.people.approval import undone, vetoed
from orchestrator.recall import Recall
from orchestrator.run import Run
from orchestrator.scoring import failure, observe
from orchestrator.surroundings import reported
from orchestrator.telling import (
    in_words,
    insight_in_words,
    outcome_in_words,
    proposal_in_words,
    why_it_failed,
)
from orchestrator.trust.applying import retold, trusted
from orchestrator.trust.standards import to_check
from planners.proposal import Observation, Proposal


@dataclass(frozen=True, slots=True)
class Verbs:
    """The five verbs as a turn calls them; Prefect wraps each in a task."""

    propose: Callable[[Run, int], Awaitable[Proposal]]
    synthesize: Callable[[Run, int, Proposal], Awaitable[Sample]]
    measure: Callable[[Run, int, Sample], Awaitable[list[Measurement]]]
    analyze: Callable[[Run, int, list[Measurement]], Awaitable[list[Insight]]]
    score: Callable[[Run, int, Proposal, Sample, list[Insight]], Awaitable[Observation]]


async def turn(run: Run, number: int, *, verbs: Verbs | None = None) -> Observation:
    """Take one turn of the loop, or what is left of it, and return what it told.

    Raises
    ------
    CampaignError
        The campaign cannot go on. Everything done so far is in the history.
    """
    verbs = verbs or PLAIN
    run = replace(run, history=Recall(run.history, run.id, number))
    known = run.history.experiment(run.id, number)
    if known is not None and known.observation is not None:
        return known.observation
    proposal = await verbs.propose(run, number)
    run.under_way.add(number, proposal)
    observation = await _carried_out(run, number, proposal, verbs)
    run.under_way.remove(number)
    return observation


async def _carried_out(run: Run, number: int, proposal: Proposal, verbs: Verbs) -> Observation:
    """Return what an experiment told, or that it failed and why."""
    try:
        _refuse(await vetoed(run, number, proposal))
        sample = await _sample(run, number, proposal, verbs)
        _refuse(await undone(run, number, "measure", sample=sample.id))
        measurements = await persist(run, number, "measurement", verbs.measure, sample)
        insights = await cleared(run, number, sample, measurements, verbs.analyze)
        _refuse(infeasible(insights), cause=INFEASIBLE)
        _refuse(await looked_at(run, number, insights), cause=DISCARDED)
    except StepFailed as failed:
        return _failed(run, number, proposal, failed)
    return await verbs.score(run, number, proposal, sample, insights)


async def _sample(run: Run, number: int, proposal: Proposal, verbs: Verbs) -> Sample:
    """Return the sample of an experiment: a new one, or an earlier one that is measured again."""
    if proposal.measure_again is not None:
        return sample_again(run, number, proposal.measure_again)
    _refuse(await undone(run, number, "synthesize"))
    return await persist(run, number, "synthesis", verbs.synthesize, proposal)


def _failed(run: Run, number: int, proposal: Proposal, failed: StepFailed) -> Observation:
    """Record that an experiment failed, and what is to be done about it."""
    allowed = run.campaign.on_failure.synthesize_again
    observation = failure(
        str(failed),
        values=proposal.values,
        cost=cost_of(run, number),
        cause=failed.cause,
        repeat=failed.remedy == "resynthesize" and times_repeated(run, number) < allowed,
    )
    if proposal.measure_again is not None:
        observation = in_place(run, proposal.measure_again.experiment, observation)
    run.history.record_observation(run.id, number, observation)
    run.tell(number, "score", "failed", str(failed))
    if failed.remedy == "stop":
        raise CampaignStops(f"stopped after experiment {number}, as was said for it: {failed}")
    return observation


def _refuse(why: str | None, *, cause: str = "person") -> None:
    """Raise StepFailed if there is a reason why the experiment does not go on."""
    if why is not None:
        raise StepFailed(why, cause=cause)


async def propose(run: Run, number: int) -> Proposal:
    """Return the proposal of an experiment, asking the planner if there is none yet."""
    known = run.history.experiment(run.id, number)
    if known is not None:
        return known.proposal
    run.tell(number, "propose", "started", f"{run.match.planner.name} chooses")
    ended = run.history.observations(run.id)
    latest = dict(ended[-LOOK_BACK:])  # what is under way now cannot have ended long ago
    made = {n: p for n, p in run.under_way.points.items() if n not in run.under_way.again}
    pending = {n: point for n, point in made.items() if n not in latest}
    proposal = to_repeat(run, number, latest) or to_check(run, number)
    if proposal is None:
        proposal = await plan(
            run,
            number,
            observations=[o for _, o in retold(run, number, current(ended))],
            pending=list(pending.values()),
            offer=offered(run, ended),
        )
    run.history.record_proposal(
        run.id,
        number,
        proposal,
        seed=run.seed(number, "propose"),
        told=len(ended),
        pending=list(pending),
    )
    run.tell(number, "propose", "finished", proposal_in_words(run, proposal))
    return proposal


async def synthesize(run: Run, number: int, proposal: Proposal) -> Sample:
    """Return the sample of a proposal, making it if there is none yet.

    Raises
    ------
    StepFailed
        The synthesizer failed as often as the campaign allows.
    """
    known = run.history.experiment(run.id, number)
    if known is not None and known.sample is not None:
        return known.sample
    recipe = {**run.campaign.synthesis.settings, **proposal.values}
    made: list[Sample] = []

    def command(_: int) -> Synthesize:
        return Synthesize(sample_id=f"{run.id}/{number}", number=number, recipe=recipe)

    def keep(value: Sample | Measurement) -> None:
        assert isinstance(value, Sample)
        run.history.record_sample(run.id, number, value)
        made.append(value)

    names = run.match.synthesizers
    name = " or ".join(names)
    run.tell(number, "synthesize", "started", f"{name} · {in_words(run, proposal.values)}")
    allowed = 1 + run.campaign.on_failure.synthesize_again
    while len(settled_attempts(run, number, "synthesize")) < allowed:
        outcome = await act(
            run, number, step="synthesize", instruments=names, command=command, keep=keep
        )
        if made:
            made_by = made[0].made_by
            run.tell(number, "synthesize", "finished", f"{made_by} made {made[0].id}")
            return made[0]
        run.tell(number, "synthesize", "failed", f"{name}: {why_it_failed(outcome)}")
    last = settled_attempts(run, number, "synthesize")[-1]
    why = f"synthesis failed: {last.fault or last.settled}: {last.error}"
    raise StepFailed(why, cause="synthesis")


async def measure(run: Run, number: int, sample: Sample) -> list[Measurement]:
    """Return every measurement of a sample, taking those that are missing.

    Of an earlier sample, the one that was chosen is taken besides those that there are.

    Raises
    ------
    StepFailed
        An instrument failed, or its data were spoilt, as often as the campaign allows.
    """
    again = asked_again(run, number)
    if again is not None:
        return await measured_again(run, number, sample, again)
    plans = range(len(run.campaign.measurements))
    return [await measure_once(run, number, sample, i) for i in plans]


async def analyze(run: Run, number: int, measurements: list[Measurement]) -> list[Insight]:
    """Return every agent's insight, asking those that have not spoken yet.

    A measurement that an agent cannot read becomes an insight that abstains and says why. After a
    further measurement all are asked again, and what they said before stays in the history.
    """
    known = run.history.experiment(run.id, number)
    times = len(further_ones(run, number, measurements))
    said = known.insights if known is not None else ()
    done = {i.agent: i.id for i in said if times_in(i.id, AGAIN) == times}
    insights = []
    for name in run.match.agents:
        spoken = [done[a] for a in run.match.standing_for(name) if a in done]
        if spoken:
            insights.append(run.history.insight(spoken[0]))
            continue
        run.tell(number, "analyze", "started", f"{name} reads {len(measurements)} measurement(s)")
        insight = await read(run, number, name, measurements)
        if insight is None:
            continue
        insight = replace(insight, id=insight.id + turn_mark(run, number) + mark(AGAIN, times))
        run.history.record_insight(run.id, number, insight)
        insights.append(insight)
        run.tell(
            number,
            "analyze",
            "failed" if insight.abstained else "finished",
            insight_in_words(run, insight),
        )
    return insights


async def score(
    run: Run, number: int, proposal: Proposal, sample: Sample, insights: list[Insight]
) -> Observation:
    """Return what the experiment told about the objective, and close it."""
    observation = observe(
        run.campaign.objective,
        trusted(run, number, insights),
        values=executed(run, proposal, sample),
        cost=cost_of(run, number),
        context=reported(run.campaign.space.context, insights, sample.recipe),
        predicted=proposal.reason.predicted,
    )
    if proposal.measure_again is not None:
        observation = in_place(run, proposal.measure_again.experiment, observation)
    run.history.record_observation(run.id, number, observation)
    told = outcome_in_words(run, observation)
    run.tell(number, "score", "failed" if observation.failed else "finished", told)
    return observation


PLAIN = Verbs(propose, synthesize, measure, analyze, score)
"""The verbs as plain functions."""
