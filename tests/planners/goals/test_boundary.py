"""Where a quantity crosses a level: few misclassified points over the whole space."""

import csv

import numpy as np
import pytest
from scipy.stats import norm

from planners import CandidateList, Objective, SearchSpace, Target
from planners.baselines import make_random, make_sobol
from planners.bayesian import make
from planners.bayesian.goals.boundary import (
    chance_above,
    expected_misclassified,
    misclassification_gain,
    misclassified_share,
    sign_entropy,
    straddle,
)
from planners.encoding import Encoding
from planners.finite import table_of
from tests.instruments.shared_data import data_set
from tests.planners.goals.playing import MESH, SQUARE, believed, play

LEVEL = 0.4
BORDER = Objective(targets=(Target(quantity="q", goal="boundary", value=LEVEL),))


def two_hills(p):
    high = np.exp(-8 * ((p["x"] - 0.3) ** 2 + (p["y"] - 0.6) ** 2))
    return float(high + 0.6 * np.exp(-30 * ((p["x"] - 0.8) ** 2 + (p["y"] - 0.2) ** 2)))


def test_straddle_prefers_open_signs_and_ignorance():
    worth = straddle(np.array([0.4, 0.4, 1.4]), np.array([0.1, 0.2, 0.2]), level=LEVEL)
    assert worth[1] > worth[0] > worth[2]
    assert worth[0] == pytest.approx(0.196)


def test_sign_is_worth_one_bit_on_the_level_and_nothing_far_away():
    bits = sign_entropy(np.array([0.4, 9.0]), np.array([0.1, 0.1]), level=LEVEL)
    assert bits == pytest.approx([1.0, 0.0])
    assert chance_above(np.array([0.5]), np.array([0.1]), level=LEVEL)[0] == pytest.approx(
        norm.cdf(1.0)
    )


def test_noise_free_measurement_settles_its_own_point():
    mean, std = np.array([0.45, 0.2]), np.array([0.1, 0.1])
    covariance = np.array([[0.01, 0.0]])  # of the first reference with itself
    gain = misclassification_gain(mean, std, covariance, np.array([0.01]), level=LEVEL)
    alone = norm.cdf(-0.5) / 2  # its chance of a wrong side, one reference of two
    assert gain[0] == pytest.approx(alone, rel=1e-6)
    assert expected_misclassified(mean, std, level=LEVEL) == pytest.approx(
        (norm.cdf(-0.5) + norm.cdf(-2.0)) / 2
    )


def test_gain_agrees_with_simulated_measurements():
    rng = np.random.default_rng(0)
    mean, std = np.array([0.42, 0.3, 0.9]), np.array([0.1, 0.2, 0.3])
    covariance, variance = np.array([[0.006, 0.015, 0.02]]), np.array([0.03])
    z = rng.standard_normal(200_000)
    shift = covariance[0] / np.sqrt(variance[0])
    left = np.sqrt(std**2 - shift**2)
    after = norm.cdf(-np.abs(mean - LEVEL + z[:, None] * shift) / left).mean()
    gain = misclassification_gain(mean, std, covariance, variance, level=LEVEL)[0]
    # eight nodes over a bent function; the simulation's own error is below 0.0005
    assert gain == pytest.approx(expected_misclassified(mean, std, level=LEVEL) - after, abs=0.003)


def test_border_of_two_islands_is_mapped_better_than_by_filling_the_space():
    truth = [two_hills(p) for p in MESH]

    def wrong(planner, seed):
        done = play(planner, SQUARE, BORDER, two_hills, 25, seed=seed)
        return misclassified_share(believed(SQUARE, done, MESH), truth, level=LEVEL)

    seeds = range(3)
    ours = [wrong(make({"seed": s}), s) for s in seeds]
    sobol = [wrong(make_sobol({"seed": s}), s) for s in seeds]
    chance = [wrong(make_random({}), s) for s in seeds]
    assert np.mean(ours) < 0.5 * min(np.mean(sobol), np.mean(chance))
    assert max(ours) < 0.03  # the smaller island alone is 4 % of the space


def test_reason_tells_what_share_is_expected_on_the_wrong_side():
    done = play(make({}), SQUARE, BORDER, two_hills, 12, seed=0)
    reason = (
        make({}).propose(SQUARE, BORDER, observations=done, rng=np.random.default_rng(0))[0].reason
    )
    assert reason.acquisition == "log_SUR"
    assert "crosses 0.4" in reason.text
    assert "expected on the wrong side" in reason.text
    assert 0 < reason.model["q.expected_misclassified"] < 0.5


def test_liquidus_of_al_si_zn_is_sorted_by_half_the_errors_of_chance():
    path = data_set("planner/nimo") / "al-si-zn_352.csv"
    with path.open() as file:
        rows = [[float(v) for v in row] for row in list(csv.reader(file))[1:]]
    melts = {tuple(row[:3]): row[3] for row in rows}
    space = SearchSpace(candidates=CandidateList(columns=("Al", "Si", "Zn"), rows=tuple(melts)))
    table = table_of(space)
    points = [table.point(i) for i in range(len(table))]
    truth = [melts[row] for row in table.rows]
    objective = Objective(targets=(Target(quantity="q", goal="boundary", value=1200, unit="K"),))

    def wrong(planner, seed):
        done = play(
            planner, space, objective, lambda p: melts[p["Al"], p["Si"], p["Zn"]], 30, seed=seed
        )
        return misclassified_share(believed(space, done, points), truth, level=1200)

    ours = np.mean([wrong(make({"seed": s}), s) for s in range(3)])
    chance = np.mean([wrong(make_random({}), s) for s in range(3)])
    assert Encoding(space).table is not None
    assert ours < 0.5 * chance
