from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.xrd.doubt import doubt, novelty
from analysis.xrd.misfit import Misfit

GOOD = Misfit(
    rp=0.1,
    rwp=0.13,
    rexp=0.08,
    chi2_reduced=2.0,
    durbin_watson=1.0,
    correlation=3.0,
    phase_misfit=np.array([0.05]),
    overall=0.05,
    unexplained=0.004,
    detectable=0.001,
)


def test_a_good_fit_is_hardly_doubted_and_large_unexplained_peaks_are() -> None:
    assert doubt(GOOD, prior=0.5) < 0.05
    assert doubt(replace(GOOD, unexplained=0.3, overall=0.5), prior=0.5) > 0.9


@settings(deadline=None)
@given(area=st.floats(0, 1), more=st.floats(0.01, 1), prior=st.floats(0.05, 0.95))
def test_doubt_and_novelty_grow_with_the_unexplained_area(
    area: float, more: float, prior: float
) -> None:
    less, worse = replace(GOOD, unexplained=area), replace(GOOD, unexplained=area + more)
    assert doubt(less, prior=prior) <= doubt(worse, prior=prior)
    assert 0 <= novelty(less) < novelty(worse) < 1


@settings(deadline=None)
@given(low=st.floats(0.02, 0.5), high=st.floats(0.5, 0.98))
def test_doubt_grows_with_the_prior(low: float, high: float) -> None:
    assert doubt(GOOD, prior=low) <= doubt(GOOD, prior=high)


def test_a_pattern_lost_in_noise_leaves_the_prior() -> None:
    noisy = replace(GOOD, unexplained=0.0, overall=0.0, detectable=0.1)
    assert doubt(noisy, prior=0.3) == pytest.approx(0.3)
