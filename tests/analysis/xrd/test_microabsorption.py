import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.physics.structures import structure
from analysis.xrd.microabsorption import brindley_factor, corrected_weights


def test_small_contrast_costs_one_and_a_half_of_it() -> None:
    """The mean path through a sphere, in and out, is 3/2 R at any angle."""
    assert brindley_factor(np.array([1e-3]))[0] == pytest.approx(1 - 1.5e-3, abs=3e-5)


def test_no_contrast_costs_nothing() -> None:
    assert brindley_factor(np.array([0.0]))[0] == 1.0


# Brindley's table I, 2θ = 90°: (μ − μ̄) R and τ.
@pytest.mark.parametrize(("contrast", "tau"), [(-0.1, 1.162), (0.1, 0.862), (0.5, 0.503)])
def test_brindleys_table_is_met(contrast: float, tau: float) -> None:
    assert brindley_factor(np.array([contrast]))[0] == pytest.approx(tau, rel=0.02)


@settings(deadline=None)
@given(st.floats(0.05, 0.95), st.floats(0.5, 20))
def test_correction_raises_the_stronger_absorber(share: float, diameter: float) -> None:
    crystals = (structure("zincite"), structure("corundum"))
    scales = np.array([share, 1 - share])
    weights = corrected_weights(scales, crystals, diameter=diameter, wavelength=1.5406)
    assert weights.sum() == pytest.approx(1)
    assert weights[0] > share


def test_grains_without_size_change_nothing() -> None:
    crystals = (structure("zincite"), structure("corundum"))
    scales = np.array([2.0, 6.0])
    weights = corrected_weights(scales, crystals, diameter=0.0, wavelength=1.5406)
    np.testing.assert_allclose(weights, [0.25, 0.75])
