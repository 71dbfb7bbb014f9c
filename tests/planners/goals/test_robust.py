"""A recipe is judged by what comes out when the laboratory does not hit it exactly."""

import numpy as np
import pytest

from planners import (
    CategoricalParameter,
    ContinuousParameter,
    Objective,
    OutcomeConstraint,
    SearchSpace,
    Target,
    UnsupportedSpace,
)
from planners.bayesian import BayesianSettings, make
from planners.bayesian.goals.recommending import recommend
from planners.bayesian.goals.robust import N_ERRORS, perturbed, risk_adjusted, robust_draws
from planners.bayesian.surrogate import fit_quantity
from planners.encoding import Encoding
from tests.planners.goals.playing import measured, play

FURNACE = SearchSpace(
    parameters=(ContinuousParameter(name="temperature", low=0, high=100, unit="K"),)
)
STEPPED = SearchSpace(
    parameters=(ContinuousParameter(name="temperature", low=0, high=100, step=2.5, unit="K"),)
)
HIGHEST = Objective(targets=(Target(quantity="q", goal="maximize"),))


def wanted(risk, std=3.0):
    return HIGHEST.model_copy(update={"input_errors": {"temperature": std}, "risk": risk})


def broad_and_narrow(p):
    """A broad top of 1.0 at 30 K, a narrow one of 1.3 at 75 K that errors of 3 K halve."""
    t = p["temperature"]
    return float(np.exp(-(((t - 30) / 15) ** 2)) + 1.3 * np.exp(-(((t - 75) / 3) ** 2)))


def seen():
    """Both tops were found: twelve even settings and the narrow one."""
    settings = [*np.linspace(0, 100, 13), 72.5, 77.5]
    return [measured({"temperature": float(t)}, broad_and_narrow) for t in settings]


def test_worst_tenth_is_the_mean_of_the_lowest_tenth():
    utilities = np.arange(1.0, 17.0)  # of 16 values: the lowest, and 0.6 of the next
    assert risk_adjusted(utilities, "worst_tenth") == pytest.approx((1 + 0.6 * 2) / 1.6)
    assert risk_adjusted(utilities, "expected") == pytest.approx(8.5)


def test_errors_have_the_stated_size_in_the_unit_of_the_name_also_on_a_logarithmic_axis():
    space = SearchSpace(
        parameters=(
            ContinuousParameter(name="t", low=100, high=300),
            ContinuousParameter(name="p", low=1, high=1000, log=True),
        )
    )
    x = Encoding(space).encode([{"t": 200.0, "p": 100.0}])
    blocks = perturbed(Encoding(space), x, {"t": 3.0, "p": 5.0})[0]
    t = 100 + 200 * blocks[:, 0]
    p = 1000.0 ** blocks[:, 1]
    assert len(blocks) == N_ERRORS
    assert [t.mean(), t.std(), p.mean(), p.std()] == pytest.approx([200, 3, 100, 5])


def test_draws_without_errors_are_those_of_the_plain_prediction():
    encoding = Encoding(FURNACE)
    surrogates = {"q": fit_quantity(encoding, "q", seen()[::3])}
    x = np.array([[0.31], [0.6]])
    draws = robust_draws(encoding, HIGHEST, surrogates, x, seed=1)
    mean, std = surrogates["q"].predict(x)
    # 64 quasi-random draws
    assert draws.mean(axis=0) == pytest.approx(mean, abs=0.02)
    assert draws.std(axis=0) == pytest.approx(std, rel=0.1, abs=1e-3)


@pytest.mark.parametrize("risk", ["expected", "worst_tenth"])
@pytest.mark.parametrize("space", [FURNACE, STEPPED])
def test_broad_top_is_preferred_to_a_narrow_higher_one(space, risk):
    done = play(make({}), space, wanted(risk), broad_and_narrow, 4, seed=0, start=seen())
    best = recommend(space, wanted(risk), done, settings=BayesianSettings())
    assert best.values["temperature"] == pytest.approx(30, abs=5)
    assert best.utility < 1.0  # what is left of 1.0 under the errors
    assert all(o.values["temperature"] < 65 for o in done[-2:])


def test_exact_laboratory_takes_the_narrow_top():
    done = play(make({}), STEPPED, HIGHEST, broad_and_narrow, 4, seed=0, start=seen())
    best = recommend(STEPPED, HIGHEST, done, settings=BayesianSettings())
    assert best.values["temperature"] == pytest.approx(75, abs=2.5)


def test_gamble_that_pays_on_average_is_left_by_who_looks_at_the_worst_tenth():
    def gamble(p):
        # errors of 3 K leave 1.4 of the narrow top on average, but 0.2 in the worst tenth
        t = p["temperature"]
        return float(0.6 * np.exp(-(((t - 30) / 20) ** 2)) + 2 * np.exp(-(((t - 75) / 4) ** 2)))

    start = [measured({"temperature": float(t)}, gamble) for t in np.linspace(0, 100, 21)]
    found = {}
    for risk in ("expected", "worst_tenth"):
        done = play(make({}), STEPPED, wanted(risk), gamble, 5, seed=0, start=start)
        found[risk] = recommend(STEPPED, wanted(risk), done, settings=BayesianSettings())
    assert found["expected"].values["temperature"] == pytest.approx(75, abs=2.5)
    assert found["worst_tenth"].values["temperature"] == pytest.approx(30, abs=7.5)
    assert found["expected"].utility > 1.0 > found["worst_tenth"].utility


def test_reason_names_the_errors_and_the_risk():
    proposal = make({}).propose(
        FURNACE, wanted("worst_tenth"), observations=seen(), rng=np.random.default_rng(0)
    )[0]
    assert "in the worst tenth of cases when settings stray (temperature ± 3)" in (
        proposal.reason.text
    )


def test_bound_on_an_outcome_holds_under_errors_too():
    aim = Objective(
        targets=(Target(quantity="q", goal="maximize"),),
        constraints=(OutcomeConstraint(quantity="side", upper=0.5),),
        input_errors={"temperature": 3.0},
    )
    observations = [
        o.model_copy(update={"outcomes": {**o.outcomes, "side": o.values["temperature"] / 50}})
        for o in seen()
    ]
    best = recommend(FURNACE, aim, observations, settings=BayesianSettings())
    assert best.values["temperature"] <= 25


def test_errors_of_what_is_no_number_are_refused():
    space = SearchSpace(
        parameters=(*FURNACE.parameters, CategoricalParameter(name="gas", categories=("a", "b")))
    )
    for name in ("gas", "pressure"):
        aim = HIGHEST.model_copy(update={"input_errors": {name: 1.0}})
        with pytest.raises(UnsupportedSpace, match=f"{name}.*no numeric name"):
            make({}).propose(space, aim, observations=[], rng=np.random.default_rng(0))


def test_risk_without_errors_and_maps_with_errors_are_refused():
    target = Target(quantity="q", goal="maximize")
    with pytest.raises(ValueError, match="without `input_errors`"):
        Objective(targets=(target,), risk="worst_tenth")
    with pytest.raises(ValueError, match="mapped over the whole space"):
        Objective(
            targets=(Target(quantity="q", goal="explore"),), input_errors={"temperature": 1.0}
        )
    with pytest.raises(ValueError, match="two campaigns"):
        Objective(targets=(target, Target(quantity="r", goal="explore")))
