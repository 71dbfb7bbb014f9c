"""Trees where a Gaussian process fits badly, and weights by what each foretells."""

import numpy as np
import pytest

from planners.bayesian.forest import grow
from planners.bayesian.gaussian_process import fit
from planners.bayesian.weighing import (
    Mixture,
    constant_log_densities,
    foretells_well,
    log_densities,
    weighed,
)

BOTH = ("process", "forest")


def table_of(function, rng, n=60, d=4):
    x = rng.random((n, d))
    y = function(x)
    return x, (y - y.mean()) / y.std()


def process_of(x, y):
    n = len(y)
    return fit(x, y, np.full(n, np.nan), np.zeros(n), groups=np.arange(x.shape[1]))


def forest_of(x, y, seed=0):
    return grow(x, y, np.ones(len(y)), rng=np.random.default_rng(seed))


def smooth(x):
    return np.sin(4 * x[:, 0]) + x[:, 1] ** 2


def rough(x):
    # a high plateau in one corner: steep edges, and flat elsewhere
    return np.exp(3.0 * ((x[:, 0] > 0.62) & (x[:, 1] > 0.35) & (x[:, 2] > 0.4)))


def test_a_forest_follows_steps_that_a_mean_does_not():
    rng = np.random.default_rng(1)
    x, y = table_of(rough, rng, n=200)
    forest = forest_of(x[:150], y[:150])
    mean, std = forest.predict(x[150:])
    assert np.sqrt(np.mean((mean - y[150:]) ** 2)) < 0.6  # the spread of y is 1
    assert np.mean(np.abs(mean - y[150:]) < 1.645 * std) > 0.85


def test_a_forest_does_not_look_at_the_scale_of_a_column():
    x, y = table_of(smooth, np.random.default_rng(2))
    stretched = x * np.array([1.0, 8.0, 2.0, 4.0])  # powers of two, so that rounding is the same
    a, _ = forest_of(x, y).predict(x)
    b, _ = forest_of(stretched, y).predict(stretched)
    assert np.array_equal(a, b)


def test_every_row_is_judged_by_trees_that_have_not_seen_it():
    rng = np.random.default_rng(3)
    x, noise = table_of(lambda x: rng.standard_normal(len(x)), rng, n=80)
    forest = forest_of(x, noise)
    inside, _ = forest.predict(x)
    outside, _ = forest.leave_one_out()
    # nothing can be foretold of noise, but what was seen is remembered
    assert np.corrcoef(inside, noise)[0, 1] > 0.5
    assert np.corrcoef(outside, noise)[0, 1] < 0.3


def test_the_covariance_of_a_forest_has_its_variances_on_the_diagonal():
    x, y = table_of(smooth, np.random.default_rng(4))
    forest = forest_of(x, y)
    points = np.random.default_rng(5).random((9, 4))
    mean, std = forest.predict(points)
    joint_mean, covariance = forest.joint(points)
    assert joint_mean == pytest.approx(mean)
    assert np.sqrt(np.diag(covariance)) == pytest.approx(std)
    assert np.linalg.eigvalsh(covariance).min() > -1e-12


def test_what_is_under_way_makes_a_forest_surer_there_and_moves_no_mean():
    x, y = table_of(smooth, np.random.default_rng(6))
    forest = forest_of(x, y)
    there = np.full((1, 4), 0.3)
    believed = forest.believing(there)
    before, after = forest.predict(there), believed.predict(there)
    assert after[0] == before[0]
    assert after[1] < 0.1 * before[1]


def test_an_outcome_known_badly_weighs_less_in_a_forest():
    x = np.array([[0.1], [0.11], [0.9], [0.91]])
    y = np.array([1.0, -1.0, 0.0, 0.0])
    sure_of_first = grow(
        np.repeat(x, 10, axis=0),
        np.repeat(y, 10),
        np.tile(np.repeat([1.0, 0.05, 1.0, 1.0], 10), 1),
        rng=np.random.default_rng(7),
    )
    assert sure_of_first.predict(np.array([[0.105]]))[0] > 0.5


def test_a_smooth_table_goes_to_the_process_and_a_rough_one_to_the_forest():
    rng = np.random.default_rng(8)
    x, y = table_of(smooth, rng)
    assert weighed([process_of(x, y), forest_of(x, y)], BOTH).weights[0] > 0.9
    x, y = table_of(rough, rng, n=100)
    assert weighed([process_of(x, y), forest_of(x, y)], BOTH).weights[1] > 0.6


def test_weights_need_evidence():
    x, y = table_of(smooth, np.random.default_rng(9), n=4)
    few = weighed([process_of(x, y), forest_of(x, y)], BOTH).weights
    assert few.sum() == pytest.approx(1.0)
    assert few.min() > 0.15


def test_a_process_foretells_a_smooth_table_well_and_noise_badly():
    rng = np.random.default_rng(10)
    x, y = table_of(smooth, rng, n=30)
    assert foretells_well(process_of(x, y))
    for _ in range(10):
        x, y = table_of(lambda x: rng.standard_normal(len(x)), rng, n=30)
        assert not foretells_well(process_of(x, y))


def test_the_densities_of_a_constant_equal_those_computed_one_by_one():
    y = np.random.default_rng(11).standard_normal(7)
    for i, told in enumerate(constant_log_densities(y)):
        others = np.delete(y, i)
        variance = others.var(ddof=1) * (1 + 1 / len(others))
        z2 = (y[i] - others.mean()) ** 2 / variance
        assert told == pytest.approx(-0.5 * (z2 + np.log(2 * np.pi * variance)))


def test_the_moments_of_a_mixture_equal_those_of_draws():
    rng = np.random.default_rng(12)
    x, y = table_of(smooth, rng, n=12)
    mixture = Mixture((process_of(x, y), forest_of(x, y)), np.array([0.3, 0.7]), BOTH)
    points = rng.random((3, 4))
    which = rng.random(200_000) < 0.3
    (m0, s0), (m1, s1) = (m.predict(points) for m in mixture.members)
    z = rng.standard_normal((len(which), 3))
    draws = np.where(which[:, None], m0 + s0 * z, m1 + s1 * z)
    mean, std = mixture.predict(points)
    assert mean == pytest.approx(draws.mean(axis=0), abs=0.01)
    assert std == pytest.approx(draws.std(axis=0), rel=0.02)
    joint_mean, covariance = mixture.joint(points)
    assert joint_mean == pytest.approx(mean)
    assert np.sqrt(np.diag(covariance)) == pytest.approx(std, rel=1e-6)
    assert log_densities(mixture).shape == y.shape
    assert (mixture.believing(points).predict(points)[1] < std).all()
