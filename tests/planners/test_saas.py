"""The sampler draws from what it is given; the sparse process finds the names that matter."""

import numpy as np
import pytest

from planners.bayesian.nuts import sample
from planners.bayesian.saas import SaasDensity, fit_saas


def few_of_many(rng, n=40, d=20):
    x = rng.random((n, d))
    y = np.sin(5 * x[:, 3]) + 1.5 * (x[:, 11] - 0.5) ** 2
    return x, (y - y.mean()) / y.std()


def density_of(rng, n=15, d=4, stated=False):
    x, y = rng.random((n, d)), rng.standard_normal(n)
    known = np.full(n, 0.02) if stated else np.full(n, np.nan)
    return SaasDensity(x, y, known, np.zeros(n), np.array([0, 1, 2, 2]))


def test_draws_from_a_correlated_gaussian_have_its_mean_and_covariance():
    covariance = np.array([[4.0, 1.2, 0.0], [1.2, 1.0, -0.2], [0.0, -0.2, 0.25]])
    centre = np.array([1.0, -2.0, 0.5])
    precision = np.linalg.inv(covariance)

    def density(q):
        slope = precision @ (q - centre)
        return 0.5 * float((q - centre) @ slope), slope

    draws = sample(density, np.zeros(3), n_warmup=300, n_samples=4000, rng=np.random.default_rng(1))
    std = np.sqrt(np.diag(covariance))
    # some thousand effective draws: the mean is known to about 0.03 std
    assert np.allclose((draws.mean(axis=0) - centre) / std, 0.0, atol=0.1)
    assert np.allclose(
        np.cov(draws.T) / np.outer(std, std), covariance / np.outer(std, std), atol=0.12
    )


def test_draws_of_the_logarithm_of_a_half_cauchy_have_its_quartiles():
    draws = sample(
        lambda u: (float(np.logaddexp(u, -u).sum()), np.tanh(u)),
        np.zeros(1),
        n_warmup=300,
        n_samples=6000,
        rng=np.random.default_rng(2),
    )
    # quartiles of a half-Cauchy: tan(π/8), 1, tan(3π/8)
    assert np.quantile(draws, [0.25, 0.5, 0.75]) == pytest.approx([-0.881, 0.0, 0.881], abs=0.1)


def test_a_chain_refuses_to_start_where_the_density_is_not_finite():
    with pytest.raises(ValueError, match="start at a point of finite density"):
        sample(
            lambda q: (np.inf, q),
            np.zeros(2),
            n_warmup=1,
            n_samples=1,
            rng=np.random.default_rng(0),
        )


@pytest.mark.parametrize("stated", [False, True])
def test_the_gradient_of_the_posterior_equals_finite_differences(stated):
    rng = np.random.default_rng(3)
    density = density_of(rng, stated=stated)
    theta = density.start + 0.3 * rng.standard_normal(len(density.start))
    _, gradient = density.loss(theta)
    step = 1e-6
    for i in range(len(theta)):
        moved = np.eye(len(theta))[i] * step
        slope = (density.loss(theta + moved)[0] - density.loss(theta - moved)[0]) / (2 * step)
        assert slope == pytest.approx(gradient[i], rel=1e-4, abs=1e-5)


def test_two_of_twenty_names_are_found_to_matter():
    rng = np.random.default_rng(4)
    x, y = few_of_many(rng)
    processes = fit_saas(
        x, y, np.full(len(y), np.nan), np.zeros(len(y)), groups=np.arange(20), rng=rng
    )
    lengths = np.median([p.parameters.lengths for p in processes], axis=0)
    assert set(np.argsort(lengths)[:2]) == {3, 11}
    assert np.sort(lengths)[2] > 5 * np.sort(lengths)[1]


def test_ninety_percent_intervals_hold_about_ninety_percent_of_unseen_values():
    rng = np.random.default_rng(5)
    x, y = few_of_many(rng, n=140)
    noisy = y + 0.1 * rng.standard_normal(len(y))
    processes = fit_saas(
        x[:40], noisy[:40], np.full(40, 0.01), np.zeros(40), groups=np.arange(20), rng=rng
    )
    told = [p.predict(x[40:]) for p in processes]
    draws = np.concatenate([m + s * rng.standard_normal((50, len(m))) for m, s in told])
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    covered = np.mean((y[40:] > low) & (y[40:] < high))
    # 100 values of one function are far from independent
    assert 0.75 <= covered <= 1.0
    root_mean_square = np.sqrt(np.mean((draws.mean(axis=0) - y[40:]) ** 2))
    assert root_mean_square < 0.3


def test_the_same_generator_gives_the_same_processes_bit_for_bit():
    x, y = few_of_many(np.random.default_rng(6), n=12)
    a, b = (
        fit_saas(
            x,
            y,
            np.full(12, np.nan),
            np.zeros(12),
            groups=np.arange(20),
            rng=np.random.default_rng(7),
        )
        for _ in range(2)
    )
    assert len(a) == 16
    for p, q in zip(a, b, strict=True):
        assert np.array_equal(p.parameters.lengths, q.parameters.lengths)
