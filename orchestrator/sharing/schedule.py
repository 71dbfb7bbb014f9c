"""When a campaign will do what: its experiments laid over the instruments they share."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.campaign import Campaign
from orchestrator.forecast import Forecast
from orchestrator.laboratories.matching import Match
from orchestrator.sharing.scheduling import Request, grants


@dataclass(frozen=True, slots=True)
class Step:
    """Part of an experiment: an instrument that any of `needs` can be, for some seconds."""

    needs: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Bar:
    """An instrument working for an experiment, in seconds since the beginning."""

    instrument: str
    number: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """Bars of all instruments in the order in which they begin."""

    bars: tuple[Bar, ...]

    @property
    def seconds(self) -> float:
        """How long it takes altogether."""
        return max((bar.end for bar in self.bars), default=0.0)

    @property
    def instruments(self) -> tuple[str, ...]:
        """Names in the order in which they are first used."""
        return tuple(dict.fromkeys(bar.instrument for bar in self.bars))

    def utilisation(self, instrument: str) -> float:
        """Return the share of the time for which an instrument works."""
        busy = sum(bar.end - bar.start for bar in self.bars if bar.instrument == instrument)
        return busy / self.seconds if self.seconds else 0.0


def expected_schedule(campaign: Campaign, match: Match, expected: Forecast) -> Schedule:
    """Return when a campaign will do what, if it uses up its budget of experiments.

    Durations are the drivers' estimates at points drawn at random, taken in turn. Planning,
    analysis and people are taken to need no time, and no other campaign to share the instruments.
    """
    candidates = [match.synthesizers, *map(match.measuring, range(len(match.measurers)))]
    work = [
        [Step(n, s) for n, s in zip(candidates, seconds, strict=True)]
        for number in range(expected.experiments)
        if (seconds := expected.trials[number % len(expected.trials)])
    ]
    return lay_out(work, in_flight=campaign.in_flight)


def lay_out(work: Sequence[Sequence[Step]], *, in_flight: int) -> Schedule:
    """Return when experiments are made, so many at once, by the rules of the laboratory's desk.

    Parameters
    ----------
    work : the steps of each experiment, one after the other.
    """
    bars: list[Bar] = []
    waiting: dict[int, tuple[Request, int, int]] = {}
    ends: list[tuple[float, int, int, int]] = []  # when, request, experiment, step
    held: dict[int, str] = {}
    now, begun, asked = 0.0, 0, 0

    def ask(number: int, step: int) -> None:
        nonlocal asked
        request = Request(asked, (work[number][step].needs,), asked=now)
        waiting[asked] = request, number, step
        asked += 1

    while begun < min(in_flight, len(work)):
        ask(begun, 0)
        begun += 1
    while waiting or ends:
        served = grants(held.values(), [request for request, _, _ in waiting.values()])
        for ticket, (name,) in served.items():
            _, number, step = waiting.pop(ticket)
            held[ticket] = name
            end = now + work[number][step].seconds
            bars.append(Bar(name, number, now, end))
            heapq.heappush(ends, (end, ticket, number, step))
        now, ticket, number, step = heapq.heappop(ends)
        del held[ticket]
        if step + 1 < len(work[number]):
            ask(number, step + 1)
        elif begun < len(work):
            ask(begun, 0)
            begun += 1
    return Schedule(tuple(bars))
