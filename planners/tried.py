"""Which points were tried: asked of many points, answered without looking at all that were."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from planners.finite import Key, key_of
from planners.parameters import ContinuousParameter
from planners.space import Point, SearchSpace


class Tried:
    """The keys of points, made only where a quick look at one setting does not tell.

    In a campaign of thousands, making a key of every point would cost more than the next point.

    Raises
    ------
    SpaceError
        A point lacks a name of the space.
    """

    def __init__(self, space: SearchSpace, points: Sequence[Point]) -> None:
        self._space = space
        self._points = points
        self._more: set[Key] = set()
        self._telling = _telling(space)
        n = len(space.names)
        for torn in (p for p in points if len(p) < n):
            key_of(space, torn)  # says what is missing
        self._seen = {p[self._telling.name] for p in points} if self._telling else set()

    def add(self, key: Key) -> None:
        """Count one more point as tried."""
        self._more.add(key)

    def __contains__(self, key: Key) -> bool:
        return key in self._more or (self._may_be_among(key) and key in self._keys)

    def _may_be_among(self, key: Key) -> bool:
        if self._telling is None:
            return True
        value = key[self._space.names.index(self._telling.name)]
        # Values beyond a bound are snapped to it, so there the quick look does not tell.
        return value in self._seen or value in (self._telling.low, self._telling.high)

    @cached_property
    def _keys(self) -> set[Key]:
        return {key_of(self._space, point) for point in self._points}


def _telling(space: SearchSpace) -> ContinuousParameter | None:
    """Return a parameter whose settings are not snapped to anything but its bounds, if any."""
    for parameter in space.parameters:
        if not isinstance(parameter, ContinuousParameter) or parameter.step is not None:
            continue
        if not parameter.only_if and parameter.name not in space.listed:
            return parameter
    return None
