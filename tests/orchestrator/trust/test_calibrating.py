"""Truths correct an agent's word: too narrow stds and gross errors are told apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.insight import Estimate, Insight
from orchestrator.trust.calibrating import UNCHANGED, Correction, cases, correction
from orchestrator.trust.coverage import coverage, probability_of_promise
from orchestrator.trust.pairing import pairs
from orchestrator.trust.statements import Statement, Truth
from orchestrator.trust.trusting import Trust, believed, trust, with_truths

Q = "xrd.weight_fraction.rutile"
STD = 0.02


def said(deviations: list[float], *, p_wrong: float = 0.02) -> tuple[list[Statement], list[Truth]]:
    """Return statements that deviate by so many stated stds from truths spread over 0 … 1."""
    true = np.linspace(0.1, 0.9, len(deviations))
    told = [
        Statement(i, "agent", {Q: Estimate(float(true[i] + z * STD), STD, "")}, p_wrong=p_wrong)
        for i, z in enumerate(deviations)
    ]
    return told, [Truth(i, Q, float(value)) for i, value in enumerate(true)]


def corrected(deviations: list[float], **how: float) -> Correction:
    statements, truths = said(deviations, **how)
    return correction(cases("agent", statements, truths))


def test_without_truths_everything_is_believed_as_it_was_said() -> None:
    statements, _ = said([0.0, 1.0])
    assert trust(statements).is_neutral
    assert correction([]) == UNCHANGED
    insight = Insight("i", "agent", ("m",), estimates={Q: Estimate(0.3, STD, "")}, p_wrong=0.1)
    assert believed(insight, Trust()) is insight


def test_stds_three_times_too_small_are_widened_until_intervals_hold() -> None:
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(40):
        how = corrected(list(3 * rng.standard_normal(8)))
        inside.append(np.mean(np.abs(3 * rng.standard_normal(50)) < 1.645 * how.std(Q, 1.0)))
    # Eight truths do not tell the factor exactly: between 0.80 and 0.95 over repetitions.
    assert 0.80 < np.mean(inside) < 0.95


def test_a_gross_error_counts_against_the_probability_of_being_wrong_not_against_the_std() -> None:
    quiet = [0.3, -0.8, 1.1, -0.2, 0.6, -1.3, 0.1]
    how = corrected([*quiet, 20.0])
    assert how.std(Q, 1.0) < 1.3
    assert how.p_wrong(0.02) > 2 * 0.02


def test_intervals_widen_quickly_and_narrow_slowly() -> None:
    wider, narrower = corrected([4.0, -4.0, 4.0]), corrected([0.25, -0.25, 0.25])
    assert wider.std(Q, 1.0) > 2.0
    assert 1.0 > narrower.std(Q, 1.0) > 1 / wider.std(Q, 1.0)


@given(st.permutations(range(6)))
def test_the_order_in_which_truths_arrive_does_not_matter(order: list[int]) -> None:
    statements, truths = said([0.1, 3.0, -2.0, 15.0, 0.4, -1.0])
    usual = correction(cases("agent", statements, truths))
    other = correction(cases("agent", statements, [truths[i] for i in order]))
    assert other.std(Q, 1.0) == pytest.approx(usual.std(Q, 1.0))
    assert other.shift == pytest.approx(usual.shift)


def test_a_truth_told_again_takes_the_place_of_the_first() -> None:
    statements, truths = said([0.0])
    wrong = Truth(0, Q, truths[0].value + 1.0 if isinstance(truths[0].value, float) else 0.0)
    assert cases("agent", statements, [wrong, *truths])[0].deviation == pytest.approx(0.0)


def test_an_uncertain_truth_says_less() -> None:
    statements, truths = said([4.0, -4.0])
    vague = [Truth(t.sample, Q, t.value, std=4 * STD) for t in truths]
    exact_word = correction(cases("agent", statements, truths))
    vague_word = correction(cases("agent", statements, vague))
    assert vague_word.std(Q, 1.0) < exact_word.std(Q, 1.0)


def test_coverage_counts_truths_inside_the_intervals() -> None:
    statements, truths = said([0.5, 1.5, -2.0, 0.0], p_wrong=0.0)
    [found] = coverage("agent", cases("agent", statements, truths))
    assert found.n == 4
    assert found.within == (0.5, 0.75)
    assert found.low < 0.75 < found.high
    assert found.mean_square == pytest.approx((0.25 + 2.25 + 4.0) / 4)
    assert found.brier == 0.0


def test_missed_truths_are_improbable_only_beyond_what_was_promised() -> None:
    kept, truths = said([0.2, -1.0, 0.9, -0.3])
    assert probability_of_promise(cases("agent", kept, truths)) == 1.0
    broken, truths = said([3.0, -3.5, 4.0, 0.1])
    assert probability_of_promise(cases("agent", broken, truths)) < 0.02
    admitted, truths = said([3.0, -3.5, 4.0, 0.1], p_wrong=0.7)
    assert probability_of_promise(cases("agent", admitted, truths)) > 0.5


def test_a_reference_agent_corrects_the_others_and_is_not_corrected() -> None:
    statements, truths = said([5.0, -4.0, 6.0])
    reference = [
        Statement(t.sample, "reference", {Q: Estimate(float(t.value), 0.001, "")}) for t in truths
    ]
    how = trust([*statements, *reference], references=["reference"]).corrections
    assert how["agent"].std(Q, 1.0) > 2.0
    assert "reference" not in how


def test_the_truth_takes_the_place_of_what_was_said_of_its_sample() -> None:
    statements, truths = said([5.0])
    insight = Insight(
        "i", "agent", ("m",), estimates={Q: statements[0].estimates[Q], "other": Estimate(1, 1, "")}
    )
    told = with_truths(0, [insight], trust(statements, truths=truths))
    values = {q: e.value for i in told for q, e in i.estimates.items()}
    assert values == {Q: truths[0].value, "other": 1.0}


def test_answers_that_turn_out_wrong_raise_the_doubt_and_leave_the_stds() -> None:
    probabilities = {"structure": {"fcc": 0.97, "hcp": 0.03}}
    said_fcc = [
        Statement(i, "a", class_probabilities=probabilities, p_wrong=0.02) for i in range(4)
    ]
    wrong = trust(said_fcc, truths=[Truth(i, "structure", "hcp") for i in range(4)])
    right = trust(said_fcc, truths=[Truth(i, "structure", "fcc") for i in range(4)])
    assert wrong.corrections["a"].p_wrong(0.02) > 0.2
    assert right.corrections["a"].p_wrong(0.02) <= 0.02
    assert wrong.corrections["a"].factor == 1.0


def test_a_reading_that_moves_beyond_its_std_when_measured_again_widens() -> None:
    first = [Statement(i, "a", {Q: Estimate(0.5, STD, "")}) for i in range(3)]
    moved = [Statement(i + 3, "a", {Q: Estimate(0.6, STD / 2, "")}, made=i) for i in range(3)]
    stayed = [Statement(i + 3, "a", {Q: Estimate(0.5, STD / 2, "")}, made=i) for i in range(3)]
    assert trust([*first, *moved]).corrections["a"].std(Q, 1.0) > 2.0
    assert trust([*first, *stayed]).corrections["a"].std(Q, 1.0) == 1.0  # shared errors are unseen


def test_replicates_speak_only_where_the_spread_of_batches_is_known() -> None:
    twice = [
        Statement(i, "a", {Q: Estimate(0.5 + 0.1 * i, STD, "")}, values={"t": 1.0})
        for i in range(4)
    ]
    assert trust(twice).is_neutral
    assert trust(twice, batch_spread={Q: 0.0}).corrections["a"].std(Q, 1.0) > 2.0
    assert trust(twice, batch_spread={Q: 0.2}).corrections["a"].std(Q, 1.0) < 1.2


def test_what_changes_when_more_is_counted_has_the_difference_of_the_variances() -> None:
    first = Statement(0, "a", {Q: Estimate(0.5, 0.05, "")})
    second = Statement(1, "a", {Q: Estimate(0.52, 0.03, "")}, made=0)
    [case] = pairs("a", [first, second])
    assert case.std == pytest.approx(0.04)  # 5² = 3² + 4²
    assert case.deviation == pytest.approx(-0.02)


def test_errors_that_were_admitted_do_not_count_against_an_agent() -> None:
    deviations = [0.5, 30.0, -0.4, -25.0, 0.8, 28.0, -1.1, 20.0]
    assert abs(corrected(deviations, p_wrong=0.5).shift) < 0.5
    assert corrected(deviations, p_wrong=0.02).shift > 1.0
