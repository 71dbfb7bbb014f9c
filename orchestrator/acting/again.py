"""A turn that measures an earlier sample again, instead of making a new one.

All measurements of the sample are read together, and what is then known takes the place of what was
known. If nothing more comes of it, what was known stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from instruments.measurement import Measurement
from instruments.sample import Sample
from orchestrator.acting.asking import DISCARDED, INFEASIBLE
from orchestrator.acting.current import NOTHING_NEW, current, latest
from orchestrator.failing.remedies import StepFailed
from orchestrator.measuring import SPOILING_FLAGS, measure_once
from orchestrator.run import Run
from orchestrator.store.records import Experiment
from planners.actions.records import MeasureAgain
from planners.proposal import Observation


def asked_again(run: Run, number: int) -> MeasureAgain | None:
    """Return the measurement that an experiment takes of an earlier sample, None of its own."""
    known = run.history.experiment(run.id, number)
    return None if known is None else known.proposal.measure_again


def sample_again(run: Run, number: int, again: MeasureAgain) -> Sample:
    """Return the sample that is measured again.

    Raises
    ------
    StepFailed
        It was never made, or is not there any more and was not measured in this turn yet.
    """
    made = run.history.experiment(run.id, again.experiment)
    if made is None or made.sample is None:
        raise StepFailed(f"experiment {again.experiment} made no sample", cause="sample")
    known = run.history.experiment(run.id, number)
    is_measured = known is not None and bool(known.measurements)
    if not is_measured and not run.storeroom.has(made.sample.id):
        raise StepFailed(f"{made.sample.id} is not in the laboratory any more", cause="sample")
    return made.sample


async def measured_again(
    run: Run, number: int, sample: Sample, again: MeasureAgain
) -> list[Measurement]:
    """Return all measurements of a sample, the new one last, taking it if it is missing.

    Raises
    ------
    StepFailed
        The instrument failed, or its data were spoilt, as often as the campaign allows.
    """
    index = plan_of(run, again.technique)
    settings = {**run.campaign.plans[index].settings, **again.settings}
    new = await measure_once(run, number, sample, index, more=settings, times=0)
    before = (run.history.experiment(run.id, n) for n in range(again.experiment, number))
    ids = ids_measured((e for e in before if e is not None), again.experiment)
    return [*(run.history.measurement(i) for i in ids), new]


def plan_of(run: Run, technique: str) -> int:
    """Return which of the campaign's measurements is meant: the first of a technique."""
    return [plan.technique for plan in run.campaign.plans].index(technique)


def ids_measured(experiments: Iterable[Experiment], made: int) -> list[str]:
    """Return the measurements of a sample, in the order of experiments; spoilt ones are left out.

    Parameters
    ----------
    made : number of the experiment that made the sample.
    """
    return [
        m.id
        for experiment in experiments
        if made == _whose(experiment)
        for m in experiment.measurements
        if not SPOILING_FLAGS & set(m.flags)
    ]


def further_ones(run: Run, number: int, measurements: Sequence[Measurement]) -> list[Measurement]:
    """Return the measurements that were taken in an experiment beyond what was planned for it.

    Parameters
    ----------
    measurements : everything that is known of the sample, oldest first.
    """
    known = run.history.experiment(run.id, number)
    own = {m.id for m in known.measurements} if known is not None else set()
    again = known is not None and known.proposal.measure_again is not None
    planned = 1 if again else len(run.campaign.measurements)
    return [m for m in measurements if m.id in own][planned:]


def turn_mark(run: Run, number: int) -> str:
    """Return how the id of an insight goes on that was read in a turn without a sample of its own.

    The agent named it after a measurement of another turn; elsewhere the mark is empty.
    """
    return "" if asked_again(run, number) is None else f"/turn{number}"


def in_place(run: Run, made: int, observation: Observation) -> Observation:
    """Return what a turn told that measured a sample again, in the place of what was known of it.

    Parameters
    ----------
    made : number of the experiment that made the sample.
    """
    return replacing(observation, made, run.history.observations(run.id))


def replacing(
    observation: Observation, made: int, ended: Sequence[tuple[int, Observation]]
) -> Observation:
    """Return an observation that supersedes what was known of a sample, or says why it does not.

    One that tells less than what was known, or nothing, replaces nothing; that the sample is
    infeasible, or was discarded, does.

    Parameters
    ----------
    ended : number and observation of each experiment until then.
    """
    known = dict(current(ended)).get(made)
    lost = set() if known is None else set(known.outcomes) - set(observation.outcomes)
    if not lost or observation.cause in (INFEASIBLE, DISCARDED):
        return observation.model_copy(update={"supersedes": latest(ended, made)})
    why = observation.failure or f"{', '.join(sorted(lost))} could not be told any more"
    return Observation(
        values=observation.values,
        failed=True,
        failure=f"{why}; what was known of experiment {made} stands",
        cause=NOTHING_NEW,
        cost=observation.cost,
        context=observation.context,
    )


def _whose(experiment: Experiment) -> int:
    again = experiment.proposal.measure_again
    return experiment.number if again is None else again.experiment
