"""Who may use which instruments next: pure functions, the same for a process and for a database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.errors import CampaignError

HEAD_START = 600.0
"""Seconds of waiting that weigh as much as one step of priority."""

_RESERVED, _HELD, _FREE = 2, 1, 0
"""How far off an instrument is: somebody earlier waits for it, it is in use, it is free."""


@dataclass(frozen=True, slots=True)
class Request:
    """Instruments wanted for one action, all at once.

    Attributes
    ----------
    id : tells requests apart, and breaks ties in the order of arrival.
    needs : alternatives for each need, the preferred one first; one of each is wanted.
    priority : higher goes first.
    asked : when [s], on a clock that all requests share.
    """

    id: int
    needs: tuple[tuple[str, ...], ...]
    priority: int = 0
    asked: float = 0.0

    @property
    def rank(self) -> tuple[float, int]:
        """Place in the queue; the smallest is served first.

        A step of priority is a head start of `HEAD_START` seconds. So whoever waits rises above
        newcomers of higher priority, and the order of two requests never changes.
        """
        return self.asked - HEAD_START * self.priority, self.id


def grants(held: Collection[str], waiting: Iterable[Request]) -> dict[int, tuple[str, ...]]:
    """Return which requests are served now, and with which instruments.

    A request gets all it needs at once or nothing, so two requests never wait for each other.
    One that cannot be served keeps back the instruments that it is waiting for, in use or free,
    from all that come after it. Later ones take what no earlier one waits for.

    Parameters
    ----------
    held : instruments in use.

    Returns
    -------
    Request id → one name a need, in the order of the needs.
    """
    taken, reserved = set(held), set[str]()
    given: dict[int, tuple[str, ...]] = {}
    for request in sorted(waiting, key=lambda r: r.rank):
        names = _nearest(request, taken, reserved)
        if any(name in taken or name in reserved for name in names):
            reserved.update(names)
        else:
            taken.update(names)
            given[request.id] = names
    return given


def checked_needs(needs: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Return needs that can be met, if only by an idle laboratory.

    Raises
    ------
    CampaignError
        There is none, one is empty, or two of them always want the same instrument.
    """
    found = tuple(tuple(dict.fromkeys(need)) for need in needs)
    if not found or not all(found):
        raise CampaignError(
            f"an action asks for the instruments {list(map(list, found))}; name at least one "
            "instrument for each need"
        )
    if next(_choices(found), None) is None:
        raise CampaignError(
            f"an action needs {' and '.join(' or '.join(n) for n in found)} at the same time, "
            "which are too few different instruments; name others"
        )
    return found


def _nearest(request: Request, taken: set[str], reserved: set[str]) -> tuple[str, ...]:
    """Return the choice that is free soonest: the fewest queues, then preference."""

    def badness(name: str) -> int:
        return _RESERVED if name in reserved else _HELD if name in taken else _FREE

    def distance(names: tuple[str, ...]) -> tuple[int, ...]:
        preference = [need.index(n) for need, n in zip(request.needs, names, strict=True)]
        return (sum(map(badness, names)), *preference)

    return min(_choices(request.needs), key=distance)


def _choices(needs: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Yield the ways to choose a different instrument for each need."""
    if not needs:
        yield ()
        return
    for rest in _choices(needs[:-1]):
        yield from ((*rest, name) for name in needs[-1] if name not in rest)
