"""Who gets which instrument: nothing twice, nobody stuck, nobody starved."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import CampaignError
from orchestrator.sharing.scheduling import HEAD_START, Request, checked_needs, grants

NAMES = ("furnace-1", "furnace-2", "diffractometer", "robot", "balance")


@dataclass(frozen=True)
class Job:
    """Instruments for `lasts` seconds, asked for `after` seconds."""

    needs: tuple[tuple[str, ...], ...]
    after: int
    lasts: int
    priority: int


@dataclass
class Played:
    """What became of jobs: when each was asked, began and ended, and on what."""

    asked: dict[int, float] = field(default_factory=dict)
    began: dict[int, float] = field(default_factory=dict)
    ended: dict[int, float] = field(default_factory=dict)
    names: dict[int, tuple[str, ...]] = field(default_factory=dict)


def possible(needs: list[list[str]]) -> bool:
    try:
        checked_needs(needs)
    except CampaignError:
        return False
    return True


needs = (
    st.lists(
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True),
        min_size=1,
        max_size=3,
    )
    .filter(possible)
    .map(checked_needs)
)
jobs = st.lists(
    st.builds(
        Job, needs, after=st.integers(0, 900), lasts=st.integers(1, 900), priority=st.integers(0, 2)
    ),
    min_size=1,
    max_size=25,
)


def play(wanted: list[Job]) -> Played:
    """Serve jobs in simulated time; ends only if every job does."""
    events = [(job.after, i, "ask") for i, job in enumerate(wanted)]
    heapq.heapify(events)
    waiting: dict[int, Request] = {}
    told = Played()
    while events:
        now = events[0][0]
        while events and events[0][0] == now:
            _, i, kind = heapq.heappop(events)
            if kind == "ask":
                told.asked[i] = now
                waiting[i] = Request(i, wanted[i].needs, wanted[i].priority, now)
            else:
                told.ended[i] = now
        held = [n for i in told.names if i not in told.ended for n in told.names[i]]
        for i, names in grants(held, waiting.values()).items():
            del waiting[i]
            told.began[i], told.names[i] = now, names
            heapq.heappush(events, (now + wanted[i].lasts, i, "end"))
    return told


@given(jobs)
def test_no_instrument_serves_two_at_once(wanted: list[Job]) -> None:
    told = play(wanted)
    for i in told.began:
        for j in range(i):
            if set(told.names[i]) & set(told.names[j]):
                assert told.ended[i] <= told.began[j] or told.ended[j] <= told.began[i]


@given(jobs)
def test_everybody_is_served_in_the_end_with_one_of_each_need(wanted: list[Job]) -> None:
    told = play(wanted)
    assert set(told.ended) == set(range(len(wanted)))
    for i, names in told.names.items():
        assert len(set(names)) == len(names)
        assert all(name in need for name, need in zip(names, wanted[i].needs, strict=True))


@given(jobs)
def test_whoever_waits_is_only_overtaken_by_what_a_step_of_priority_is_worth(
    wanted: list[Job],
) -> None:
    """Nobody asks later than that and still takes the only instruments another waits for."""
    told = play(wanted)
    for i, job in enumerate(wanted):
        only = {need[0] for need in job.needs if len(need) == 1}
        for j, other in enumerate(wanted):
            ahead = HEAD_START * max(other.priority - job.priority, 0)
            if told.asked[j] > told.asked[i] + ahead and only & set(told.names[j]):
                assert told.began[i] <= told.began[j]


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(1, 900)), min_size=1, max_size=20),
    needs,
)
def test_equals_are_served_in_the_order_of_asking(
    times: list[tuple[int, int]], alike: tuple[tuple[str, ...], ...]
) -> None:
    told = play([Job(alike, after, lasts, priority=1) for after, lasts in times])
    order = sorted(range(len(times)), key=lambda i: (told.asked[i], i))
    began = [told.began[i] for i in order]
    assert began == sorted(began)


@given(jobs, st.sets(st.sampled_from(NAMES)))
def test_nothing_idles_that_somebody_could_use_without_delaying_an_earlier_one(
    wanted: list[Job], held: set[str]
) -> None:
    """Whoever is left waiting wants something in use, or something an earlier one waits for."""
    waiting = [Request(i, j.needs, j.priority, j.after) for i, j in enumerate(wanted)]
    served = grants(held, waiting)
    taken = held.union(*served.values())
    left = [r for r in sorted(waiting, key=lambda r: r.rank) if r.id not in served]
    claimed: set[str] = set()
    for request in left:
        within = [[n for n in need if n not in taken | claimed] for need in request.needs]
        assert not all(within) or not possible(within)
        claimed |= {name for need in request.needs for name in need}


def test_an_idle_instrument_is_kept_back_for_whoever_waits_for_it_and_another() -> None:
    both = Request(0, (("robot",), ("diffractometer",)), asked=0.0)
    later = Request(1, (("diffractometer",),), asked=1.0)
    assert grants({"robot"}, [both, later]) == {}
    assert grants({"robot"}, [later]) == {1: ("diffractometer",)}
    assert grants(set(), [both, later]) == {0: ("robot", "diffractometer")}


def test_only_one_of_two_equal_furnaces_is_kept_back() -> None:
    both = Request(0, (("robot",), ("furnace-1", "furnace-2")), asked=0.0)
    later = Request(1, (("furnace-1", "furnace-2"),), asked=1.0)
    assert grants({"robot"}, [both, later]) == {1: ("furnace-2",)}


def test_priority_goes_first_until_the_other_has_waited_long() -> None:
    patient = Request(0, (("robot",),), priority=0, asked=0.0)
    early = Request(1, (("robot",),), priority=1, asked=HEAD_START - 1)
    late = Request(2, (("robot",),), priority=1, asked=HEAD_START + 1)
    assert grants(set(), [patient, early]) == {1: ("robot",)}
    assert grants(set(), [patient, late]) == {0: ("robot",)}


@pytest.mark.parametrize("impossible", [[], [[]], [["robot"], ["robot"]]])
def test_needs_that_no_laboratory_can_meet_are_refused(impossible: list[list[str]]) -> None:
    with pytest.raises(CampaignError, match="name "):
        checked_needs(impossible)
