"""The landscape shows what the surrogate believes."""

import numpy as np
import pytest

from planners import (
    CategoricalParameter,
    ContinuousParameter,
    MixtureParameter,
    Objective,
    Observation,
    SearchSpace,
    Target,
)
from planners.bayesian.landscape import landscape
from planners.sampling import draw_uniform

SPACE = SearchSpace(
    parameters=(
        ContinuousParameter(name="t", low=300, high=900),
        ContinuousParameter(name="c", low=1e-3, high=1, log=True),
        CategoricalParameter(name="k", categories=("u", "v")),
        MixtureParameter(name="m", components=("a", "b", "d"), total=10, high={"b": 6}),
    )
)
AIM = Objective(targets=(Target(quantity="q", goal="maximize"),))


@pytest.fixture(scope="module")
def observations():
    points = draw_uniform(SPACE, 40, rng=np.random.default_rng(0))
    return [
        Observation(values=p, outcomes={"q": -(((p["t"] - 600) / 200) ** 2) + (p["k"] == "v")})
        for p in points
    ]


def test_maximum_along_one_name_stands_where_the_truth_has_it(observations):
    seen = landscape(SPACE, AIM, observations, names=("t",), grid=61)
    assert seen.mean.shape == seen.std.shape == (61,)
    assert seen.axes[0][np.argmax(seen.mean)] == pytest.approx(600, abs=40)
    assert seen.held["k"] == "v"
    assert set(seen.held) == {"c", "k", "a", "b", "d"}


def test_two_names_of_any_kind_span_a_map(observations):
    seen = landscape(SPACE, AIM, observations, names=("c", "k"), grid=12)
    assert seen.mean.shape == (12, 2)
    assert seen.axes[0][0] == pytest.approx(1e-3)
    assert list(seen.axes[1]) == ["u", "v"]
    assert (seen.mean[:, 1] > seen.mean[:, 0]).all()


def test_component_makes_room_and_forbidden_mixtures_are_blank(observations):
    seen = landscape(SPACE, AIM, observations, names=("a",), grid=11)
    assert np.isfinite(seen.mean).any()
    best = max(observations, key=lambda o: o.outcomes["q"]).values
    share = best["b"] / (best["b"] + best["d"])
    allowed = (10 - seen.axes[0]) * share <= 6
    assert np.isfinite(seen.mean).tolist() == allowed.tolist()


def test_no_landscape_without_a_model(observations):
    assert landscape(SPACE, AIM, observations[:1], names=("t",)) is None
    flat = [o.model_copy(update={"outcomes": {"q": 1.0}}) for o in observations]
    assert landscape(SPACE, AIM, flat, names=("t",)) is None


@pytest.mark.parametrize("names", [(), ("t", "t"), ("nothing",), ("a", "b"), ("t", "c", "k")])
def test_names_that_cannot_span_a_landscape_are_refused(observations, names):
    with pytest.raises(ValueError, match=r"one or two different names|one mixture"):
        landscape(SPACE, AIM, observations, names=names)
