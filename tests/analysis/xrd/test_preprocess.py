import numpy as np
import pytest

from analysis.errors import BadPattern
from analysis.xrd.preprocess import prepare
from analysis.xrd.radiation import CU_K_ALPHA
from tests.analysis.xrd.patterns import TWO_THETA, measurement

COUNTS = np.full(len(TWO_THETA), 400.0)


def test_counts_without_sigma_get_the_one_of_counting_statistics() -> None:
    data = prepare(measurement(TWO_THETA, COUNTS), radiation=CU_K_ALPHA)
    np.testing.assert_allclose(data.sigma, 20.0)
    assert not data.sigma_known


def test_a_stated_sigma_is_used() -> None:
    data = prepare(measurement(TWO_THETA, COUNTS, sigma=COUNTS * 0.1), radiation=CU_K_ALPHA)
    np.testing.assert_allclose(data.sigma, 40.0)
    assert data.sigma_known


def test_the_range_is_cut() -> None:
    data = prepare(
        measurement(TWO_THETA, COUNTS), radiation=CU_K_ALPHA, two_theta_range=(30.0, 60.0)
    )
    assert data.two_theta[0] >= 30
    assert data.two_theta[-1] <= 60


def test_needlessly_fine_points_are_averaged_and_their_sigma_falls() -> None:
    x = np.arange(20, 40, 0.01)
    data = prepare(measurement(x, np.full(len(x), 400.0)), radiation=CU_K_ALPHA)
    assert len(data.two_theta) == len(x) // 2
    np.testing.assert_allclose(data.sigma, 20.0 / np.sqrt(2))


def test_an_empty_channel_has_an_uncertainty() -> None:
    y = COUNTS.copy()
    y[:300] = 0
    for sigma in (None, np.sqrt(y)):
        assert np.all(
            prepare(measurement(TWO_THETA, y, sigma=sigma), radiation=CU_K_ALPHA).sigma > 0
        )


@pytest.mark.parametrize("wavelength", [1.5405929, 1.540598, 1.5418, 1.5444])
def test_what_people_call_copper_radiation_is_accepted(wavelength: float) -> None:
    prepare(measurement(TWO_THETA, COUNTS, wavelength=wavelength), radiation=CU_K_ALPHA)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"technique": "sas"}, "diffraction agents read 'xrd'"),
        ({"x_name": "q", "x_unit": "1/Å"}, "two_theta in deg was expected"),
        ({"x_unit": "rad"}, "two_theta in deg was expected"),
        ({"wavelength": 0.7107}, "the agent assumes 1.54"),
        ({"wavelength": "copper"}, "names no wavelength"),
        ({"x": TWO_THETA * 100}, "centidegrees"),
        ({"y": COUNTS - 401}, "negative counts"),
        ({"y": COUNTS * 0}, "no counts at all"),
        ({"x": TWO_THETA[:50], "y": COUNTS[:50]}, "50 points"),
    ],
)
def test_patterns_that_cannot_be_fitted_are_refused(
    changes: dict[str, object], sentence: str
) -> None:
    arguments: dict[str, object] = {"x": TWO_THETA, "y": COUNTS, **changes}
    with pytest.raises(BadPattern, match=sentence):
        prepare(measurement(**arguments), radiation=CU_K_ALPHA)  # type: ignore[arg-type]


def test_a_missing_wavelength_is_asked_for() -> None:
    from dataclasses import replace

    bare = replace(measurement(TWO_THETA, COUNTS), settings={})
    with pytest.raises(BadPattern, match="need `wavelength` in"):
        prepare(bare, radiation=CU_K_ALPHA)


def test_a_measurement_with_nan_cannot_even_be_made() -> None:
    y = COUNTS.copy()
    y[7] = np.nan
    with pytest.raises(ValueError, match="no finite numbers"):
        measurement(TWO_THETA, y)
