"""Importances, contributions and slices have the values that theory gives them."""

import numpy as np
import pytest
from scipy.stats import qmc

from planners import (
    CandidateList,
    CategoricalParameter,
    ContinuousParameter,
    LinearConstraint,
    MixtureParameter,
    Objective,
    Observation,
    PlanningError,
    SearchSpace,
    SpaceError,
    Target,
)
from planners.bayesian.gaussian_process import SurrogateFailed
from planners.conformance import example_observations, example_spaces
from planners.explaining import Explanation, explain
from planners.explaining.belief import believe, jackknife_std
from planners.explaining.composites import as_table, composite, dependence, draw, draw_pair
from planners.explaining.contributions import shapley_at, why_here
from planners.explaining.importance import importances, mean_shap, relevance_of, sobol_indices
from planners.explaining.shapley import exact_shapley, sampled_shapley
from planners.explaining.sobol import first_order, total_effect
from planners.sampling import draw_uniform


def cube(*names, low=0.0, high=1.0):
    return SearchSpace(
        parameters=tuple(ContinuousParameter(name=n, low=low, high=high) for n in names)
    )


def seen(space, truth, n=40, *, seed=0, quantity="q"):
    points = draw_uniform(space, n, rng=np.random.default_rng(seed))
    return [Observation(values=p, outcomes={quantity: float(truth(p))}) for p in points]


AIM = Objective(targets=(Target(quantity="q", goal="maximize"),))


def test_glove_game_pays_the_rare_glove_most():
    def pairs(coalitions):  # one left glove, two right ones
        return (coalitions[:, 0] & coalitions[:, 1:].any(axis=1)).astype(float)[:, None]

    assert exact_shapley(pairs, 3)[:, 0] == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_random_orders_agree_with_all_coalitions_within_their_error():
    rng = np.random.default_rng(3)
    worth = rng.normal(size=(1 << 6, 2))

    def game(coalitions):
        return worth[coalitions @ (1 << np.arange(6))]

    exact = exact_shapley(game, 6)
    values, errors = sampled_shapley(game, 6, n_orders=4000, rng=rng)
    # 12 values: beyond 4 standard errors once in a thousand such tests
    assert (np.abs(values - exact) < 4 * errors).all()
    assert values.sum(axis=0) == pytest.approx(worth[-1] - worth[0])


def test_too_many_players_for_all_coalitions_are_refused():
    with pytest.raises(PlanningError, match="sampled_shapley"):
        exact_shapley(lambda c: c[:, :1].astype(float), 13)


def test_linear_function_gives_slope_times_distance_from_the_mean():
    space = cube("a", "b", "c")
    slopes = {"a": 2.0, "b": -3.0, "c": 0.0}

    def linear(table):
        return sum(s * np.asarray(table[n], dtype=float) for n, s in slopes.items())[:, None]

    background = draw(space, 50, rng=np.random.default_rng(0))
    point = {"a": 0.9, "b": 0.2, "c": 0.7}
    found = shapley_at(
        space,
        linear,
        as_table(space, [point]),
        background,
        rows=10_000,
        rng=np.random.default_rng(1),
    )
    means = {n: np.mean(background[n].astype(float)) for n in space.names}
    expected = [slopes[n] * (point[n] - means[n]) for n in space.names]
    assert found.exact
    assert found.values[:, 0] == pytest.approx(expected)
    assert found.values[2, 0] == pytest.approx(0.0, abs=1e-12)


def test_contributions_add_up_to_prediction_minus_average_in_every_kind_of_space():
    for name, space in example_spaces().items():
        observations = example_observations(space, 12, seed=0)
        belief = believe(space, "yield", observations, n_replicates=3, rng=np.random.default_rng(0))
        here = why_here(belief, observations[3].values, rng=np.random.default_rng(1))
        total = here.average + sum(c.amount.value for c in here.contributions)
        assert total == pytest.approx(here.predicted.mean, abs=1e-9), name
        assert {c.name for c in here.contributions} == set(space.names)


def test_names_that_play_the_same_role_get_the_same_and_an_idle_one_nothing():
    space = cube("a", "b", "idle")

    def product(table):
        return (table["a"].astype(float) * table["b"].astype(float))[:, None]

    rng = np.random.default_rng(0)
    half = draw(space, 30, rng=rng)
    swapped = {**half, "a": half["b"], "b": half["a"]}
    background = {n: np.concatenate([half[n], swapped[n]]) for n in space.names}
    here = as_table(space, [{"a": 0.8, "b": 0.8, "idle": 0.1}])
    found = shapley_at(space, product, here, background, rows=10_000, rng=rng).values[:, 0]
    assert found[0] == pytest.approx(found[1])
    assert found[2] == pytest.approx(0.0, abs=1e-12)


def ishigami(table):
    x, y, z = (np.asarray(table[n], dtype=float) for n in "xyz")
    return (np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x))[:, None]


def test_ishigami_function_has_its_known_sobol_indices():
    # a = 7, b = 0.1: S = 0.3139, 0.4424, 0; T = 0.5576, 0.4424, 0.2437 (Saltelli et al. 2008)
    space = cube("x", "y", "z", low=-np.pi, high=np.pi)
    first, second = draw_pair(space, 4096, rng=np.random.default_rng(0))
    alone, total = sobol_indices(space, ishigami, first, second)
    # the sequence of 4096 rows leaves an error of some thousandths
    assert alone[:, 0] == pytest.approx([0.3139, 0.4424, 0.0], abs=0.02)
    assert total[:, 0] == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.02)


def test_additive_function_has_equal_first_and_total_indices_that_add_up_to_one():
    x = qmc.Sobol(6, scramble=True, rng=np.random.default_rng(1)).random(2048)
    a, b = x[:, :3], x[:, 3:]
    weights = np.array([1.0, 2.0, 3.0])
    exchanged = [np.where(np.arange(3) == i, b, a) @ weights for i in range(3)]
    f = (a @ weights)[:, None], (b @ weights)[:, None], np.stack(exchanged)[:, :, None]
    expected = weights**2 / (weights**2).sum()
    assert first_order(*f)[:, 0] == pytest.approx(expected, abs=0.01)
    assert total_effect(*f)[:, 0] == pytest.approx(expected, abs=0.01)


def test_constant_function_has_no_sobol_indices():
    flat = np.ones((8, 1))
    assert (first_order(flat, flat, np.ones((2, 8, 1))) == 0).all()
    assert (total_effect(flat, flat, np.ones((2, 8, 1))) == 0).all()


MIXTURE = SearchSpace(
    parameters=(MixtureParameter(name="m", components=("a", "b", "c"), total=10.0),)
)


def test_component_taken_from_another_mixture_leaves_the_total_and_the_proportion_of_the_rest():
    rng = np.random.default_rng(0)
    first, second = draw(MIXTURE, 20, rng=rng), draw(MIXTURE, 20, rng=rng)
    made = composite(MIXTURE, first, second, {"b"})
    columns = {n: made[n].astype(float) for n in "abc"}
    assert columns["b"] == pytest.approx(first["b"].astype(float))
    assert sum(columns.values()) == pytest.approx(np.full(20, 10.0))
    ratio = second["a"].astype(float) / second["c"].astype(float)
    assert columns["a"] / columns["c"] == pytest.approx(ratio)


def test_share_of_a_mixture_explains_what_depends_on_it_alone():
    def of_a(table):
        return (np.asarray(table["a"], dtype=float) ** 2)[:, None]

    first, second = draw_pair(MIXTURE, 4096, rng=np.random.default_rng(2))
    alone, total = sobol_indices(MIXTURE, of_a, first, second)
    # a is fixed by its own exchange; the others act on it only by the room they leave
    assert alone[0, 0] == pytest.approx(1.0, abs=0.05)
    assert total[0, 0] == pytest.approx(1.0, abs=0.05)
    assert alone[1, 0] == pytest.approx(alone[2, 0], abs=0.05)
    assert alone[1, 0] < 0.5


def test_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(0).normal(size=12)
    left_out = (values.sum() - values) / 11
    found = jackknife_std(left_out[None, :])
    assert found == pytest.approx([values.std(ddof=1) / np.sqrt(12)])
    assert jackknife_std(np.ones((2, 1))) is None


def test_relevance_weighs_inverse_length_scales_with_what_a_column_really_spans():
    from planners.encoding import Encoding

    encoding = Encoding(cube("a", "b"))
    found = relevance_of(encoding, {"a": 0.5, "b": 1.0}, np.array([0.3, 0.3]))
    assert found == pytest.approx([2 / 3, 1 / 3])
    assert relevance_of(encoding, {"a": 0.5}, np.array([0.3, 0.3])) is None


SPACE = SearchSpace(
    parameters=(
        ContinuousParameter(name="strong", low=0, high=1),
        ContinuousParameter(name="weak", low=1e-3, high=1, log=True),
        CategoricalParameter(name="kind", categories=("u", "v")),
        ContinuousParameter(name="idle", low=0, high=1),
    )
)


def response(point):
    return (
        3 * (point["strong"] - 0.3) ** 2
        + 0.1 * np.log10(point["weak"])
        + 0.5 * (point["kind"] == "v")
    )


@pytest.fixture(scope="module")
def explained():
    observations = seen(SPACE, response)
    point = observations[0].values
    return explain(SPACE, AIM, observations, point=point, rng=np.random.default_rng(0))


def test_all_ways_rank_a_strong_name_before_a_weak_and_an_idle_one(explained):
    by_name = {i.name: i for i in explained.importances}
    for way in ("relevance", "first_order", "total", "shap"):
        values = {n: getattr(i, way).value for n, i in by_name.items()}
        assert values["strong"] > values["weak"] > values["idle"], way
    assert by_name["idle"].total.value < 0.01
    assert sum(i.relevance.value for i in explained.importances) == pytest.approx(1.0)


def test_importances_of_a_fitted_model_agree_with_those_of_the_truth(explained):
    rng = np.random.default_rng(5)

    def truth(table):
        rows = range(len(table["kind"]))
        return np.array([[response({n: table[n][i] for n in SPACE.names})] for i in rows])

    first, second = draw_pair(SPACE, 2048, rng=rng)
    _, total = sobol_indices(SPACE, truth, first, second)
    shap = mean_shap(SPACE, truth, rng=rng)
    by_name = {i.name: i for i in explained.importances}
    for i, name in enumerate(SPACE.names):
        # 40 noise-free points determine this smooth function to a few per cent
        assert by_name[name].total.value == pytest.approx(total[i, 0], abs=0.05)
        assert by_name[name].shap.value == pytest.approx(shap[i, 0], abs=0.1)


def test_fewer_experiments_make_importances_less_sure():
    noisy = np.random.default_rng(0)

    def spread(n):
        observations = seen(SPACE, lambda p: response(p) + 0.3 * noisy.normal(), n=n)
        belief = believe(SPACE, "q", observations, n_replicates=8, rng=np.random.default_rng(0))
        found = importances(belief, rng=np.random.default_rng(1))
        return np.mean([i.total.std for i in found])

    assert spread(10) > 1.5 * spread(80)


def test_slices_run_through_the_point_and_widen_to_a_90_percent_band(explained):
    assert [s.name for s in explained.slices] == [i.name for i in explained.importances[:3]]
    for s in explained.slices:
        point = explained.here.point
        assert s.held == {n: v for n, v in point.items() if n != s.name}
        assert len(s.at) == len(s.mean) == len(s.std)
        low, high = s.band()[0]
        assert high - low == pytest.approx(2 * 1.6449 * s.std[0], rel=1e-4)
    assert explained.map.names == ("strong", "kind")
    assert len(explained.map.mean) == len(explained.map.across)


def test_an_explanation_survives_its_journey_through_json(explained):
    assert Explanation.model_validate_json(explained.model_dump_json()) == explained


def test_same_generator_gives_the_same_explanation():
    observations = seen(SPACE, response, n=12)
    twice = [
        explain(SPACE, AIM, observations, n_slices=0, rng=np.random.default_rng(4))
        for _ in range(2)
    ]
    assert twice[0] == twice[1]


def test_more_names_than_coalitions_allow_are_explained_from_random_orders():
    space = cube(*"abcdefghijklmn")
    observations = seen(space, lambda p: p["a"] - 2 * p["b"], n=30)
    belief = believe(space, "q", observations, n_replicates=0, rng=np.random.default_rng(0))
    here = why_here(belief, observations[0].values, rng=np.random.default_rng(1))
    assert not here.exact
    assert {c.name for c in here.contributions[:2]} == {"a", "b"}
    total = here.average + sum(c.amount.value for c in here.contributions)
    assert total == pytest.approx(here.predicted.mean)


def test_remarks_warn_of_dependent_columns_constraints_and_few_values():
    rows = tuple((i / 30, i / 30 + 0.01 * (i % 3), "uv"[i % 2]) for i in range(30))
    listed = SearchSpace(candidates=CandidateList(columns=("x", "y", "k"), rows=rows))
    assert dependence(listed)[:2] == ("x", "y")
    observations = [Observation(values=p, outcomes={"q": p["x"]}) for p in _points(rows[::4])]
    found = explain(listed, AIM, observations, rng=np.random.default_rng(0))
    assert len(found.remarks) == 2
    assert "go together" in found.remarks[1]
    bound = SearchSpace(
        parameters=cube("a", "b").parameters,
        constraints=(LinearConstraint(coefficients={"a": 1, "b": 1}, upper=1),),
    )
    found = explain(bound, AIM, seen(bound, lambda p: p["a"]), rng=np.random.default_rng(0))
    assert "Constraints tie settings" in found.remarks[0]


def _points(rows):
    return [dict(zip(("x", "y", "k"), row, strict=True)) for row in rows]


def test_nothing_can_be_explained_from_one_experiment_or_at_half_a_point():
    observations = seen(SPACE, response, n=12)
    with pytest.raises(SurrogateFailed, match="needs two"):
        explain(SPACE, AIM, observations[:1], rng=np.random.default_rng(0))
    belief = believe(SPACE, "q", observations, n_replicates=0, rng=np.random.default_rng(0))
    with pytest.raises(SpaceError, match="lacks"):
        why_here(belief, {"strong": 0.5}, rng=np.random.default_rng(0))
