"""The trust region is told by the observations alone."""

import itertools

import numpy as np
import pytest

from planners.bayesian.trust_region import (
    SIDE_FIRST,
    SIDE_LARGEST,
    SIDE_LEAST,
    box_around,
    perturbations,
    replay,
)

NONE = np.zeros(3, dtype=bool)


def stands(utilities, n_columns=3, n_initial=2):
    return replay(utilities, n_columns=n_columns, n_initial=n_initial)


def test_three_improvements_in_a_row_double_the_side_up_to_its_limit():
    assert stands([0.0, 1.0, 2.0, 3.0]).side == SIDE_FIRST
    assert stands([0.0, 1.0, 2.0, 3.0, 4.0]).side == 2 * SIDE_FIRST
    assert stands(list(range(30))).side == SIDE_LARGEST


def test_as_many_failures_as_columns_halve_the_side():
    flat = [1.0, 0.5] + [0.0] * 3
    assert stands(flat).side == SIDE_FIRST
    assert stands([*flat, 0.0]).side == SIDE_FIRST / 2
    assert stands([*flat, 0.0], n_columns=6).side == SIDE_FIRST


def test_a_failed_experiment_counts_as_no_improvement():
    assert stands([1.0, 0.5, None, None, None, None]).side == SIDE_FIRST / 2


def test_the_initial_experiments_neither_grow_nor_shrink_the_box():
    assert stands([0.0] * 8, n_initial=8).side == SIDE_FIRST


def test_an_improvement_within_the_noise_of_rounding_does_not_count():
    rising = [0.0, 1.0] + [1.0 + 1e-9 * k for k in range(1, 5)]
    assert stands(rising).side == SIDE_FIRST / 2


def test_a_box_that_became_too_small_starts_anew_and_forgets_the_past():
    n_halvings = int(np.ceil(np.log2(SIDE_FIRST / SIDE_LEAST)))
    utilities = [5.0, 0.0] + [0.0] * (4 * n_halvings)
    after = stands(utilities)
    assert after.n_restarts == 1
    assert after.since == len(utilities)
    assert after.side == SIDE_FIRST
    assert after.best is None
    later = stands([*utilities, 1.0, 2.0])
    assert later.best == len(utilities) + 1
    assert later.side == SIDE_FIRST


def test_the_replay_depends_on_the_observations_alone_and_carries_on_where_it_stood():
    rng = np.random.default_rng(0)
    utilities = list(-0.01 * np.arange(200) + rng.standard_normal(200))
    whole = [stands(utilities[:k]) for k in range(len(utilities))]
    again = [stands(utilities[:k]) for k in reversed(range(len(utilities)))][::-1]
    assert whole == again
    # one more experiment changes the side by one doubling, one halving, or a restart
    for before, after in itertools.pairwise(whole):
        restarted = after.n_restarts == before.n_restarts + 1
        assert restarted or after.since == before.since
        assert restarted or after.side / before.side in (0.5, 1.0, 2.0)
    assert whole[-1].n_restarts > 0


def test_scaling_the_outcome_changes_nothing():
    rng = np.random.default_rng(1)
    utilities = rng.standard_normal(150)
    assert stands(list(utilities)) == stands(list(7.0 * utilities))


def test_the_box_is_longer_where_the_outcome_varies_slowly_and_keeps_its_volume():
    centre, lengths = np.full(3, 0.5), np.array([0.5, 1.0, 2.0])
    box = box_around(centre, lengths, 0.2, whole=NONE)
    sides = box.upper - box.lower
    assert sides == pytest.approx([0.1, 0.2, 0.4])
    assert np.prod(sides) == pytest.approx(0.2**3)


def test_the_box_stays_in_the_cube_and_spans_categories_wholly():
    whole = np.array([False, True, False])
    box = box_around(np.array([0.0, 1.0, 0.95]), np.ones(3), 0.4, whole=whole)
    assert box.lower == pytest.approx([0.0, 0.0, 0.75])
    assert box.upper == pytest.approx([0.2, 1.0, 1.0])


def test_candidates_lie_in_the_box_and_differ_from_its_centre_in_about_twenty_columns():
    d = 80
    fixed = np.zeros(d, dtype=bool)
    fixed[-1] = True
    box = box_around(np.full(d, 0.5), np.ones(d), 0.3, whole=np.zeros(d, dtype=bool))
    x = perturbations(box, rng=np.random.default_rng(2), n=500, fixed=fixed)
    moved = (x != box.centre).sum(axis=1)
    assert x.shape == (500, d)
    assert box.contains(x).all()
    assert moved.min() >= 1
    assert 17 <= moved.mean() <= 23
    assert (x[:, -1] == 0.5).all()


def test_the_same_generator_gives_the_same_candidates():
    box = box_around(np.full(3, 0.5), np.ones(3), 0.3, whole=NONE)
    a, b = (perturbations(box, rng=np.random.default_rng(3), fixed=NONE) for _ in range(2))
    assert np.array_equal(a, b)
    assert len(a) == 300
