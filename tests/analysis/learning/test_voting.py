"""Votes are weighed as a simulation of right and wrong statements would have it."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.learning.calibration import expected_calibration_error
from analysis.learning.voting.answers import pool_answers
from analysis.learning.voting.causes import Shares, blame
from analysis.learning.voting.numbers import PooledNumber, pool_numbers
from analysis.learning.voting.verdict import weigh

WIDTH, STD, SHARED = 1.0, 0.02, 0.3
DOUBTS, CAUSES = (0.1, 0.3, 0.3), (0, 0, 1)


def drawn(rng: np.random.Generator) -> tuple[float, list[float]]:
    """Return a true value and what is said of it, wrong and fooled as the model has it."""
    truth, elsewhere = rng.uniform(0, WIDTH, 2)
    common = SHARED * min(DOUBTS[:2])
    fooled = rng.random() < common
    said = []
    for p, cause in zip(DOUBTS, CAUSES, strict=True):
        own = 1 - (1 - p) / (1 - common) if cause == 0 else p
        seen = elsewhere if fooled and cause == 0 else truth
        wrong = rng.random() < own
        said.append(rng.uniform(0, WIDTH) if wrong else seen + STD * rng.standard_normal())
    return float(truth), said


def pooled(said: list[float], *, causes: tuple[int, ...] = CAUSES) -> PooledNumber:
    return pool_numbers(
        said,
        [STD] * len(said),
        p_wrong=DOUBTS,
        causes=causes,
        width=WIDTH,
        shares=Shares(SHARED),
        shared_error=0.0,
    )


def test_stated_doubt_is_how_often_the_vote_is_wrong() -> None:
    """With independent counting errors the drawn world is the model's, so it must be calibrated."""
    rng = np.random.default_rng(0)
    worlds = [drawn(rng) for _ in range(600)]
    found = [pooled(said) for _, said in worlds]
    wrong = [abs(f.value - truth) > 4 * STD for f, (truth, _) in zip(found, worlds, strict=True)]
    doubts = [f.p_wrong for f in found]
    # Of 600 the frequency of wrong ones has a standard error of about 0.012.
    assert np.mean(doubts) == pytest.approx(np.mean(wrong), abs=0.04)
    assert expected_calibration_error(doubts, wrong, n_bins=5) < 0.05
    assert np.mean(wrong) < 0.1  # better than the best of them alone


def test_forgetting_the_common_cause_makes_too_sure() -> None:
    rng = np.random.default_rng(1)
    worlds = [drawn(rng) for _ in range(600)]
    naive = [pooled(said, causes=(0, 1, 2)).p_wrong for _, said in worlds]
    aware = [pooled(said).p_wrong for _, said in worlds]
    assert np.mean(naive) < np.mean(aware)


def test_the_std_holds_what_it_promises_where_the_vote_is_right() -> None:
    rng = np.random.default_rng(2)
    worlds = [drawn(rng) for _ in range(400)]
    pulls = []
    for truth, said in worlds:
        found = pooled(said)
        assert found.std is not None
        if found.p_wrong < 0.05:
            pulls.append(abs(found.value - truth) / found.std)
    assert np.mean(np.array(pulls) < 1.645) == pytest.approx(0.9, abs=0.06)


def test_shared_errors_do_not_average_out() -> None:
    def std(shared_error: float) -> float:
        found = pool_numbers(
            [0.5] * 4,
            [STD] * 4,
            p_wrong=[0.01] * 4,
            causes=[0] * 4,
            width=WIDTH,
            shares=Shares(0.0),
            shared_error=shared_error,
        )
        assert found.std is not None
        return found.std

    assert std(0.0) == pytest.approx(STD / 2, rel=1e-2)
    assert std(0.5) == pytest.approx(STD * (0.5 + 0.5 / 4) ** 0.5, rel=1e-2)


def test_weights_are_probabilities_of_all_subsets() -> None:
    verdict = weigh(np.zeros(8), p_wrong=DOUBTS, causes=CAUSES, shares=Shares(0.0))
    assert verdict.weights.sum() == pytest.approx(1)
    assert verdict.right == pytest.approx([1 - p for p in DOUBTS])  # nothing was learnt
    assert verdict.weights[0, 0] == pytest.approx(np.prod(DOUBTS))


def test_what_all_share_no_agreement_rules_out() -> None:
    found = pool_numbers(
        [0.5] * 4,
        [STD] * 4,
        p_wrong=[0.1] * 4,
        causes=range(4),
        width=WIDTH,
        shares=Shares(0.3, by_all=0.2),
        shared_error=0.0,
    )
    assert found.p_wrong == pytest.approx(0.2 * 0.1, rel=1e-2)


def test_blame_adds_up_to_what_is_stated() -> None:
    found = blame(DOUBTS, CAUSES, Shares(0.3, by_all=0.1))
    for i, p in enumerate(DOUBTS):
        right = 1 - found.own[i]
        for group, struck in found.common:
            right *= 1 - struck if group >> i & 1 else 1
        assert 1 - right == pytest.approx(p)


def test_a_cause_that_is_ruled_out_leaves_less_doubt() -> None:
    spared = blame(DOUBTS, CAUSES, Shares(0.3, spared=frozenset({0, 1})))
    assert spared.common == ()
    assert all(own < p for own, p in zip(spared.own, DOUBTS, strict=True))


def test_what_no_data_show_makes_sharp_contradictions_doubtful() -> None:
    """A swapped sample looks fine to whoever reads it, so 0.01 against 0.001 decides little."""

    def p_wrong(unseen: float) -> float:
        return pool_numbers(
            [0.2, 0.8],
            [STD, STD],
            p_wrong=[0.001, 0.01],
            causes=[0, 1],
            width=WIDTH,
            shares=Shares(0.3, unseen=unseen),
            shared_error=0.0,
        ).p_wrong

    assert p_wrong(0.0) < 0.15 < 0.4 < p_wrong(0.05)


def test_all_surely_wrong_leaves_nobody_right() -> None:
    found = pool_numbers(
        [0.2, 0.4],
        [0.1, 0.1],
        p_wrong=[1.0, 1.0],
        causes=[0, 1],
        width=1.0,
        shares=Shares(0.3),
        shared_error=0.5,
    )
    assert found.p_wrong == 1.0
    assert 0.2 <= found.value <= 0.4


def test_too_many_votes_are_refused() -> None:
    with pytest.raises(ValueError, match="9 statements"):
        weigh(np.zeros(512), p_wrong=[0.1] * 9, causes=range(9), shares=Shares(0.0))


def test_independent_answers_multiply() -> None:
    found = pool_answers(
        [{"a": 0.8, "b": 0.2}, {"a": 0.6, "b": 0.4}],
        p_wrong=[1e-9, 1e-9],
        causes=[0, 1],
        shares=Shares(0.0),
        shared_error=0.5,
    )
    odds = (0.8 * 0.6) / (0.2 * 0.4)
    assert found.probabilities["a"] == pytest.approx(odds / (1 + odds))


def test_answers_nobody_can_reconcile_are_told_by_the_surer_one() -> None:
    found = pool_answers(
        [{"a": 1.0, "b": 0.0}, {"b": 1.0}],
        p_wrong=[0.2, 0.1],
        causes=[0, 1],
        shares=Shares(0.3),
        shared_error=0.5,
    )
    assert found.probabilities == pytest.approx({"a": 0.0, "b": 1.0})
    # Bayes: (0.8 × 0.1 + 0.2 × 0.1) / (0.9 × 0.2 + 0.8 × 0.1 + 0.2 × 0.1)
    assert found.p_wrong == pytest.approx(0.1 / 0.28)
