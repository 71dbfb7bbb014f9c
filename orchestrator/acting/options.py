"""What could be measured next of samples that are there, with its price.

Options come from the campaign's ``[[actions.measure]]`` and from what agents ask for. They are
offered of every sample that told something of what is wanted; a sample that told nothing is dealt
with under ``[on_failure]``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from analysis.insight import MeasurementRequest
from instruments.commands import Measure
from instruments.errors import CommandRefused
from instruments.measurement import Measurement
from instruments.sample import Sample, Setting
from orchestrator.acting.again import plan_of
from orchestrator.acting.current import NOTHING_NEW, current, latest
from orchestrator.acting.prices import Price, made_so_far, new_price
from orchestrator.costs import price
from orchestrator.measuring import SPOILING_FLAGS
from orchestrator.run import Run
from orchestrator.store.records import Experiment, MeasurementSummary
from planners.actions.records import MeasureAgain, Offer, Option
from planners.proposal import Observation

MOST_SAMPLES = 60
"""Samples of which measurements are offered at most, so that a long campaign costs no more."""

Ended = Sequence[tuple[int, Observation]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A measurement that could be taken, and what is said of it.

    Attributes
    ----------
    request : of the agent that asks for it; None where only the campaign allows it.
    """

    again: MeasureAgain
    request: MeasurementRequest | None = None


@dataclass(frozen=True, slots=True)
class Priced:
    """A measurement that the instrument would take, with its price."""

    candidate: Candidate
    row: int
    price: Price

    def option(self, cost: float) -> Option:
        """Return the option that planners weigh, at a cost."""
        asked = self.candidate.request
        return Option(
            again=self.candidate.again,
            row=self.row,
            cost=cost,
            stds={} if asked is None else {q: s for q, s in asked.promised.items() if s > 0},
            p_wrong=None if asked is None else asked.p_wrong,
            reason="" if asked is None else asked.reason,
        )


def offered(run: Run, ended: Ended) -> Offer | None:
    """Return what could be measured next, None if the campaign allows nothing but new samples.

    None, too, before the first experiment has told something. A sample that is being measured is
    not offered meanwhile.

    Parameters
    ----------
    ended : number and observation of every experiment that has ended, by number.
    """
    actions = run.campaign.actions
    if actions is None or not any(o.outcomes for _, o in ended):
        return None
    experiments = {e.number: e for e in run.history.experiments(run.id)}
    busy = set(run.under_way.again.values())
    found: list[Priced] = []
    prices: dict[str, Price | None] = {}
    for row, made in _worth_offering(run, current(ended)):
        sample = experiments[made].sample
        if made in busy or sample is None or _is_used_up(run, experiments[made]):
            continue
        tried = Tried.of(run, experiments, made)
        if tried.turns >= actions.most or not run.storeroom.has(sample.id):
            continue
        requests = requests_in(run, experiments[latest(ended, made)])
        for candidate in candidates(run, made, requests, tried.times):
            alike = candidate.again.model_copy(update={"experiment": 0}).model_dump_json()
            if alike not in prices:  # an instrument far away is not asked for every sample
                prices[alike] = priced(run, candidate.again, sample)
            if (cost := prices[alike]) is not None:
                found.append(Priced(candidate, row, cost))
    return as_offer(run, made_so_far(ended), found)


def _worth_offering(run: Run, standing: Ended) -> list[tuple[int, int]]:
    """Return row and number of the samples that are offered, in order: the best, if many told.

    Where the whole space is mapped none is better, and the latest are offered.
    """
    told = [(row, n, o) for row, (n, o) in enumerate(standing) if not o.failed]
    objective = run.campaign.objective

    def merit(entry: tuple[int, int, Observation]) -> tuple[bool, tuple[float, ...], int]:
        row, _, o = entry
        ranked = not objective.maps and objective.is_complete(o.outcomes)
        return ranked, tuple(map(float, objective.rank(o.outcomes))) if ranked else (), row

    best = sorted(told, key=merit, reverse=True)[:MOST_SAMPLES]
    return sorted((row, n) for row, n, _ in best)


def _is_used_up(run: Run, experiment: Experiment) -> bool:
    """Return whether an instrument that measured a sample leaves nothing of it."""
    named = {m.instrument for m in experiment.measurements} & set(run.laboratory.instruments)
    return any(run.laboratory.describe(name).destroys_sample for name in named)


@dataclass(frozen=True, slots=True)
class Tried:
    """How a sample was measured beyond what is planned for every sample.

    Attributes
    ----------
    turns : experiments that measured it again.
    taken : measurements beyond the planned ones, those within an experiment included.
    vain : measurements again that came to nothing, or were vetoed.
    """

    turns: int
    taken: tuple[MeasurementSummary, ...]
    vain: tuple[MeasureAgain, ...]

    @classmethod
    def of(cls, run: Run, experiments: Mapping[int, Experiment], made: int) -> Self:
        """Return how the sample that an experiment made was measured."""
        later = [e for e in experiments.values() if _is_of(e, made)]
        own = [m for m in experiments[made].measurements if not SPOILING_FLAGS & set(m.flags)]
        taken = own[len(run.campaign.measurements) :] + [m for e in later for m in e.measurements]
        vain = [
            e.proposal.measure_again
            for e in later
            if e.observation is not None and e.observation.cause == NOTHING_NEW
        ]
        return cls(len(later), tuple(taken), tuple(again for again in vain if again is not None))

    def times(self, again: MeasureAgain) -> float:
        """Return how often a measurement was taken; one that was in vain is not to be repeated."""
        return math.inf if again in self.vain else times_taken(again, self.taken)


def times_taken(again: MeasureAgain, taken: Iterable[Measurement | MeasurementSummary]) -> int:
    """Return how many of some measurements were taken as this one would be."""
    return sum(
        m.technique == again.technique
        and all(m.settings.get(name) == value for name, value in again.settings.items())
        for m in taken
    )


def candidates(
    run: Run,
    made: int,
    requests: Sequence[MeasurementRequest],
    times: Callable[[MeasureAgain], float],
) -> Iterator[Candidate]:
    """Yield the measurements that may be taken of a sample, what agents ask for first.

    Parameters
    ----------
    made : number of the experiment that made the sample.
    times : tells how often a measurement was taken of it already.
    """
    actions = run.campaign.actions
    assert actions is not None
    asked: list[tuple[MeasureAgain | None, MeasurementRequest | None, int]] = [
        (as_again(run, made, r.technique, r.settings), r, actions.most) for r in requests
    ]
    asked += [
        (as_again(run, made, plan.technique, plan.settings), None, plan.most)
        for plan in actions.measure
    ]
    seen: list[MeasureAgain] = []
    for again, request, most in asked:
        if again is not None and again not in seen and times(again) < most:
            seen.append(again)
            yield Candidate(again, request)


def requests_in(run: Run, experiment: Experiment) -> list[MeasurementRequest]:
    """Return what each agent asked for last, of techniques that the campaign has."""
    last = {i.agent: i.next_measurement for i in experiment.insights}
    return fitting(run, [r for r in last.values() if r is not None])


def fitting(run: Run, requests: Iterable[MeasurementRequest]) -> list[MeasurementRequest]:
    """Return the requests for techniques that a campaign has."""
    techniques = {plan.technique for plan in run.campaign.plans}
    return [request for request in requests if request.technique in techniques]


def as_again(
    run: Run, made: int, technique: str, settings: Mapping[str, Setting]
) -> MeasureAgain | None:
    """Return a measurement of a sample, None if the instrument does not go as far as is asked.

    A setting that the instrument does not have is left out.
    """
    capabilities = run.laboratory.describe(run.match.measurers[plan_of(run, technique)])
    accepts = {accepted.name: accepted for accepted in capabilities.accepts}
    known = {name: value for name, value in settings.items() if name in accepts}
    if any(accepts[name].fault(value) is not None for name, value in known.items()):
        return None
    return MeasureAgain(experiment=made, technique=technique, settings=known)


def priced(run: Run, again: MeasureAgain, sample: Sample) -> Price | None:
    """Return what a measurement costs, by the instrument's own estimate; None if it refuses it."""
    index = plan_of(run, again.technique)
    name = run.match.measurers[index]
    settings = {**run.campaign.plans[index].settings, **again.settings}
    order = Measure(measurement_id=f"{sample.id}/option", sample=sample, settings=settings)
    try:
        estimated = run.laboratory.check(name, order)
    except CommandRefused:
        return None
    money = price(run.laboratory, name, seconds=estimated.seconds, consumed=estimated.consumed)
    return Price(money=money, seconds=estimated.seconds)


def as_offer(run: Run, made: Collection[int], found: Sequence[Priced]) -> Offer:
    """Return options in one currency: money, or laboratory hours if something has no price.

    Parameters
    ----------
    made : the experiments that made a sample.
    """
    new = new_price(run, made)
    in_money = new.money > 0 and all(p.price.money > 0 for p in found)
    options = [p.option(p.price.cost(in_money=in_money)) for p in found]
    return Offer(options=tuple(options), new_cost=new.cost(in_money=in_money))


def _is_of(experiment: Experiment, made: int) -> bool:
    again = experiment.proposal.measure_again
    return again is not None and again.experiment == made
