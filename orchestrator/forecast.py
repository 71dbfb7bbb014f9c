"""What a campaign will take: hours, consumables, money and use of each instrument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from instruments.commands import Command, Measure, Synthesize
from instruments.errors import CommandRefused
from instruments.sample import Sample
from orchestrator.campaign import Campaign
from orchestrator.costs import price
from orchestrator.errors import LaboratoryRefused
from orchestrator.laboratories.laboratory import Laboratory
from orchestrator.laboratories.matching import Match
from planners.parameters import Value
from planners.sampling import draw_uniform

N_TRIALS = 32
"""Points of the space whose commands are estimated."""


@dataclass(frozen=True, slots=True)
class Supply:
    """How much of a consumable the whole campaign needs, and how much there is."""

    instrument: str
    name: str
    unit: str
    needed: float
    stock: float

    @property
    def is_enough(self) -> bool:
        """Whether the stock lasts, within rounding."""
        return self.needed <= self.stock * (1 + 1e-9)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the whole budget of experiments is expected to take, one after the other.

    Attributes
    ----------
    experiments : how many were assumed.
    hours, hours_std : laboratory time, and how far it varies with what the planner chooses.
    instrument_hours : instrument → hours it is occupied.
    money : in the laboratory's currency.
    trials : seconds of each step (the synthesis, then every measurement) at the points tried.
    """

    experiments: int
    hours: float
    hours_std: float
    money: float
    instrument_hours: Mapping[str, float]
    supplies: tuple[Supply, ...]
    trials: tuple[tuple[float, ...], ...] = ()

    @property
    def shortages(self) -> list[Supply]:
        """Consumables that will not last."""
        return [s for s in self.supplies if not s.is_enough]


def look_ahead(campaign: Campaign, laboratory: Laboratory, match: Match) -> Forecast:
    """Return what a campaign will take, from the drivers' own estimates at random points.

    The planner's choices are not known beforehand: points are drawn uniformly from the space.
    Equal instruments are assumed to take turns.

    Raises
    ------
    LaboratoryRefused
        The laboratory refuses a point of the space.
    """
    rng = np.random.default_rng([campaign.seed, 0xF0CA57])
    points = [draw_uniform(campaign.space, 1, rng=rng)[0] for _ in range(N_TRIALS)]
    seconds: dict[str, list[float]] = {}
    consumed: dict[tuple[str, str], float] = {}
    money = 0.0
    trials: list[list[float]] = [[] for _ in points]
    for number, point in enumerate(points):
        for name, command in _commands(campaign, laboratory, match, number, point):
            try:
                estimate = laboratory.check(name, command)
            except CommandRefused as error:
                raise LaboratoryRefused(str(error)) from error
            seconds.setdefault(name, []).append(estimate.seconds)
            trials[number].append(estimate.seconds)
            for good, amount in estimate.consumed.items():
                consumed[name, good] = consumed.get((name, good), 0.0) + amount
            money += price(laboratory, name, seconds=estimate.seconds, consumed=estimate.consumed)
    n = campaign.budget.experiments
    scale = n / len(points)
    hours = {name: sum(s) * scale / 3600 for name, s in seconds.items()}
    spread = float(np.std([sum(steps) for steps in trials]))
    return Forecast(
        experiments=n,
        hours=sum(hours.values()),
        hours_std=spread * float(np.sqrt(n)) / 3600,
        money=money * scale,
        instrument_hours=hours,
        supplies=_supplies(laboratory, {k: v * scale for k, v in consumed.items()}),
        trials=tuple(map(tuple, trials)),
    )


def price_of_point(
    campaign: Campaign,
    laboratory: Laboratory,
    match: Match,
    number: int,
    point: Mapping[str, Value],
) -> float | None:
    """Return what one experiment will cost, from the drivers' own estimates at its point.

    Parameters
    ----------
    number : of the experiment; equal instruments are assumed to take turns.

    Returns
    -------
    In the laboratory's currency; None where an instrument refuses the point.
    """
    try:
        estimates = [
            (name, laboratory.check(name, command))
            for name, command in _commands(campaign, laboratory, match, number, point)
        ]
    except CommandRefused:
        return None  # the experiment will fail for this reason, and record it
    return sum(
        price(laboratory, name, seconds=e.seconds, consumed=e.consumed) for name, e in estimates
    )


def _commands(
    campaign: Campaign,
    laboratory: Laboratory,
    match: Match,
    number: int,
    point: Mapping[str, Value],
) -> list[tuple[str, Command]]:
    recipe = {**campaign.synthesis.settings, **point}
    synthesizer = match.synthesizers[number % len(match.synthesizers)]
    sample = Sample(
        id=f"forecast/{number}",
        number=number,
        recipe=laboratory.describe(synthesizer).completed(recipe),
        made_by=synthesizer,
        simulated=True,
        started=laboratory.clock.now(),
        finished=laboratory.clock.now(),
    )
    orders: list[tuple[str, Command]] = [
        (synthesizer, Synthesize(sample_id=sample.id, number=number, recipe=recipe))
    ]
    for i, plan in enumerate(campaign.measurements):
        equal = match.measuring(i)
        name = equal[number % len(equal)]
        orders.append(
            (
                name,
                Measure(measurement_id=f"{sample.id}/{i}", sample=sample, settings=plan.settings),
            )
        )
    return orders


def _supplies(
    laboratory: Laboratory, needed: Mapping[tuple[str, str], float]
) -> tuple[Supply, ...]:
    found = []
    for (instrument, good), amount in needed.items():
        known = {c.name: c for c in laboratory.describe(instrument).consumables}
        if good in known:
            c = known[good]
            found.append(Supply(instrument, good, c.unit, amount, c.stock))
    return tuple(found)
