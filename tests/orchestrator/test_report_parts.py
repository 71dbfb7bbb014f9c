"""Parts of the report: thinned curves, numbers in words, judged predictions."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.insight import Curve
from orchestrator.report import words
from orchestrator.report.fits import fits, told_apart
from orchestrator.report.foretold import (
    Foretold,
    coverage,
    expected,
    foretold,
    inside,
    own_count,
    share_inside,
)
from orchestrator.report.patterns import packed, thin
from orchestrator.store.records import Experiment
from planners.objective import Target
from planners.proposal import Observation, Outlook, Prediction, Proposal, Reason


@given(n=st.integers(3, 4000), points=st.integers(10, 900), seed=st.integers(0, 2**32 - 1))
def test_thinning_keeps_the_highest_peak_the_ends_and_true_points(
    n: int, points: int, seed: int
) -> None:
    y = np.random.default_rng(seed).normal(size=n)
    x = np.linspace(5.0, 90.0, n)
    thinned = thin(Curve(x, "two_theta", "deg", {"observed": y, "calculated": -y}), points)
    kept = thinned.columns["observed"]
    assert len(kept) <= max(points + 2, 4)
    assert kept.max() == y.max()
    assert kept.min() == y.min()
    assert (thinned.x[0], thinned.x[-1]) == (x[0], x[-1])
    assert np.all(np.diff(thinned.x) > 0)
    assert set(zip(thinned.x, kept, strict=True)) <= set(zip(x, y, strict=True))
    assert np.array_equal(thinned.columns["calculated"], -kept)


def test_packed_numbers_come_back_to_single_precision() -> None:
    values = np.array([1.5, -2.25e6, 0.1])
    data = base64.b64decode(packed(values)["bdata"])
    assert np.allclose(np.frombuffer(data, "<f4"), values, rtol=1e-7)


@pytest.mark.parametrize(
    ("value", "std", "text"),
    [
        (0.52134, 0.0123, "0.521 ± 0.012"),
        (211.4, 23.0, "211 ± 23"),
        (95.0, 2.0, "95.0 ± 2.0"),
        (-0.0321, 0.004, "−0.0321 ± 0.0040"),
        (0.52134, None, "0.5213"),
        (1.234e-9, 2e-11, "1.234e−9 ± 2e−11"),
        (12345.6, 3200.0, "12346 ± 3200"),
    ],
)
def test_a_value_ends_where_its_standard_deviation_has_two_digits(
    value: float, std: float | None, text: str
) -> None:
    assert words.measured(value, std) == text


def test_a_unit_follows_the_number() -> None:
    assert words.measured(211.4, 23.0, "Å") == "211 ± 23 Å"
    assert words.setting(653.44, "degC") == "653.44 °C"


def test_targets_are_sentences() -> None:
    brighter = Target(quantity="uv.yield", goal="maximize", value=0.9)
    assert words.target(brighter) == ("Make the yield as high as possible; at least 0.9 is enough.")
    open_end = Target(quantity="mass", goal="minimize", unit="g")
    assert words.target(open_end) == "Make the mass as low as possible."


def test_no_probability_is_rounded_to_certainty() -> None:
    assert words.percent(0.9999) == "> 99 %"
    assert words.percent(0.001) == "< 1 %"
    assert words.percent(0.5) == "50 %"


@given(st.integers(8, 60))
def test_honest_predictions_are_called_honest_and_narrow_ones_too_sure(n: int) -> None:
    rng = np.random.default_rng(n)
    errors = np.linspace(-1, 1, n) * 1.6448536
    honest = [Foretold(i, 0.0, 1.0, float(e), None) for i, e in enumerate(errors * 1.1)]
    assert "too sure" not in coverage(honest)
    narrow = [Foretold(i, 0.0, 0.01, float(e), None) for i, e in enumerate(rng.normal(size=n))]
    assert "too sure" in coverage(narrow)


def test_an_interval_is_widened_by_the_noise_of_the_observation() -> None:
    assert not Foretold(0, mean=1.0, std=0.1, observed=1.5, observed_std=None).holds
    assert Foretold(0, mean=1.0, std=0.1, observed=1.5, observed_std=0.4).holds


def experiment(number: int, predicted: float, observed: float, **parts: object) -> Experiment:
    reason = Reason(
        planner="bayesian",
        text="Hoped so.",
        predicted={"a.b": Prediction(mean=predicted, std=0.3)},
        model={"a.b.noise_std": 0.4},
    )
    seen = Observation(values={}, outcomes={"a.b": observed}, **parts)
    proposal, now = Proposal(values={}, reason=reason), datetime(2026, 1, 1, tzinfo=UTC)
    return Experiment(number, proposal, (0,), None, (), (), seen, now, now)


def test_the_learnt_noise_stands_in_where_the_observation_states_none() -> None:
    own, learnt = foretold(
        [experiment(0, 1.0, 1.6, stds={"a.b": 0.0}), experiment(1, 1.0, 1.6)], "a.b"
    )
    assert (own.spread, own.holds) == (0.3, False)
    assert (learnt.spread, learnt.holds) == (pytest.approx(0.5), True)
    assert learnt.residual == pytest.approx(1.2)


def test_the_share_inside_comes_with_its_exact_binomial_interval() -> None:
    # Clopper & Pearson's interval of 9 of 11, as in their charts: 48 to 98 %.
    found = [Foretold(i, 0.0, 1.0, 0.0 if i < 9 else 9.0, None) for i in range(11)]
    assert inside(found) == (
        "9 of 11 outcomes lay inside their 90 % interval (82 %; 95 % confidence interval 48 % to "
        "98 %)."
    )
    assert share_inside(4, 0)[0] == 0.0
    assert share_inside(4, 4)[1] == 1.0
    assert "hold 8 to 11 of 11" in coverage(found)


@given(st.integers(1, 300), st.floats(0.02, 0.98))
def test_the_exact_interval_leaves_the_true_share_out_at_most_as_often_as_it_says(
    n: int, share: float
) -> None:
    probability = stats.binom.pmf(np.arange(n + 1), n, share)
    missed = [not low <= share <= high for low, high in (share_inside(n, k) for k in range(n + 1))]
    assert probability[missed].sum() <= 0.05 + 1e-9


def test_what_the_planner_counted_itself_is_told_in_words() -> None:
    outlook = Outlook(probability_of_improvement=0.004, coverage=0.75, covered_of=12, widened=1.4)
    assert own_count(outlook) == (
        "By its own count before its latest proposal, the planner's 90 % intervals held 75 % of "
        "12 outcomes. It widened its predicted standard deviations by a factor of 1.4."
    )
    assert expected(outlook) == "improvement with probability < 1 %"
    assert own_count(None) == own_count(Outlook()) == expected(Outlook()) == ""


def test_a_curve_without_what_was_observed_is_no_fit_to_draw() -> None:
    x = np.arange(3.0)
    shares = Curve(x, "atom", "", {"contribution": x})
    fit = Curve(x, "r", "Å", {"observed": x, "calculated": x})
    assert fits({"contributions": shares}) == {}
    assert fits({"contributions": shares, "fit": fit}) == {"fit": fit}
    assert fits({"fit": fit, "pattern": fit}) == {"pattern": fit}
    both = fits({"s_q": fit, "g_r": fit})
    assert list(both) == ["s_q", "g_r"]
    assert [told_apart(both, name) for name in both] == [" · s_q", " · g_r"]
    assert fits({}) == {}
