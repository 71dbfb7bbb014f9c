"""A list beside free settings: pairs that can be bought, temperatures that can be chosen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from planners import (
    CandidateList,
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    LinearConstraint,
    NothingLeftToPropose,
    Objective,
    Observation,
    SearchSpace,
)
from planners.bayesian import make
from planners.bayesian.refine import neighbours
from planners.encoding import Encoding, snap
from planners.finite import key_of, table_of, untried
from planners.listed import listing_of
from planners.objective import Target
from planners.sampling import draw_sobol, draw_uniform

T = ContinuousParameter(name="temperature", low=300, high=900)
PAIRS = CandidateList(
    columns=("solvent", "base", "pka"),
    rows=(("dmf", "K2CO3", 10.3), ("dmf", "Et3N", 10.8), ("thf", "Et3N", 10.8), ("thf", "DBU", 12)),
)
SPACE = SearchSpace(parameters=(T,), candidates=PAIRS)


def test_columns_without_a_parameter_get_one_and_the_others_stay_free():
    assert SPACE.names == ("temperature", "solvent", "base", "pka")
    assert SPACE.is_hybrid
    here = {"temperature": 412.5, "solvent": "thf", "base": "DBU", "pka": 12.0}
    assert SPACE.contains(here)
    assert SPACE.faults({**here, "base": "K2CO3"}) == [
        "the combination of solvent, base, pka is not on the candidate list"
    ]
    assert SearchSpace.model_validate_json(SPACE.model_dump_json()) == SPACE
    with pytest.raises(ValidationError, match=r"candidate 3: pka = 12\.0 is none of"):
        SearchSpace(
            parameters=(T, DiscreteParameter(name="pka", values=(10.3, 10.8))), candidates=PAIRS
        )


def test_draws_take_every_row_equally_often_and_the_free_setting_evenly():
    drawn = draw_uniform(SPACE, 2000, rng=np.random.default_rng(0))
    rows = [PAIRS.index(p) for p in drawn]
    # four standard deviations of a binomial count of 500 among 2000
    assert np.bincount(rows, minlength=4) == pytest.approx(np.full(4, 500), abs=4 * 19.4)
    assert np.histogram([p["temperature"] for p in drawn], bins=4)[0].min() > 400


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16), st.booleans())
def test_every_way_to_a_point_takes_a_row_and_obeys(seed, constrained):
    space = SPACE
    if constrained:  # excludes one row, and of the others the lower temperatures
        rules = (
            LinearConstraint(coefficients={"pka": 1}, upper=11),
            LinearConstraint(coefficients={"temperature": 0.01, "pka": 1}, lower=18, upper=18.5),
        )
        space = SearchSpace(parameters=(T,), candidates=PAIRS, constraints=rules)
        assert len(listing_of(space).rows) == 3
    encoding = Encoding(space)
    rng = np.random.default_rng(seed)
    found = draw_uniform(space, 5, rng=rng) + draw_sobol(space, 5, seed=seed, skip=1)
    found += encoding.decode(rng.random((5, len(encoding.columns))))
    assert [space.faults(p) for p in found] == [[]] * len(found)
    rows = encoding.encode(found)
    assert encoding.encode(encoding.decode(rows)) == pytest.approx(rows, abs=1e-5)


def test_executed_recipe_snaps_to_the_nearest_row_and_keeps_its_free_setting():
    weighed = {"temperature": 512.3, "solvent": "thf", "base": "DBU", "pka": 11.9}
    assert snap(SPACE, weighed) == {**weighed, "pka": 12.0}
    assert key_of(SPACE, weighed) == (512.3, "thf", "DBU", 12.0)


def test_list_beside_a_grid_is_finite_and_each_combination_comes_once():
    milling = DiscreteParameter(name="milling", values=(0, 1, 5))
    space = SearchSpace(parameters=(milling,), candidates=PAIRS)
    table = table_of(space)
    assert len(table) == 12
    everything = draw_sobol(space, 12, seed=1, skip=0)
    assert not untried(space, table, everything).any()
    with pytest.raises(NothingLeftToPropose, match="0 of the 12"):
        draw_uniform(space, 1, rng=np.random.default_rng(0), avoid=everything)


def test_list_beside_a_large_grid_is_sampled():
    fine = ContinuousParameter(name="fine", low=0, high=1, step=1e-5)
    space = SearchSpace(parameters=(fine,), candidates=PAIRS)
    assert table_of(space) is None
    assert len(draw_uniform(space, 50, rng=np.random.default_rng(0))) == 50


def test_single_moves_change_the_row_or_a_free_choice_but_not_both():
    space = SearchSpace(
        parameters=(T, CategoricalParameter(name="gas", categories=("air", "argon"))),
        candidates=PAIRS,
    )
    here = draw_uniform(space, 1, rng=np.random.default_rng(0))[0]
    moved = neighbours(Encoding(space), here)
    assert len(moved) == 4  # three other rows, one other gas
    assert all(space.contains(p) and p["temperature"] == here["temperature"] for p in moved)


def test_model_finds_the_best_row_and_the_best_temperature_together():
    rng = np.random.default_rng(3)
    rows = rng.random((300, 3)).round(4)
    listed = CandidateList(columns=("a", "b", "c"), rows=tuple(map(tuple, rows.tolist())))
    space = SearchSpace(parameters=(T,), candidates=listed)
    goal = rows[137]

    def outcome(point):
        apart = sum((point[n] - g) ** 2 for n, g in zip("abc", goal, strict=True))
        return -apart - ((point["temperature"] - 640) / 300) ** 2

    objective = Objective(targets=(Target(quantity="yield", goal="maximize"),))
    observations = [
        Observation(values=p, outcomes={"yield": outcome(p)})
        for p in draw_sobol(space, 10, seed=0, skip=0)
    ]
    for turn in range(14):
        p = (
            make({"n_candidates": 128})
            .propose(space, objective, observations=observations, rng=np.random.default_rng(turn))[
                0
            ]
            .values
        )
        assert space.contains(p)
        observations.append(Observation(values=p, outcomes={"yield": outcome(p)}))
    best = max(o.outcomes["yield"] for o in observations)
    chance = [outcome(p) for p in draw_uniform(space, 24 * 40, rng=rng)]
    # better than the best of as many random points in at least 95 of 100 campaigns
    assert best > np.quantile(np.array(chance).reshape(40, 24).max(axis=1), 0.95)
