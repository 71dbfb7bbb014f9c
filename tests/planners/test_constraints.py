"""Constraints by expression and by function: what they allow, and what a file cannot do."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from planners import (
    CategoricalParameter,
    ContinuousParameter,
    DiscreteParameter,
    ExpressionConstraint,
    FunctionConstraint,
    LinearConstraint,
    MixtureParameter,
    Objective,
    Observation,
    SearchSpace,
    constraints,
)
from planners.bayesian import make
from planners.encoding import Encoding
from planners.expressions import parse
from planners.finite import table_of
from planners.objective import Target
from planners.sampling import draw_sobol, draw_uniform

T = ContinuousParameter(name="temperature", low=300, high=900)
TIME = ContinuousParameter(name="time", low=1, high=12)
SALT = CategoricalParameter(name="salt", categories=("NaCl", "KCl"))


def melts(point):
    """The eutectic salt melts earlier."""
    return point["temperature"] > (500 if point["salt"] == "KCl" else 700)


constraints.register("tests.melts", melts)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a + 2*b", 8.0),
        ("-a ** 2 / b", -4 / 3),
        ("min(a, b, 1) + max(a, b)", 4.0),
        ("sqrt(abs(-4)) * exp(log(a))", 4.0),
        ("furnace.ramp * a", 10.0),
    ],
)
def test_expression_means_what_arithmetic_means(text, value):
    point = {"a": 2.0, "b": 3.0, "furnace.ramp": 5.0}
    assert parse(text).value(point) == pytest.approx(value)
    table = {n: np.array([v, v]) for n, v in point.items()}
    assert parse(text).values(table) == pytest.approx([value, value])


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "a.__class__()",
        "(lambda: a)()",
        "[a for a in b]",
        "a if b else a",
        "a and b",
        "a < b",
        "'a' * 9",
        "a[0]",
        "open(a)",
        "exp(a, b)",
        "min(*a)",
        "exp(x=a)",
        "a; b",
        "True + a",
        "a // b",
        "(a := 1)",
        "1 + 1",
        "",
        "a +" * 400,
        "-" * 200 + "a",
        "(" * 300 + "a",
    ],
)
def test_expression_can_say_nothing_but_arithmetic(text):
    with pytest.raises(ValidationError, match="expression"):
        ExpressionConstraint(expression=text, upper=1)


def test_power_tower_ends_at_once_and_allows_nothing():
    tower = ExpressionConstraint(expression="a ** 9 ** 9 ** 9 ** 9", upper=1)
    assert "has no value at a = 2" in tower.fault({"a": 2.0})


def test_point_where_an_expression_has_no_value_breaks_it():
    depth = ExpressionConstraint(expression="log(time - 2)", lower=-100)
    assert "has no value at time = 1" in depth.fault({"time": 1.0})
    assert depth.fault({"time": 4.0}) is None


def test_table_without_a_type_is_linear_as_in_files_of_old():
    old = SearchSpace.model_validate(
        {
            "parameters": [T.model_dump(), TIME.model_dump()],
            "constraints": [
                {"coefficients": {"temperature": 1}, "upper": 800},
                {"expression": "temperature * time", "upper": 2000},
            ],
        }
    )
    assert [c.type for c in old.constraints] == ["linear", "expression"]
    assert old.linear == (LinearConstraint(coefficients={"temperature": 1}, upper=800),)
    with pytest.raises(ValidationError, match="linear, expression or function"):
        SearchSpace(parameters=(T,), constraints=({"type": "quadratic"},))


def test_json_holds_the_name_of_a_function_and_nothing_of_its_code():
    space = SearchSpace(parameters=(T, SALT), constraints=(FunctionConstraint(name="tests.melts"),))
    text = space.model_dump_json()
    assert '{"type":"function","name":"tests.melts"}' in text
    again = SearchSpace.model_validate_json(text)
    assert again == space
    assert again.faults({"temperature": 600.0, "salt": "NaCl"}) == [
        "tests.melts does not allow this point"
    ]
    assert again.contains({"temperature": 600.0, "salt": "KCl"})


def test_installed_package_offers_a_function_to_files(tmp_path, monkeypatch):
    info = tmp_path / "kiln_rules-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kiln-rules\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[sdlab.constraints]\nkiln.safe = kiln_rules:safe\nkiln.lost = kiln_rules:lost\n"
    )
    (tmp_path / "kiln_rules.py").write_text(
        "def safe(point):\n    return point['temperature'] < 600\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    space = SearchSpace(parameters=(T,), constraints=(FunctionConstraint(name="kiln.safe"),))
    assert all(p["temperature"] < 600 for p in draw_sobol(space, 20, seed=0, skip=0))
    with pytest.raises(ValidationError, match="Reinstall or remove its package"):
        FunctionConstraint(name="kiln.lost")


def test_copy_or_pickle_of_a_space_remembers_nothing_but_its_fields():
    rules = (
        ExpressionConstraint(expression="temperature * time", upper=9000),
        FunctionConstraint(name="tests.melts"),
    )
    space = SearchSpace(parameters=(T, TIME, SALT), constraints=rules)
    assert pickle.loads(pickle.dumps(space)) == space
    copied = space.model_copy(update={"parameters": (TIME, SALT, T)})
    assert copied.names == ("time", "salt", "temperature")
    assert rules[0].model_copy(update={"expression": "time"}).names == ("time",)


def test_function_that_nobody_registered_is_named_with_what_to_do():
    with pytest.raises(ValidationError, match="no constraint function is called 'os"):
        SearchSpace.model_validate(
            {
                "parameters": [T.model_dump()],
                "constraints": [{"type": "function", "name": "os.system"}],
            }
        )
    with pytest.raises(ValueError, match="Take another name"):
        constraints.register("tests.melts", lambda point: True)


def test_function_that_fails_is_named_with_the_point():
    constraints.register("tests.broken", broken)
    with pytest.raises(ValidationError, match=r"'tests.broken' failed at .* KeyError"):
        SearchSpace(parameters=(T,), constraints=(FunctionConstraint(name="tests.broken"),))


def broken(point):
    return point["pressure"] > 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**16), st.sampled_from([1500.0, 2400.0, 6000.0]))
def test_every_way_to_a_point_keeps_to_an_expression(seed, budget):
    space = SearchSpace(
        parameters=(T, TIME, SALT),
        constraints=(
            ExpressionConstraint(expression="temperature * time", upper=budget),
            LinearConstraint(coefficients={"temperature": 1, "time": 10}, lower=420),
            FunctionConstraint(name="tests.melts"),
        ),
    )
    rng = np.random.default_rng(seed)
    encoding = Encoding(space)
    found = draw_uniform(space, 6, rng=rng) + draw_sobol(space, 6, seed=seed, skip=3)
    found += encoding.decode(rng.random((4, len(encoding.columns))))
    found += encoding.snap_feasible(rng.random((4, len(encoding.columns))))
    assert [space.faults(p) for p in found] == [[]] * len(found)


def test_whole_table_and_single_points_agree_on_what_obeys():
    space = SearchSpace(
        parameters=(
            ContinuousParameter(name="a", low=0, high=5, step=1),
            DiscreteParameter(name="b", values=(1, 2, 4, 8)),
        ),
        constraints=(
            ExpressionConstraint(expression="a * log(b)", lower=1, upper=5),
            LinearConstraint(coefficients={"a": 1, "b": -1}, lower=-3),
        ),
    )
    listed = set(table_of(space).rows)
    singly = {
        (float(a), float(b))
        for a in range(6)
        for b in (1, 2, 4, 8)
        if space.contains({"a": float(a), "b": float(b)})
    }
    assert listed == singly
    assert (3.0, 4.0) in listed


@pytest.mark.parametrize("step", [None, 0.5])
def test_constraint_that_nothing_obeys_is_refused_with_a_sentence(step):
    time = TIME.model_copy(update={"step": step})
    with pytest.raises(ValidationError, match=r"no feasible point.*loosen exp"):
        SearchSpace(
            parameters=(time,),
            constraints=(ExpressionConstraint(expression="exp(time)", upper=0.1),),
        )


def test_refinement_climbs_to_a_curved_edge_and_not_over_it():
    # the outcome rises with both settings, so the best lies on temperature * time = 3600
    mixture = MixtureParameter(name="m", components=("p", "q"))
    space = SearchSpace(
        parameters=(T, TIME, mixture),
        constraints=(ExpressionConstraint(expression="temperature * time", upper=3600),),
    )
    objective = Objective(targets=(Target(quantity="yield", goal="maximize"),))
    observations = []
    for point in draw_sobol(space, 14, seed=1, skip=0):
        outcome = point["temperature"] / 900 + point["time"] / 12 + 0.1 * point["p"]
        observations.append(Observation(values=point, outcomes={"yield": outcome}))
    best_before = max(o.outcomes["yield"] for o in observations)
    found = []
    for turn in range(5):
        point = (
            make({"n_candidates": 128})
            .propose(space, objective, observations=observations, rng=np.random.default_rng(turn))[
                0
            ]
            .values
        )
        assert space.faults(point) == []
        outcome = point["temperature"] / 900 + point["time"] / 12 + 0.1 * point["p"]
        observations.append(Observation(values=point, outcomes={"yield": outcome}))
        found.append((outcome, point["temperature"] * point["time"]))
    best = max(found)
    assert best[0] > best_before
    assert best[1] > 0.9 * 3600
