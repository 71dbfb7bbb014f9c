"""Insights become observations with their doubt; stop rules read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.insight import Estimate, Insight
from orchestrator.campaign import Campaign
from orchestrator.control import best
from orchestrator.fronts import front
from orchestrator.routing import combine
from orchestrator.scoring import failure, observe, probability_reached
from orchestrator.standing import Tally
from planners.objective import Objective, OutcomeConstraint, Target
from planners.proposal import Observation
from tests.orchestrator import bakery

Q = "a.b"
OBJECTIVE = Objective(targets=(Target(quantity=Q, goal="match", value=1.0, tolerance=0.1),))


def ending(wanted: Campaign, done: list[Observation], *, hours: float = 0.0) -> str | None:
    tally = Tally(wanted)
    for number, observation in enumerate(done):
        tally.add(number, observation)
    return tally.why_over(hours=hours)


def insight(
    value: float, std: float | None = 0.1, p_wrong: float = 0.0, *, read: str = "m"
) -> Insight:
    return Insight(
        id="x",
        agent="x",
        measurement_ids=(read,),
        estimates={Q: Estimate(value, std, "Å")},
        p_wrong=p_wrong,
    )


def seen(value: float, std: float = 0.0, p_wrong: float = 0.0) -> Observation:
    return Observation(values={}, outcomes={Q: value}, stds={Q: std}, p_wrong=p_wrong)


def test_uncertainty_and_doubt_travel() -> None:
    told = observe(OBJECTIVE, [insight(0.9, 0.05, 0.2)], values={"t": 1.0}, cost=2.0)
    assert (told.outcomes, told.stds) == ({Q: 0.9}, {Q: 0.05})
    assert told.p_wrong == pytest.approx(0.2)
    assert told.cost == 2.0


def test_an_unknown_quantity_is_a_failure_that_says_why() -> None:
    mute = Insight(
        id="i", agent="x", measurement_ids=("m",), abstained=True, remarks=("too few counts",)
    )
    told = observe(OBJECTIVE, [mute], values={}, cost=0.0)
    assert told.failed
    assert "too few counts" in told.failure


def test_what_is_known_counts_though_something_is_not() -> None:
    both = Objective(
        targets=(*OBJECTIVE.targets, Target(quantity="a.size", goal="maximize", value=5.0, scale=1))
    )
    told = observe(both, [insight(1.0)], values={}, cost=0.0)
    assert not told.failed
    assert set(told.outcomes) == {Q}
    assert not both.is_reached(told.outcomes)
    assert probability_reached(both, told) == 0.0
    assert best(bakery.campaign(objective=both.model_dump()), [told]) is None


def test_a_contradiction_reaches_the_observation_as_doubt() -> None:
    said = [insight(1.0, 0.1, 0.1, read="a"), insight(3.0, 0.1, 0.1, read="b")]
    told = observe(OBJECTIVE, said, values={}, cost=0.0)
    one = min(abs(told.outcomes[Q] - value) for value in (1.0, 3.0))
    assert one < 0.1  # one of them, not a mean that nobody said
    assert told.p_wrong > 0.45


@given(
    st.lists(
        st.tuples(st.floats(-10, 10), st.floats(0.01, 5), st.floats(0, 1)), min_size=1, max_size=4
    )
)
def test_a_combination_lies_between_its_parts(said: list[tuple[float, float, float]]) -> None:
    found = combine(Q, [insight(v, s, p) for v, s, p in said])
    assert found is not None
    estimate, p_wrong = found
    assert min(v for v, _, _ in said) - 1e-9 <= estimate.value <= max(v for v, _, _ in said) + 1e-9
    assert 0 <= p_wrong <= 1


def test_how_sure_a_target_is_reached_follows_the_normal_law() -> None:
    assert probability_reached(OBJECTIVE, seen(1.0, 0.1)) == pytest.approx(0.6827, abs=1e-4)
    assert probability_reached(OBJECTIVE, seen(1.0, 0.1, p_wrong=0.5)) == pytest.approx(
        0.3413, abs=1e-4
    )
    assert probability_reached(OBJECTIVE, seen(1.05)) == 1.0
    assert probability_reached(OBJECTIVE, failure("jam", values={}, cost=0)) == 0.0


def test_a_doubtful_hit_does_not_end_a_careful_campaign() -> None:
    careful = bakery.campaign(objective=OBJECTIVE.model_dump(), stop={"confidence": 0.9})
    bold = bakery.campaign(objective=OBJECTIVE.model_dump())
    assert ending(bold, [seen(1.05, 0.1)]) is not None
    assert ending(careful, [seen(1.05, 0.1)]) is None
    assert ending(careful, [seen(1.0, 0.01)]) is not None


@pytest.mark.parametrize(
    ("changes", "hours", "cost", "words"),
    [
        ({"budget": {"experiments": 1}}, 0.0, 0.0, "1 experiments"),
        ({"budget": {"experiments": 9, "hours": 5}}, 5.5, 0.0, "5 hours"),
        ({"budget": {"experiments": 9, "money": 7}}, 0.0, 7.0, "7"),
        ({"budget": {"experiments": 9, "hours": 5, "money": 7}}, 4.9, 6.9, None),
        ({}, 0.0, 0.0, None),
    ],
)
def test_budgets_end_a_campaign(
    changes: dict[str, object], hours: float, cost: float, words: str | None
) -> None:
    wanted = bakery.campaign(**{"objective": OBJECTIVE.model_dump(), **changes})
    spent = seen(0.0).model_copy(update={"cost": cost})
    reason = ending(wanted, [spent], hours=hours)
    assert reason is None if words is None else words in (reason or "")


def test_no_improvement_ends_a_campaign() -> None:
    wanted = bakery.campaign(
        stop={"no_improvement_for": 2}, objective=OBJECTIVE.model_dump(), budget={"experiments": 9}
    )
    assert ending(wanted, [seen(0.5), seen(0.4)]) is None
    assert "no improvement" in (ending(wanted, [seen(0.5), seen(0.4), seen(0.3)]) or "")


def test_the_best_obeys_the_constraints() -> None:
    objective = Objective(
        targets=(Target(quantity=Q, goal="maximize"),),
        constraints=(OutcomeConstraint(quantity=Q, upper=2.0),),
    )
    wanted = bakery.campaign(objective=objective.model_dump())
    done = [seen(1.0), seen(3.0), seen(1.5), failure("jam", values={}, cost=0)]
    assert best(wanted, done) == 2
    assert best(wanted, []) is None


def test_the_front_is_what_no_other_beats() -> None:
    targets = [
        {"quantity": "a.size", "goal": "maximize"},
        {"quantity": "a.cost", "goal": "minimize"},
    ]
    wanted = bakery.campaign(objective={"targets": targets, "combine": "front"})
    done = [
        Observation(values={}, outcomes={"a.size": size, "a.cost": cost})
        for size, cost in [(1.0, 1.0), (3.0, 3.0), (2.0, 3.5), (3.0, 3.0)]
    ]
    done.append(Observation(values={}, outcomes={}, failed=True, failure="spilt"))
    assert front(wanted, done) == [0, 1, 3]
    assert front(bakery.campaign(objective={"targets": targets[:1]}), done) == []
