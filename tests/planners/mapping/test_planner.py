"""One campaign for a map and a property."""

from __future__ import annotations

import numpy as np
import pytest

from planners import Objective, OutcomeConstraint, Target
from planners.conformance import check_planner
from planners.encoding import Encoding
from planners.errors import UnsupportedSpace
from planners.mapping.charting import chart_of
from planners.mapping.planner import make
from planners.objective import PhaseMapWish
from planners.proposal import Observation, Proposal
from tests.planners.mapping.test_regions import agreement, points
from tests.planners.mapping.world import COLUMNS, OBJECTIVE, hardness, observed, places, space


def campaign(share: float, *, budget: int = 24) -> tuple[list[Observation], Proposal]:
    planner, asked = make({"seed": 1}), space()
    objective = OBJECTIVE.model_copy(update={"phase_map": PhaseMapWish(share=share)})
    rows, done, last = {tuple(row): i for i, row in enumerate(places())}, [], None
    for turn in range(budget):
        (last,) = planner.propose(
            asked, objective, observations=done, rng=np.random.default_rng(turn)
        )
        done.append(observed(rows[tuple(last.values[c] for c in COLUMNS)]))
    assert last is not None
    return done, last


@pytest.mark.slow
def test_one_campaign_maps_the_regions_and_finds_the_hardest() -> None:
    done, last = campaign(0.5)
    best = float(hardness(places()).max())
    assert max(o.outcomes["hardness"] for o in done) > 0.95 * best
    chart = chart_of(Encoding(space()), done, of="")
    assert chart is not None
    assert agreement(chart, Encoding(space()).encode(list(points()))) > 0.85
    grounds = last.reason.grounds
    assert grounds.reduces
    assert "border" in grounds.reduces[0]
    assert grounds.evidence
    assert last.reason.model["hardness follows regions"] > 0


def test_a_map_alone_goes_where_regions_meet() -> None:
    done = [observed(i) for i in range(20)]
    objective = OBJECTIVE.model_copy(update={"phase_map": PhaseMapWish(share=1.0)})
    (chosen,) = make({}).propose(
        space(), objective, observations=done, rng=np.random.default_rng(0)
    )
    chart = chart_of(Encoding(space()), done, of="")
    assert chart is not None
    x = Encoding(space()).encode([chosen.values])
    every = Encoding(space()).encode(list(points()))
    told = np.sort(chart.probabilities(x)[0])
    usual = np.median(np.sort(chart.probabilities(every), axis=1)[:, -1])
    assert told[-1] < usual
    assert chosen.reason.predicted == {}
    assert "map" in chosen.reason.text


def test_what_is_dear_must_promise_more() -> None:
    done = [observed(i) for i in range(20)]
    free, dear = (
        make({"cost": cost} if cost else {}).propose(
            space(), OBJECTIVE, observations=done, rng=np.random.default_rng(0)
        )[0]
        for cost in (None, {"base": 0.1, "per_unit": {"iron": 20.0}})
    )
    assert dear.values["iron"] < free.values["iron"]
    assert dear.reason.acquisition is not None
    assert dear.reason.acquisition.endswith("per cost")


def test_where_nothing_is_read_the_property_alone_decides() -> None:
    blind = [
        o.model_copy(update={"structure": type(o.structure)()}) for o in map(observed, range(12))
    ]
    (chosen,) = make({}).propose(
        space(), OBJECTIVE, observations=blind, rng=np.random.default_rng(0)
    )
    assert chosen.reason.text.startswith("Chosen for the property")


def test_bounds_on_outcomes_are_refused() -> None:
    bounded = Objective(
        targets=(Target(quantity="hardness", goal="maximize"),),
        constraints=(OutcomeConstraint(quantity="cost", upper=1.0),),
    )
    with pytest.raises(UnsupportedSpace, match="phase_map"):
        make({}).propose(space(), bounded, observations=(), rng=np.random.default_rng(0))


def test_a_map_beside_a_front_is_refused_when_the_objective_is_made() -> None:
    with pytest.raises(ValueError, match="a map of phases"):
        Objective(
            targets=(
                Target(quantity="a", goal="maximize"),
                Target(quantity="b", goal="maximize"),
            ),
            combine="front",
            phase_map=PhaseMapWish(),
        )


@pytest.mark.slow
def test_it_keeps_the_contract_of_planners() -> None:
    check_planner(make({"n_candidates": 40}))
