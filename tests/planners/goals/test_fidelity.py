"""A quick scan or a long one, a simulation or an experiment."""

import numpy as np
import pytest

from planners import (
    CategoricalParameter,
    ContinuousParameter,
    Objective,
    Observation,
    SearchSpace,
    Target,
    UnsupportedSpace,
)
from planners.bayesian import make
from planners.bayesian.goals.fidelity import Fidelity, told_share
from planners.bayesian.goals.recommending import recommend
from planners.bayesian.surrogate import fit_quantity
from planners.costs import CostModel
from planners.encoding import Encoding
from planners.sampling import draw_uniform
from tests.planners.goals.playing import SQUARE

BEST = Objective(targets=(Target(quantity="q", goal="maximize"),))
BOTH = SearchSpace(
    parameters=(
        *SQUARE.parameters,
        CategoricalParameter(name="how", categories=("simulation", "experiment")),
    )
)
PRICES = {"base": 1.0, "of_category": {"how": {"experiment": 19.0}}}
SETTINGS = {
    "cost": PRICES,
    "fidelity": {"name": "how", "target": "experiment"},
    "n_candidates": 128,
}


def truth(p):
    high = np.exp(-((p["x"] - 0.7) ** 2 + (p["y"] - 0.35) ** 2) / 0.05)
    return float(high + 0.6 * np.exp(-((p["x"] - 0.2) ** 2 + (p["y"] - 0.8) ** 2) / 0.04))


def told(p):
    """A simulation is biased by up to 0.25, differently at each point."""
    bias = 0.25 * np.sin(5 * p["x"]) * p["y"] if p.get("how") == "simulation" else 0.0
    return truth(p) + bias


def spend(settings, space, budget, seed):
    """Run a campaign until so much is spent; return it with the settings."""
    planner = make({**settings, "seed": seed})
    prices = planner.settings.cost or CostModel(base=20.0)
    rng = np.random.default_rng([99, seed])
    done, spent = [], 0.0
    while spent < budget:
        point = planner.propose(
            space, BEST, observations=done, rng=np.random.default_rng([seed, len(done)])
        )[0].values
        spent += prices.cost(point)
        value = told(point) + 0.02 * rng.standard_normal()
        done.append(Observation(values=point, outcomes={"q": value}, stds={"q": 0.02}))
    best = recommend(space, BEST, done, settings=planner.settings)
    return truth(best.values), done


@pytest.mark.slow
def test_simulations_find_the_top_at_a_cost_at_which_experiments_alone_do_not():
    seeds = range(3, 6)
    ours = [spend(SETTINGS, BOTH, 240, seed) for seed in seeds]
    alone = [spend({}, SQUARE, 240, seed) for seed in seeds]
    assert np.mean([top for top, _ in ours]) > np.mean([top for top, _ in alone]) + 0.1
    for _, done in ours:
        simulated = sum(o.values["how"] == "simulation" for o in done)
        assert 2 < simulated < len(done)


def test_recommended_recipe_stands_at_the_target():
    done = [
        Observation(values={**p, "how": how}, outcomes={"q": told({**p, "how": how})})
        for p in draw_uniform(SQUARE, 10, rng=np.random.default_rng(0))
        for how in ("simulation", "experiment")
    ]
    settings = make(SETTINGS).settings
    best = recommend(BOTH, BEST, done, settings=settings)
    assert best.values["how"] == "experiment"
    assert best.utility == pytest.approx(max(truth(o.values) for o in done), abs=0.1)


def test_measurement_at_the_target_tells_all_and_another_one_less():
    observations = [
        Observation(
            values={**p, "how": how}, outcomes={"q": told({**p, "how": how})}, stds={"q": 1e-4}
        )
        for p in draw_uniform(SQUARE, 8, rng=np.random.default_rng(0))
        for how in ("simulation", "experiment")
    ]
    encoding = Encoding(BOTH)
    surrogates = {"q": fit_quantity(encoding, "q", observations)}
    asked = [{"x": 0.95, "y": 0.05, "how": how} for how in ("experiment", "simulation")]
    x = encoding.encode(asked)
    target = Fidelity(name="how", target="experiment").at_target(encoding, x)
    share = told_share(surrogates, x, target)["q"]
    assert share[0] == pytest.approx(1.0, abs=1e-3)
    assert 0.02 < share[1] < 0.98


def test_first_experiments_alternate_between_the_ends_of_the_fidelity():
    space = SearchSpace(
        parameters=(
            ContinuousParameter(name="x", low=0, high=1),
            ContinuousParameter(name="count_time", low=1, high=60, log=True, unit="s"),
        )
    )
    planner = make({"fidelity": {"name": "count_time", "target": 60.0}})
    first = planner.propose(space, BEST, observations=[], n=3, rng=np.random.default_rng(0))
    assert [p.values["count_time"] for p in first] == [60.0, 1.0, 60.0]


def test_short_counts_are_taken_first_where_time_has_a_price():
    space = SearchSpace(
        parameters=(
            ContinuousParameter(name="x", low=0, high=1),
            ContinuousParameter(name="count_time", low=1, high=60, log=True, unit="s"),
        )
    )
    planner = make(
        {
            "fidelity": {"name": "count_time", "target": 60.0},
            "cost": {"base": 0.1, "per_unit": {"count_time": 1.0}},
        }
    )
    rng = np.random.default_rng(0)
    done = []
    for i in range(16):
        point = planner.propose(space, BEST, observations=done, rng=np.random.default_rng(i))[
            0
        ].values
        std = 0.1 / np.sqrt(point["count_time"])
        value = -((point["x"] - 0.63) ** 2) + std * rng.standard_normal()
        done.append(Observation(values=point, outcomes={"q": value}, stds={"q": std}))
    times = [o.values["count_time"] for o in done[3:]]
    assert np.median(times) < 10
    best = recommend(space, BEST, done, settings=planner.settings)
    # a scan of 1 s hides a plateau of radius sqrt(0.1) = 0.3; many of them tell more
    assert best.values["x"] == pytest.approx(0.63, abs=0.15)
    assert best.values["count_time"] == 60.0


@pytest.mark.parametrize(
    ("fidelity", "sentence"),
    [
        ({"name": "time", "target": 1.0}, "no name of the space"),
        ({"name": "how", "target": "guess"}, "cannot be set"),
    ],
)
def test_fidelity_that_the_space_lacks_is_refused(fidelity, sentence):
    with pytest.raises(UnsupportedSpace, match=sentence):
        make({"fidelity": fidelity}).propose(
            BOTH, BEST, observations=[], rng=np.random.default_rng(0)
        )


def test_fidelity_with_input_errors_or_a_front_is_refused():
    stray = BEST.model_copy(update={"input_errors": {"x": 0.1}})
    front = Objective(
        targets=(Target(quantity="q", goal="maximize"), Target(quantity="r", goal="maximize")),
        combine="front",
    )
    for objective in (stray, front):
        with pytest.raises(UnsupportedSpace, match=r"[Rr]emove `?fidelity"):
            make(SETTINGS).propose(BOTH, objective, observations=[], rng=np.random.default_rng(0))


def test_reason_says_that_the_target_is_asked_about():
    _, done = spend(SETTINGS, BOTH, 60, 0)
    while len(done) < 6:
        done.append(done[-1])
    proposal = make(SETTINGS).propose(BOTH, BEST, observations=done, rng=np.random.default_rng(0))[
        0
    ]
    assert "about the best at how = experiment" in proposal.reason.text
    assert proposal.reason.acquisition == "log_EI_at_target_per_cost"
