"""What stands of each sample, whatever was measured again, in whatever order, and came to what."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.acting.again import replacing
from orchestrator.acting.asking import INFEASIBLE
from orchestrator.acting.current import NOTHING_NEW, current, latest
from planners.proposal import Observation, Prediction
from tests.orchestrator import bakery

Q = bakery.QUANTITY

TURNS = st.lists(
    st.tuples(st.sampled_from(["new", "again", "in vain", "infeasible"]), st.integers(0, 30)),
    max_size=12,
)
"""Kind of each turn after the first, and which sample it measures again."""


def seen(value: float, **more: object) -> Observation:
    point = {"temperature": 100 + value, "time": 1.0}
    parts = {"values": point, "outcomes": {Q: value}, "cost": value + 1, **more}
    return Observation.model_validate(parts)


def failed(cause: str) -> Observation:
    return Observation(
        values={"temperature": 100.0, "time": 1.0}, failed=True, failure="no", cause=cause
    )


def told(turns: list[tuple[str, int]]) -> tuple[list[tuple[int, Observation]], dict[int, int]]:
    """Return a history, and sample → the turn that told of it last."""
    ended: list[tuple[int, Observation]] = [(0, seen(0.0))]
    last = {0: 0}
    for number, (kind, which) in enumerate(turns, start=1):
        made = sorted(last)[which % len(last)]
        if kind == "new":
            ended.append((number, seen(float(number))))
            last[number] = number
            continue
        what = {
            "again": seen(float(number)),
            "in vain": failed("measurement"),
            "infeasible": failed(INFEASIBLE),
        }[kind]
        was_lost = current(ended)[sorted(last).index(made)][1].failed
        ended.append((number, replacing(what, made, ended)))
        if kind != "in vain" or was_lost:
            last[made] = number
    return ended, last


@given(TURNS)
def test_every_sample_stands_once_with_what_was_told_of_it_last(
    turns: list[tuple[str, int]],
) -> None:
    ended, last = told(turns)
    standing = current(ended)
    assert [n for n, _ in standing] == sorted(last)
    by_number = dict(ended)
    for made, observation in standing:
        assert latest(ended, made) == last[made]
        assert observation.outcomes == by_number[last[made]].outcomes
        assert observation.cost == by_number[made].cost


@given(TURNS)
def test_what_came_to_nothing_changes_nothing(turns: list[tuple[str, int]]) -> None:
    ended, _ = told(turns)
    fruitful = [(n, o) for n, o in ended if o.cause != NOTHING_NEW]
    assert current(ended) == current(fruitful)


@given(TURNS)
def test_the_order_of_ending_matters_only_within_a_sample(turns: list[tuple[str, int]]) -> None:
    ended, _ = told(turns)
    by_sample = sorted(ended, key=lambda t: (t[1].supersedes is None, -t[0]))
    chains = [t for t in by_sample if t[1].supersedes is None]
    chains += sorted((t for t in by_sample if t[1].supersedes is not None), key=lambda t: t[0])
    assert dict(current(chains)) == dict(current(ended))


def test_what_was_foretold_of_a_sample_is_judged_by_its_last_reading() -> None:
    foretold = {Q: Prediction(mean=0.4, std=0.1)}
    first = seen(0.5, predicted=foretold)
    second = seen(0.45, supersedes=0)
    [(_, standing)] = current([(0, first), (1, second)])
    assert standing.predicted == foretold
    assert standing.outcomes == {Q: 0.45}


def test_a_reading_that_lost_a_quantity_replaces_nothing() -> None:
    both = Observation(values=seen(0.5).values, outcomes={Q: 0.5, "crust.size": 2.0})
    again = replacing(seen(0.6), 0, [(0, both)])
    assert again.cause == NOTHING_NEW
    assert "crust.size could not be told any more" in again.failure
    assert current([(0, both), (1, again)]) == [(0, both)]
