"""What nobody can put in numbers: a hidden utility from which of two was preferred."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from planners import Objective, Observation, PlanningError, Target
from planners.bayesian.goals.pairwise import fit_preferences
from planners.comparing import Comparison, comparisons_of, duels
from planners.conformance import check_planner
from planners.encoding import Encoding
from planners.preference import PreferenceSettings, make, pair_to_compare, preference_model
from planners.sampling import draw_uniform
from tests.planners.goals.playing import SQUARE

TASTE = Objective(targets=(Target(quantity="colour", goal="maximize"),))


def liked(p):
    """The hidden utility: one top at (0.7, 0.35)."""
    return float(np.exp(-((p["x"] - 0.7) ** 2 + (p["y"] - 0.35) ** 2) / 0.15))


def judged(n_samples, n_answers, *, seed, doubt=0.0):
    """Return samples and the answers of somebody who errs by `doubt` in utility."""
    rng = np.random.default_rng(seed)
    points = draw_uniform(SQUARE, n_samples, rng=rng)
    answers = []
    for _ in range(n_answers):
        a, b = (points[i] for i in rng.choice(n_samples, 2, replace=False))
        first = liked(a) - liked(b) + doubt * rng.standard_normal() > 0
        answers.append(Comparison(better=a, worse=b) if first else Comparison(better=b, worse=a))
    return points, answers


def campaign(n, *, seed):
    """Make `n` samples, each compared with the one that the planner names."""
    planner = make({"seed": seed})
    done = []
    for i in range(n):
        proposal = planner.propose(
            SQUARE, TASTE, observations=done, rng=np.random.default_rng([seed, i])
        )[0]
        outcomes = {"made": 1.0}
        if "compare_with" in proposal.reason.model:
            other = int(proposal.reason.model["compare_with"])
            better = liked(proposal.values) > liked(done[other].values)
            outcomes[f"preferred_to:{other}"] = float(better)
        done.append(Observation(values=proposal.values, outcomes=outcomes))
    return done


@pytest.mark.parametrize(("doubt", "agreement"), [(0.0, 0.9), (0.1, 0.8)])
def test_order_of_a_hidden_utility_is_recovered(doubt, agreement):
    points, answers = judged(15, 40, seed=0, doubt=doubt)
    encoding = Encoding(SQUARE)
    mean, _ = preference_model(encoding, answers).predict(encoding.encode(points))
    assert spearmanr(mean, [liked(p) for p in points])[0] > agreement


def test_samples_never_compared_are_placed_by_their_neighbours():
    _, answers = judged(20, 40, seed=1)
    others = draw_uniform(SQUARE, 50, rng=np.random.default_rng(9))
    encoding = Encoding(SQUARE)
    mean, std = preference_model(encoding, answers).predict(encoding.encode(others))
    assert spearmanr(mean, [liked(p) for p in others])[0] > 0.8
    assert std.min() > 0.1


def test_top_is_found_within_fifteen_comparisons():
    found = []
    for seed in range(4):
        done = campaign(16, seed=seed)  # the first sample has none to be compared with
        comparisons = comparisons_of(done)
        assert len(comparisons) == 15
        encoding = Encoding(SQUARE)
        x = encoding.encode([o.values for o in done])
        mean, _ = preference_model(encoding, comparisons).predict(x)
        found.append(liked(done[int(np.argmax(mean))].values))
    # sixteen random samples hold 0.88 at best on average, and nobody would know which it is
    assert np.mean(found) > 0.93
    assert min(found) > 0.88


def test_duels_with_the_leader_find_the_top_by_one_outcome_of_a_fixed_name():
    found = []
    for seed in range(4):
        planner = make({"seed": seed})
        done, leader = [], None
        for i in range(16):
            proposal = planner.propose(
                SQUARE, TASTE, observations=done, rng=np.random.default_rng([seed, i])
            )[0]
            if leader is not None:
                assert proposal.reason.model["compare_with"] == leader
            wins = leader is None or liked(proposal.values) > liked(done[leader].values)
            done.append(Observation(values=proposal.values, outcomes={"colour": float(wins)}))
            leader = len(done) - 1 if wins else leader
        pairs, last = duels(done, "colour")
        assert len(pairs) == 15
        assert last == leader
        found.append(liked(done[leader].values))
    assert np.mean(found) > 0.93
    assert min(found) > 0.88


def test_better_of_two_is_expected_above_either():
    points, answers = judged(8, 12, seed=2)
    encoding = Encoding(SQUARE)
    model = preference_model(encoding, answers)
    x = encoding.encode(points)
    both = model.best_of_two(x[:3], x[3:])
    mean = model.predict(x)[0]
    assert np.all(both >= np.maximum(mean[:3, None], mean[None, 3:]) - 1e-9)
    draws = np.random.default_rng(0).multivariate_normal(mean, model.covariance(x, x), 40_000)
    simulated = np.maximum(draws[:, 0], draws[:, 3]).mean()
    # 40,000 draws of a variable that varies by about 2
    assert both[0, 0] == pytest.approx(simulated, abs=0.05)


def test_mode_of_one_comparison_is_where_prior_and_answer_balance():
    x = np.array([[0.0], [100.0]])  # too far apart to tell of one another
    model = fit_preferences(x, [(0, 1)], groups=np.array([0]))
    mean, _ = model.predict(x)
    margin = mean[0] - mean[1]
    density = np.exp(-0.5 * margin**2) / np.sqrt(2 * np.pi)
    from scipy.special import ndtr

    assert mean[0] == pytest.approx(-mean[1])
    assert mean[0] / model.signal == pytest.approx(density / ndtr(margin), rel=1e-3)


def test_contradictory_answers_leave_both_alike():
    a, b = {"x": 0.1, "y": 0.1}, {"x": 0.9, "y": 0.9}
    answers = [Comparison(better=a, worse=b), Comparison(better=b, worse=a)]
    encoding = Encoding(SQUARE)
    mean, _ = preference_model(encoding, answers).predict(encoding.encode([a, b]))
    assert mean[0] == pytest.approx(mean[1], abs=1e-6)


def test_answers_come_from_outcomes_and_from_settings_and_ties_tell_nothing():
    points = draw_uniform(SQUARE, 3, rng=np.random.default_rng(0))
    outcomes = [
        {"made": 1.0},
        {"preferred_to:0": 1.0},
        {"preferred_to:0": 0.0, "preferred_to:1": 0.5},
    ]
    done = [Observation(values=p, outcomes=told) for p, told in zip(points, outcomes, strict=True)]
    told = comparisons_of(done, [(2, 1)])
    pairs = [(points.index(c.better), points.index(c.worse)) for c in told]
    assert pairs == [(1, 0), (0, 2), (2, 1)]


@pytest.mark.parametrize(
    ("outcomes", "stated", "sentence"),
    [
        ({"preferred_to:7": 1.0}, (), "there are 1, counted from 0"),
        ({"preferred_to:zero": 1.0}, (), "index of another observation"),
        ({"made": 1.0}, ((0, 0),), "compared with itself"),
    ],
)
def test_answers_about_nothing_are_refused(outcomes, stated, sentence):
    done = [Observation(values={"x": 0.1, "y": 0.2}, outcomes=outcomes)]
    with pytest.raises(PlanningError, match=sentence):
        comparisons_of(done, stated)


def test_pair_worth_comparing_was_not_compared_and_holds_the_leaders():
    done = campaign(8, seed=0)
    pair = pair_to_compare(SQUARE, done, PreferenceSettings())
    assert len(set(pair)) == 2
    told = {
        frozenset((i, int(key.removeprefix("preferred_to:"))))
        for i, o in enumerate(done)
        for key in o.outcomes
        if key != "made"
    }
    assert frozenset(pair) not in told
    ranks = np.argsort(np.argsort([-liked(o.values) for o in done]))
    assert min(ranks[i] for i in pair) <= 2


def test_second_of_two_samples_is_to_be_compared_with_the_first():
    done = campaign(6, seed=0)
    first, second = make({}).propose(
        SQUARE, TASTE, observations=done, n=2, rng=np.random.default_rng(0)
    )
    assert "Compare it with experiment" in first.reason.text
    assert "Compare it with the sample under way" in second.reason.text
    assert first.values != second.values


def test_preference_keeps_the_contract_of_planners():
    check_planner(make({"n_candidates": 64}))
