"""Several agents on one sample: agreement makes surer, contradiction raises doubt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.insight import Estimate, Insight
from orchestrator.agreeing.answering import answer_of
from orchestrator.agreeing.statements import SHARES, causes_of, width_of
from orchestrator.routing import combine, combine_answers
from orchestrator.scoring import structure_of

Q, ASKED = "xrd.lattice.rutile.a", "xrd.phase.rutile"


def says(
    value: float | None = None,
    std: float | None = 0.1,
    *,
    p_wrong: float | None = 0.1,
    reads: str = "m",
    present: float | None = None,
    unit: str = "Å",
) -> Insight:
    answers = {} if present is None else {ASKED: {"present": present, "absent": 1 - present}}
    return Insight(
        id=f"{reads}/x",
        agent="x",
        measurement_ids=tuple(reads.split("+")),
        estimates={} if value is None else {Q: Estimate(value, std, unit)},
        class_probabilities=answers,
        p_wrong=p_wrong,
    )


def combined(*insights: Insight) -> tuple[Estimate, float]:
    found = combine(Q, insights, width=10.0)
    assert found is not None
    return found


def test_one_agent_alone_is_taken_at_its_word() -> None:
    assert combined(says(1.0, None, p_wrong=0.3)) == (Estimate(1.0, None, "Å"), 0.3)
    assert combined(says(1.0, p_wrong=None))[1] == 0.0
    assert combine(Q, [says()]) is None


def test_independent_agents_that_agree_are_surer_than_the_surest() -> None:
    estimate, p_wrong = combined(says(1.0, p_wrong=0.2, reads="a"), says(1.02, reads="b"))
    assert estimate.value == pytest.approx(1.01, abs=1e-3)
    assert estimate.std is not None
    assert estimate.std < 0.1  # although both may have stated too small ones
    assert p_wrong < 0.05


def test_one_measurement_can_fool_all_who_read_it() -> None:
    """Both are wrong together with the probability that they share, however well they agree."""
    apart = combined(says(1.0, reads="a"), says(1.0, reads="b"))
    together = combined(says(1.0), says(1.0))
    assert together[1] > 0.9 * SHARES.by_cause * 0.1
    assert together[1] > apart[1]
    assert together[0].std is not None
    assert apart[0].std is not None
    assert together[0].std > apart[0].std


def test_agents_that_contradict_each_other_are_less_sure_than_the_surest() -> None:
    estimate, p_wrong = combined(says(1.0, reads="a"), says(3.0, p_wrong=0.3, reads="b"))
    assert estimate.value == pytest.approx(1.0, abs=0.1)  # of the surer one
    # Bayes with nothing in common: (0.1 × 0.7 + 0.1 × 0.3) / (0.9 × 0.3 + 0.1 × 0.7 + 0.1 × 0.3)
    assert p_wrong == pytest.approx(0.1 / 0.37, abs=0.06)


def test_two_independent_agents_outvote_a_third() -> None:
    said = (says(1.0, reads="a"), says(3.0, reads="b", p_wrong=0.05), says(1.05, reads="c"))
    estimate, p_wrong = combined(*said)
    assert estimate.value == pytest.approx(1.025, abs=0.03)
    assert p_wrong < 0.1


def test_two_agents_of_one_measurement_do_not_outvote_a_surer_one_of_another() -> None:
    said = [says(1.0, reads="a", p_wrong=0.3), says(1.0, reads="a", p_wrong=0.3)]
    other = says(3.0, reads="b", p_wrong=0.02)
    estimate, p_wrong = combined(*said, other)
    assert estimate.value == pytest.approx(3.0, abs=0.1)
    assert p_wrong > 0.02


@pytest.mark.parametrize(("value", "likely"), [(1.05, True), (4.0, False)])
def test_an_agent_without_error_bar_still_votes(value: float, likely: bool) -> None:
    estimate, p_wrong = combined(says(1.0, reads="a"), says(value, None, reads="b"))
    assert (p_wrong < 0.06) == likely
    assert estimate.value == pytest.approx(1.0, abs=0.1)


def test_contradicting_certainties_leave_an_even_chance() -> None:
    sure = (says(1.0, p_wrong=0.0, reads="a"), says(3.0, p_wrong=0.0, reads="b"))
    assert combined(*sure)[1] == pytest.approx(0.5, abs=0.05)


def test_another_unit_is_not_mistaken_for_another_value() -> None:
    told, p_wrong = combined(says(1.0), says(0.1, unit="nm", reads="b"))
    assert (told, p_wrong) == (Estimate(1.0, 0.1, "Å"), 0.1)


@given(
    st.lists(
        st.tuples(st.floats(0, 5), st.floats(0.01, 2), st.floats(0, 0.9), st.sampled_from("abc")),
        min_size=2,
        max_size=5,
    )
)
def test_the_order_of_speaking_does_not_matter(
    said: list[tuple[float, float, float, str]],
) -> None:
    insights = [says(v, s, p_wrong=p, reads=m) for v, s, p, m in said]
    there, back = combined(*insights), combined(*reversed(insights))
    assert there[1] == pytest.approx(back[1], abs=1e-9)


def test_agents_hang_together_by_what_they_read() -> None:
    one, two, three, both = (says(reads=r) for r in ("a", "b", "c", "a+b"))
    assert len(set(causes_of([one, two, three]))) == 3
    linked = causes_of([one, two, three, both])
    assert linked[0] == linked[1] == linked[3] != linked[2]


def test_more_agents_than_can_be_weighed_leave_the_surest() -> None:
    crowd = [says(3.0, p_wrong=0.6, reads=f"m{k}") for k in range(6)]
    crowd += [says(1.0, p_wrong=0.01, reads=f"n{k}") for k in range(4)]
    estimate, p_wrong = combined(*crowd)
    assert estimate.value == pytest.approx(1.0, abs=0.01)
    assert p_wrong < 0.01


def test_answers_that_agree_are_surer_and_those_that_do_not_less_sure() -> None:
    alone = says(present=0.99, reads="a")
    kept = {"present": 0.99, "absent": pytest.approx(0.01)}
    assert combine_answers(ASKED, [alone]) == (kept, 0.1)
    agree = combine_answers(ASKED, [alone, says(present=0.9, reads="b")])
    differ = combine_answers(ASKED, [alone, says(present=0.001, reads="b")])
    assert agree is not None
    assert differ is not None
    assert agree[0]["present"] > 0.99
    assert agree[1] < 0.1 < 0.3 < differ[1]


def test_an_unsure_answer_yields_to_a_sharp_one() -> None:
    """Who gives 10 % to an answer has not been contradicted by somebody who found it."""
    found = combine_answers(ASKED, [says(present=0.9, reads="a"), says(present=0.01, reads="b")])
    assert found is not None
    assert found[0]["absent"] > 0.7


def test_structure_hears_everybody_who_answers() -> None:
    told = structure_of([says(present=0.9, reads="a"), says(present=0.01, p_wrong=0.2, reads="b")])
    assert told.answers[ASKED].likeliest == "present"
    assert told.answers[ASKED].p_wrong > 0.1


def test_who_tells_how_much_says_whether_it_is_there() -> None:
    amount = Insight(
        id="q",
        agent="xrd.quantify",
        measurement_ids=("b",),
        estimates={
            "xrd.weight_fraction.rutile": Estimate(0.2, 0.02, ""),
            "xrd.weight_fraction.anatase": Estimate(0.001, 0.002, ""),
        },
        p_wrong=0.1,
    )
    assert answer_of(ASKED, amount) == {"present": 0.99, "absent": pytest.approx(0.01)}
    anatase = answer_of("xrd.phase.anatase", amount)
    assert anatase is not None
    assert anatase["absent"] > 0.9
    assert answer_of("xrd.phase.brookite", amount) is None
    found = combine_answers(ASKED, [says(present=0.001, reads="a"), amount])
    assert found is not None
    assert found[1] > 0.3  # it cannot be absent and a fifth of the mass
    assert combine_answers(ASKED, [amount]) is None  # a question that nobody was asked


def test_the_width_follows_what_is_known() -> None:
    near = [Estimate(0.2, 0.01, ""), Estimate(0.4, 0.02, "")]
    assert width_of("xrd.weight_fraction.rutile", near) == 1.0
    assert width_of(Q, near) == pytest.approx(1.0)  # a hundred of the smallest std
    assert width_of(Q, near, 3.0) == 3.0
    assert width_of(Q, near, 0.05) == pytest.approx(0.2)  # they lie farther apart than that
