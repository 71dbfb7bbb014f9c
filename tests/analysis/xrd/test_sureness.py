"""A set's stated probability is taken down to how often such sets were right."""

from __future__ import annotations

import pytest

from analysis.xrd.adaptive.sureness import BASE, set_is_wrong


def test_a_set_that_seems_certain_may_be_wrong() -> None:
    assert 0.02 < set_is_wrong(1.0, prior=0.3) < 0.2
    assert set_is_wrong(0.99, prior=0.3) > 0.1


def test_doubt_grows_as_the_evidence_fades() -> None:
    told = [set_is_wrong(p, prior=0.3) for p in (0.9999, 0.99, 0.9, 0.5, 0.1)]
    assert told == sorted(told)


def test_it_never_doubts_less_than_the_evidence() -> None:
    for stated in (0.1, 0.5, 0.9):
        assert set_is_wrong(stated, prior=0.01) >= 1.0 - stated - 1e-12


def test_with_the_prior_of_the_simulations_an_even_set_is_mostly_wrong() -> None:
    """At even odds the logistic function stands alone: odds of being wrong are exp(−offset)."""
    assert set_is_wrong(0.5, prior=BASE) == pytest.approx(0.72, abs=0.05)
