"""Experiments under way: the planner is told of them, and time waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from planners.space import Point


class UnderWay:
    """Experiments of a campaign that were proposed and have not ended, with their points."""

    def __init__(self) -> None:
        self._points: dict[int, Point] = {}
        self._awaited: dict[int, asyncio.Future[None]] = {}

    @property
    def points(self) -> Mapping[int, Point]:
        """Experiment → proposed point, by number."""
        return dict(sorted(self._points.items()))

    def add(self, number: int, point: Point) -> None:
        """Say that an experiment was proposed."""
        self._points[number] = point
        awaited = self._awaited.pop(number, None)
        if awaited is not None and not awaited.done():
            awaited.set_result(None)

    def remove(self, number: int) -> None:
        """Say that an experiment has ended."""
        self._points.pop(number, None)

    def proposed(self, number: int) -> asyncio.Future[None]:
        """Return what is done as soon as an experiment was proposed."""
        awaited = self._awaited.setdefault(number, asyncio.get_running_loop().create_future())
        if number in self._points:
            self.add(number, self._points[number])
        return awaited
