"""The small Gaussian process: its gradient, its limits, and that BoTorch agrees."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planners import ContinuousParameter, Observation, SearchSpace
from planners.bayesian.gaussian_process import _Problem, fit
from planners.bayesian.surrogate import fit_quantity, learnt
from planners.encoding import Encoding

SPACE = SearchSpace(
    parameters=(
        ContinuousParameter(name="x", low=0, high=10),
        ContinuousParameter(name="idle", low=0, high=1),
    )
)
ENCODING = Encoding(SPACE)


def table(n, *, noise=0.0, std=None, p_wrong=0.0, seed=0):
    rng = np.random.default_rng(seed)
    observations = []
    for x, idle in rng.random((n, 2)):
        value = float(np.sin(5 * x) + noise * rng.standard_normal())
        stds = {} if std is None else {"y": std}
        values = {"x": 10 * x, "idle": idle}
        observations.append(
            Observation(values=values, outcomes={"y": value}, stds=stds, p_wrong=p_wrong)
        )
    return observations


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.5, 1.0]))
def test_gradient_of_the_posterior_is_exact(seed, share_known):
    rng = np.random.default_rng(seed)
    x, y = rng.random((9, 4)), rng.standard_normal(9)
    known = np.where(rng.random(9) < share_known, 0.05, np.nan)
    problem = _Problem(x, y, known, rng.random(9), np.array([0, 1, 1, 2]))
    theta = problem.start(0.2) + 0.3 * rng.standard_normal(len(problem.bounds))
    _, gradient = problem.loss(theta)
    step = 1e-5
    for i, slope in enumerate(gradient):
        nudge = step * np.eye(len(theta))[i]
        numeric = (problem.loss(theta + nudge)[0] - problem.loss(theta - nudge)[0]) / (2 * step)
        assert slope == pytest.approx(numeric, rel=1e-4, abs=1e-5)


def test_exact_values_are_interpolated_and_uncertainty_grows_between():
    observations = table(8, std=0.0)
    surrogate = fit_quantity(ENCODING, "y", observations)
    x = ENCODING.encode([o.values for o in observations])
    mean, std = surrogate.predict(x)
    assert mean == pytest.approx([o.outcomes["y"] for o in observations], abs=1e-3)
    far = surrogate.predict(np.array([[0.5, 5.0]]))[1]
    assert far[0] > 10 * std.max()


def test_length_scale_tells_the_name_that_matters():
    model = learnt(ENCODING, {"y": fit_quantity(ENCODING, "y", table(25))})
    assert model["y.length_scale.idle"] > 3 * model["y.length_scale.x"]


def test_inferred_noise_is_the_noise_that_was_added():
    model = learnt(ENCODING, {"y": fit_quantity(ENCODING, "y", table(120, noise=0.2))})
    # the spread of a standard deviation from 120 values is 7 %; smoothing takes a few of them
    assert model["y.noise_std"] == pytest.approx(0.2, rel=0.25)


def test_mean_of_replicates_narrows_as_statistics_say():
    at = {"x": 5.0, "idle": 0.5}
    rng = np.random.default_rng(0)
    values = 3 + 0.5 * rng.standard_normal(25)
    observations = [
        Observation(values=at, outcomes={"y": float(v)}, stds={"y": 0.5}) for v in values
    ]
    mean, std = fit_quantity(ENCODING, "y", observations).predict(ENCODING.encode([at]))
    assert mean[0] == pytest.approx(values.mean(), abs=0.05)
    assert std[0] == pytest.approx(0.5 / 5, rel=0.15)  # the prior takes a little


def test_stated_error_bar_is_a_standard_deviation_not_a_variance():
    # two values on one spot, the sharp one ten times sharper: weights go as 1 / std squared
    at = {"x": 5.0, "idle": 0.5}
    pair = [
        Observation(values=at, outcomes={"y": 0.0}, stds={"y": 0.1}),
        Observation(values=at, outcomes={"y": 1.0}, stds={"y": 1.0}),
    ]
    mean, _ = fit_quantity(ENCODING, "y", pair + table(6, std=0.1)).predict(ENCODING.encode([at]))
    alone, _ = fit_quantity(ENCODING, "y", pair[:1] + table(6, std=0.1)).predict(
        ENCODING.encode([at])
    )
    assert mean[0] - alone[0] == pytest.approx(0.01, abs=0.01)


def test_value_without_error_bar_shares_the_inferred_noise_beside_stated_ones():
    mixed = table(10, std=0.01) + table(10, noise=0.3, seed=1)
    surrogate = fit_quantity(ENCODING, "y", mixed)
    variances = surrogate.process.variances * surrogate.scale**2
    assert variances[:10] == pytest.approx(0.01**2, rel=0.05)
    assert np.ptp(variances[10:]) == 0
    assert variances[10] > 0.1**2


def test_analysis_that_is_surely_wrong_says_nothing():
    good = table(12, std=0.05)
    wild = Observation(
        values={"x": 5.0, "idle": 0.5}, outcomes={"y": 9.0}, stds={"y": 0.05}, p_wrong=1.0
    )
    x = ENCODING.encode([{"x": 5.0, "idle": 0.5}])
    without, _ = fit_quantity(ENCODING, "y", good).predict(x)
    carried, _ = fit_quantity(ENCODING, "y", [*good, wild]).predict(x)
    believed, _ = fit_quantity(
        ENCODING, "y", [*good, wild.model_copy(update={"p_wrong": 0.0})]
    ).predict(x)
    assert carried[0] == pytest.approx(without[0], abs=0.05)
    assert believed[0] > without[0] + 1


def test_doubt_widens_step_by_step():
    x = ENCODING.encode([{"x": 5.0, "idle": 0.5}])
    widths = [
        fit_quantity(ENCODING, "y", table(12, std=0.05, p_wrong=p)).predict(x)[1][0]
        for p in (0.0, 0.2, 0.6)
    ]
    assert widths[0] < widths[1] < widths[2]


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_unit_of_the_quantity_does_not_change_the_prediction(scale):
    plain = fit_quantity(ENCODING, "y", table(10))
    scaled = [
        o.model_copy(update={"outcomes": {"y": scale * o.outcomes["y"] + 5 * scale}})
        for o in table(10)
    ]
    x = np.random.default_rng(3).random((4, 2))
    mean, std = fit_quantity(ENCODING, "y", scaled).predict(x)
    assert mean / scale - 5 == pytest.approx(plain.predict(x)[0], abs=1e-4)
    assert std / scale == pytest.approx(plain.predict(x)[1], rel=1e-3)


def test_botorch_gives_the_same_posterior():
    import torch

    from planners.bayesian.acquisition import to_botorch

    surrogate = fit_quantity(ENCODING, "y", table(15, noise=0.1))
    x = np.random.default_rng(1).random((20, 2))
    posterior = to_botorch(surrogate).posterior(torch.as_tensor(x))
    mean, std = surrogate.process.predict(x)
    assert posterior.mean.numpy()[:, 0] == pytest.approx(mean, abs=1e-6)
    assert posterior.variance.sqrt().numpy()[:, 0] == pytest.approx(std, abs=1e-5)


def test_fit_of_two_points_is_finite():
    process = fit(
        np.array([[0.0], [1.0]]),
        np.array([-1.0, 1.0]),
        np.full(2, np.nan),
        np.zeros(2),
        groups=np.array([0]),
    )
    assert np.isfinite(process.predict(np.array([[0.5]]))).all()
