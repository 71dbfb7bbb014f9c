"""A planner that knows structures finds the wanted one, doubts wrong readings, and says why."""

from __future__ import annotations

import numpy as np
import pytest

from planners import Objective, OutcomeConstraint, Target
from planners.conformance import check_planner, example_spaces
from planners.structural.known import KnownFunction, StructureAware
from planners.structural.planner import StructuralPlanner, make
from planners.structure import Structure
from tests.planners.structural.world import OBJECTIVE, SPACE, Misfit, experiment, steps


def planner(seed: int = 0) -> StructuralPlanner:
    return make({"seed": seed}).knowing([Misfit()])


def test_it_keeps_the_contract_of_planners() -> None:
    spaces = example_spaces()
    some = {name: spaces[name] for name in list(spaces)[:2]}
    check_planner(make({}), spaces=some)
    assert isinstance(planner(), StructureAware)
    assert isinstance(Misfit(), KnownFunction)


def test_the_wanted_structure_is_found_in_a_handful_of_experiments() -> None:
    # 1 in 600 points hits: solvent, bond within 0.4 %, size; the misfit alone is flat elsewhere.
    found = [steps(planner(seed), seed=seed) for seed in range(6)]
    assert np.median(found) <= 6
    assert max(found) <= 10


def test_wrong_readings_that_are_told_cost_little() -> None:
    found = [steps(planner(seed), seed=seed, wrong=0.2, told=0.8) for seed in range(6)]
    assert np.median(found) <= 8


def test_wrong_readings_are_noticed_by_what_the_others_say() -> None:
    rng = np.random.default_rng(3)
    made = [
        experiment({"acid": a, "pressure": p, "solvent": s}, rng)
        for a, p, s in zip(
            rng.uniform(2, 12, 12), rng.uniform(0, 100, 12), ("ethanol", "water") * 6, strict=True
        )
    ]
    wrong = experiment(
        {"acid": 5.0, "pressure": 50.0, "solvent": "water"}, rng, wrong=1.0, told=0.3
    )
    [proposal] = planner().propose(SPACE, OBJECTIVE, observations=[*made, wrong], rng=rng)
    relevance = proposal.reason.model
    assert relevance["bond follows pressure"] > 0.9
    assert relevance["type follows solvent"] > 0.9
    assert relevance["bond follows acid"] < 0.3


def test_a_proposal_says_which_structure_it_expects() -> None:
    rng = np.random.default_rng(0)
    made = [
        experiment({"acid": a, "pressure": p, "solvent": "water"}, rng)
        for a, p in ((3.0, 20.0), (9.0, 60.0), (6.0, 95.0), (11.0, 10.0))
    ]
    [proposal] = planner().propose(SPACE, OBJECTIVE, observations=made, rng=rng)
    assert "decahedron" in proposal.reason.text
    assert "bond follows pressure" in proposal.reason.text
    assert proposal.reason.predicted["misfit"].mean < 1.2
    assert proposal.reason.alternatives


def test_proposals_for_several_places_differ_and_avoid_what_is_under_way() -> None:
    rng = np.random.default_rng(0)
    made = [
        experiment({"acid": a, "pressure": p, "solvent": "water"}, rng)
        for a, p in ((3.0, 20.0), (9.0, 60.0), (6.0, 95.0), (11.0, 10.0))
    ]
    pending = [{"acid": 6.0, "pressure": 26.0, "solvent": "water"}]
    found = planner().propose(
        SPACE, OBJECTIVE, observations=made, pending=pending, n=3, rng=np.random.default_rng(1)
    )
    points = [tuple(p.values.values()) for p in found]
    assert len(set(points)) == 3
    again = planner().propose(
        SPACE, OBJECTIVE, observations=made, pending=pending, n=3, rng=np.random.default_rng(1)
    )
    assert [p.values for p in again] == [p.values for p in found]


def test_without_readings_the_space_is_filled() -> None:
    rng = np.random.default_rng(0)
    unread = experiment({"acid": 3.0, "pressure": 20.0, "solvent": "water"}, rng)
    unread = unread.model_copy(update={"structure": Structure()})
    [proposal] = planner().propose(SPACE, OBJECTIVE, observations=[unread], rng=rng)
    assert "no structure was read" in proposal.reason.text


@pytest.mark.parametrize(
    ("objective", "why"),
    [
        (
            Objective(targets=(Target(quantity="yield", goal="maximize"),)),
            "no agent knows how yield",
        ),
        (
            Objective(
                targets=OBJECTIVE.targets,
                constraints=(OutcomeConstraint(quantity="price", upper=1.0),),
            ),
            "price has a bound",
        ),
    ],
)
def test_what_structure_does_not_tell_is_left_to_gaussian_processes(
    objective: Objective, why: str
) -> None:
    rng = np.random.default_rng(0)
    [proposal] = planner().propose(SPACE, objective, observations=[], rng=rng)
    assert why in proposal.reason.text
    assert proposal.reason.planner == "bayesian"
