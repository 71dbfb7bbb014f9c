"""How a quantity runs over the whole space: small errors everywhere, not sure corners."""

import numpy as np
import pytest

from planners import Objective, Observation, Proposal, Reason, SearchSpace, Target
from planners.baselines import make_sobol
from planners.bayesian import make
from planners.bayesian.goals.exploration import error_weights, variance_gain
from planners.bayesian.goals.posterior import cross_covariance, measured_variance
from planners.bayesian.surrogate import fit_quantity
from planners.encoding import Encoding
from planners.parameters import ContinuousParameter
from planners.sampling import draw_uniform
from tests.planners.goals.playing import MESH, SQUARE, STD, believed, measured, play

MAP = Objective(targets=(Target(quantity="q", goal="explore", unit="eV"),))


def steep_front(p):
    return float(np.tanh(12 * (p["x"] - 0.35)) + 0.3 * np.sin(4 * p["y"]))


def narrow_hills(p):
    hill = 1.5 * np.exp(-((p["x"] - 0.75) ** 2 + (p["y"] - 0.3) ** 2) / 0.017)
    pit = np.exp(-(((p["x"] - 0.5) / 0.1) ** 2) - ((p["y"] - 0.85) / 0.1) ** 2)
    return float(0.4 * p["x"] + hill - pit)


def some(n, seed=0):
    points = draw_uniform(SQUARE, n, rng=np.random.default_rng(seed))
    return [measured(p, steep_front) for p in points]


class MostUncertain:
    """Uncertainty sampling: where the surrogate's standard deviation is largest."""

    name = "most_uncertain"

    def propose(self, space, objective, *, observations, pending=(), n=1, rng):
        if len(observations) < 10:
            return make({}).propose(space, objective, observations=observations, rng=rng)
        encoding = Encoding(space)
        points = draw_uniform(space, 1000, rng=rng)
        surrogate = fit_quantity(encoding, "q", observations)
        std = surrogate.predict(encoding.encode(points))[1]
        best = points[int(np.argmax(std))]
        return [Proposal(values=best, reason=Reason(planner=self.name, text="least known"))]


def test_foretold_fall_of_the_variance_is_what_a_measurement_brings():
    observations = some(8)
    encoding = Encoding(SQUARE)
    surrogate = fit_quantity(encoding, "q", observations)
    references = encoding.encode(MESH)
    x = np.array([[0.4, 0.6]])
    gain = variance_gain(
        cross_covariance(surrogate, x, references),
        measured_variance(surrogate, x),
        np.ones(len(references)),
    )
    before = surrogate.predict(references)[1]
    after = surrogate.believing(x).predict(references)[1]
    # the belief adds a jitter of 1e-6 to the noise
    assert gain[0] == pytest.approx(np.mean(before**2) - np.mean(after**2), rel=1e-3)


def test_corner_tells_less_about_the_space_than_a_point_inside():
    middle = [{"x": 0.5, "y": 0.5}, {"x": 0.45, "y": 0.5}, {"x": 0.5, "y": 0.55}]
    surrogate = fit_quantity(Encoding(SQUARE), "q", [measured(p, steep_front) for p in middle])
    references = Encoding(SQUARE).encode(MESH)
    x = np.array([[0.0, 0.0], [0.2, 0.2]])
    gain = variance_gain(
        cross_covariance(surrogate, x, references),
        measured_variance(surrogate, x),
        np.ones(len(references)),
    )
    assert surrogate.predict(x)[1][0] > surrogate.predict(x)[1][1]
    assert gain[0] < gain[1]


def test_weights_are_high_where_the_model_errs():
    line = SearchSpace(parameters=(ContinuousParameter(name="x", low=0, high=1),))
    grid = np.linspace(0, 1, 12)
    values = np.where(grid > 0.7, np.sin(60 * grid), 0.1 * grid)
    observations = [
        Observation(values={"x": float(x)}, outcomes={"q": float(v)}, stds={"q": STD})
        for x, v in zip(grid, values, strict=True)
    ]
    surrogate = fit_quantity(Encoding(line), "q", observations)
    calm, rough = error_weights(surrogate, np.array([[0.2], [0.9]]))
    assert rough > 3 * calm


@pytest.mark.parametrize("truth", [steep_front, narrow_hills])
def test_uneven_function_is_learnt_better_than_by_filling_or_by_uncertainty(truth):
    values = np.array([truth(p) for p in MESH])

    def error(planner, seed):
        done = play(planner, SQUARE, MAP, truth, 25, seed=seed)
        return np.sqrt(np.mean((believed(SQUARE, done, MESH) - values) ** 2))

    seeds = range(4)
    ours = np.mean([error(make({"seed": s}), s) for s in seeds])
    assert ours < 0.95 * np.mean([error(make_sobol({"seed": s}), s) for s in seeds])
    assert ours < 0.95 * np.mean([error(MostUncertain(), s) for s in seeds])


def test_reason_tells_how_well_the_space_is_known():
    reason = (
        make({}).propose(SQUARE, MAP, observations=some(12), rng=np.random.default_rng(0))[0].reason
    )
    assert reason.acquisition == "log_IVR"
    assert "over the whole space, which is known to ±" in reason.text
    assert reason.model["q.root_mean_variance"] > 0


def test_points_under_way_are_not_explored_twice():
    first, second = make({}).propose(
        SQUARE, MAP, observations=some(12), n=2, rng=np.random.default_rng(0)
    )
    apart = np.hypot(*(first.values[n] - second.values[n] for n in ("x", "y")))
    assert apart > 0.1
