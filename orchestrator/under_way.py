"""Experiments under way: the planner is told of them, and time waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from planners.proposal import Proposal
from planners.space import Point


class UnderWay:
    """Experiments of a campaign that were proposed and have not ended, with their points."""

    def __init__(self) -> None:
        self._points: dict[int, Point] = {}
        self._again: dict[int, int] = {}
        self._awaited: dict[int, asyncio.Future[None]] = {}

    @property
    def points(self) -> Mapping[int, Point]:
        """Experiment → proposed point, by number."""
        return dict(sorted(self._points.items()))

    @property
    def again(self) -> Mapping[int, int]:
        """Experiment that measures an earlier sample again → the experiment that made it."""
        return dict(sorted(self._again.items()))

    def add(self, number: int, proposal: Proposal) -> None:
        """Say that an experiment was proposed."""
        self._points[number] = proposal.values
        if proposal.measure_again is not None:
            self._again[number] = proposal.measure_again.experiment
        self._resolve(number)

    def remove(self, number: int) -> None:
        """Say that an experiment has ended."""
        self._points.pop(number, None)
        self._again.pop(number, None)

    def proposed(self, number: int) -> asyncio.Future[None]:
        """Return what is done as soon as an experiment was proposed."""
        awaited = self._awaited.setdefault(number, asyncio.get_running_loop().create_future())
        if number in self._points:
            self._resolve(number)
        return awaited

    def _resolve(self, number: int) -> None:
        awaited = self._awaited.pop(number, None)
        if awaited is not None and not awaited.done():
            awaited.set_result(None)
