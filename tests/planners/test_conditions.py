"""Settings that exist only under a condition: one recipe is one point, whatever plays no role."""

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
    SearchSpace,
)
from planners.encoding import Encoding
from planners.finite import key_of, table_of, untried
from planners.sampling import draw_sobol, draw_uniform
from planners.tried import Tried

LIGAND = CategoricalParameter(name="ligand", categories=("none", "xphos", "dppf"))
LOADING = ContinuousParameter(
    name="loading", low=1, high=9, only_if={"ligand": ("xphos", "dppf")}, unit="mol%"
)
STAGE = DiscreteParameter(name="stage", values=(1, 2))
RAMP = ContinuousParameter(
    name="ramp", low=1, high=20, only_if={"stage": [2]}, otherwise=10, unit="K/min"
)
QUENCH = CategoricalParameter(
    name="quench", categories=("air", "water"), only_if={"ramp_mode": "fast"}
)
MODE = CategoricalParameter(name="ramp_mode", categories=("slow", "fast"), only_if={"stage": 2})
SPACE = SearchSpace(parameters=(QUENCH, LIGAND, LOADING, STAGE, RAMP, MODE))


def point(**changes):
    plain = {"quench": "air", "ligand": "none", "loading": 1.0, "stage": 1.0, "ramp": 10.0}
    return {**plain, "ramp_mode": "slow", **changes}


def test_inactive_setting_elsewhere_than_at_rest_is_a_fault_that_says_when_it_counts():
    assert SPACE.faults(point()) == []
    assert SPACE.faults(point(loading=3.0)) == [
        "loading = 3 plays no role here (only if ligand is xphos or dppf); there it must be 1"
    ]
    assert SPACE.faults(point(ligand="dppf", loading=3.0)) == []
    assert "there it must be 10" in SPACE.faults(point(ramp=1.0))[0]


def test_recipes_that_differ_in_what_plays_no_role_are_one_point():
    one, other = point(loading=2.0, ramp=3.0), point(loading=8.0)
    assert key_of(SPACE, one) == key_of(SPACE, other) == key_of(SPACE, point())
    assert key_of(SPACE, other) in Tried(SPACE, [one])
    with_ligand = point(ligand="xphos", loading=2.0)
    assert key_of(SPACE, with_ligand) != key_of(SPACE, {**with_ligand, "loading": 8.0})


def test_condition_upon_a_condition_falls_with_it():
    # fast would allow water, but there is no mode at all in a single stage
    lonely = point(quench="water", ramp_mode="fast")
    assert len(SPACE.faults(lonely)) == 2
    settled = dict(zip(SPACE.names, key_of(SPACE, lonely), strict=True))
    assert (settled["quench"], settled["ramp_mode"]) == ("air", "slow")
    assert SPACE.contains(point(stage=2.0, quench="water", ramp_mode="fast", ramp=5.0))


def test_inactive_coordinates_stand_in_the_middle_and_mark_no_category():
    encoding = Encoding(SPACE)
    off, on = encoding.encode([point(), point(stage=2.0, ramp=20.0, ramp_mode="fast")])
    names = [c.name for c in encoding.columns]
    assert off[names.index("loading")] == off[names.index("ramp")] == 0.5
    assert [x for x, n in zip(off, names, strict=True) if n in ("quench", "ramp_mode")] == [0.0] * 4
    assert on[names.index("ramp")] == 1.0
    assert [x for x, n in zip(on, names, strict=True) if n == "ramp_mode"] == [0.0, 1.0]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16))
def test_every_way_to_a_point_leaves_what_plays_no_role_at_rest(seed):
    rng = np.random.default_rng(seed)
    space = SearchSpace(
        parameters=SPACE.parameters,
        constraints=(
            LinearConstraint(coefficients={"loading": 1, "ramp": 0.5}, upper=11),
            LinearConstraint(coefficients={"loading": 1, "stage": -1}, lower=0),
        ),
    )
    encoding = Encoding(space)
    found = draw_uniform(space, 5, rng=rng) + draw_sobol(space, 5, seed=seed, skip=2)
    found += encoding.decode(rng.random((5, len(encoding.columns))))
    found += encoding.snap_feasible(rng.random((5, len(encoding.columns))))
    assert [space.faults(p) for p in found] == [[]] * len(found)
    rows = encoding.encode(found)
    assert encoding.encode(encoding.decode(rows)) == pytest.approx(rows, abs=1e-5)


def test_space_survives_its_file():
    again = SearchSpace.model_validate_json(SPACE.model_dump_json())
    assert again == SPACE
    assert again.parameter("ramp").only_if == {"stage": (2.0,)}


def test_grid_lists_each_recipe_once():
    space = SearchSpace(
        parameters=(
            LIGAND,
            DiscreteParameter(name="mol", values=(2, 5), only_if={"ligand": ("xphos", "dppf")}),
        )
    )
    table = table_of(space)
    assert table.rows == (
        ("none", 2.0),
        ("xphos", 2.0),
        ("xphos", 5.0),
        ("dppf", 2.0),
        ("dppf", 5.0),
    )
    assert untried(space, table, [{"ligand": "none", "mol": 5.0}]).tolist() == [False] + [True] * 4
    everything = draw_uniform(space, 5, rng=np.random.default_rng(0))
    with pytest.raises(NothingLeftToPropose):
        draw_sobol(space, 1, seed=0, skip=5, avoid=everything)


def test_candidate_that_sets_what_plays_no_role_is_refused():
    rows = (("none", 1.0), ("xphos", 3.0), ("none", 2.0))
    listed = CandidateList(columns=("ligand", "loading"), rows=rows)
    with pytest.raises(ValidationError, match="candidate 2: loading = 2 plays no role"):
        SearchSpace(parameters=(LIGAND, LOADING), candidates=listed)
    with pytest.raises(ValidationError, match="candidate 2: loading = 2 plays no role"):
        SearchSpace(parameters=(LIGAND, LOADING, STAGE), candidates=listed)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ((LOADING,), "depends on 'ligand', which no other parameter sets"),
        (
            (
                ContinuousParameter(name="t", low=0, high=1),
                ContinuousParameter(name="u", low=0, high=1, only_if={"t": (1,)}),
            ),
            "not a choice among values",
        ),
        ((LIGAND, LOADING.model_copy(update={"only_if": {"ligand": ("pcy3",)}})), "'pcy3'"),
        (
            (
                CategoricalParameter(name="a", categories=("x", "y"), only_if={"b": "x"}),
                CategoricalParameter(name="b", categories=("x", "y"), only_if={"a": "x"}),
            ),
            "in a circle",
        ),
    ],
)
def test_condition_that_cannot_be_decided_is_refused_with_a_sentence(parameters, sentence):
    with pytest.raises(ValidationError, match=sentence):
        SearchSpace(parameters=parameters)


def test_rest_without_a_condition_or_out_of_reach_is_refused():
    with pytest.raises(ValidationError, match="without a condition"):
        ContinuousParameter(name="t", low=0, high=1, otherwise=0.5)
    with pytest.raises(ValidationError, match="cannot take its own `otherwise`: t = 5"):
        ContinuousParameter(name="t", low=0, high=1, only_if={"a": "x"}, otherwise=5)
