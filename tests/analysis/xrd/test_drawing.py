import numpy as np
import pytest

from analysis.xrd import drawing
from analysis.xrd.drawing import Peaks, draw, draw_changes, peaks_of_area
from analysis.xrd.profile import LN2

X = np.linspace(10.0, 80.0, 1400)


def crowd(rng: np.random.Generator, n: int = 300) -> Peaks:
    """Return peaks all over and beyond the grid, in no order."""
    return peaks_of_area(
        rng.uniform(5.0, 85.0, n),
        area=rng.exponential(1.0, n),
        width=rng.uniform(0.05, 1.0, n),
        eta=rng.uniform(0.0, 1.0, n),
    )


@pytest.mark.parametrize(("eta", "inside"), [(0.0, 1.0), (1.0, 2 / np.pi * np.arctan(50))])
def test_a_drawn_peak_has_its_area(eta: float, inside: float) -> None:
    x = np.arange(0, 40, 0.01)
    one = peaks_of_area(
        np.array([20.0]), area=np.array([3.0]), width=np.array([0.2]), eta=np.array([eta])
    )
    assert np.sum(draw(x, one)) * 0.01 == pytest.approx(3.0 * inside, rel=1e-4)


def test_blocks_hold_what_each_peak_drawn_alone_adds_up_to() -> None:
    peaks = crowd(np.random.default_rng(0))
    alone = np.zeros_like(X)
    rows = zip(peaks.position, peaks.width, peaks.lorentzian, peaks.gaussian, strict=True)
    for position, width, lorentzian, gaussian in rows:
        u = 2 * (X - position) / width
        alone += lorentzian / (1 + u**2) * (np.abs(u) <= 50) + gaussian * np.exp(-LN2 * u**2)
    # Gaussians end where they have fallen to 3e-8 of their height.
    np.testing.assert_allclose(draw(X, peaks), alone, rtol=0, atol=1e-6 * alone.max())


def test_peaks_that_miss_the_grid_draw_nothing() -> None:
    far = peaks_of_area(
        np.array([2.0, 120.0]), area=np.ones(2), width=np.full(2, 0.1), eta=np.full(2, 0.5)
    )
    assert not draw(X, far).any()
    assert not draw_changes(X, far, [far]).any()


@pytest.mark.parametrize("part", ["position", "width", "lorentzian", "gaussian"])
def test_derivatives_written_down_agree_with_finite_differences(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of whole peaks: where tails are cut, they jump by 4e-4 of their height."""
    monkeypatch.setattr(drawing, "REACH", 1000.0)
    monkeypatch.setattr(drawing, "GAUSSIAN_REACH", 5.0)
    rng = np.random.default_rng(1)
    peaks = crowd(rng, 40)
    names = ("position", "width", "lorentzian", "gaussian")
    change = {
        name: rng.normal(size=40) * (0.1 * peaks.width if name == part else 0.0) for name in names
    }
    step = 1e-5
    above, below = (
        draw(X, Peaks(**{n: getattr(peaks, n) + sign * step * change[n] for n in names}))
        for sign in (1, -1)
    )
    numeric = (above - below) / (2 * step)
    written = draw_changes(X, peaks, [Peaks(**change)])[0]
    np.testing.assert_allclose(written, numeric, rtol=0, atol=1e-6 * np.abs(numeric).max())


def test_a_peak_that_only_one_list_has_does_not_change() -> None:
    peaks = crowd(np.random.default_rng(2), 3)
    there = np.array([1.0, 0.0, 1.0])
    gone = Peaks(
        peaks.position + 1e-3, peaks.width, peaks.lorentzian * there, peaks.gaussian * there
    )
    slope = gone.slope_from(peaks, step=1e-3)
    np.testing.assert_allclose(slope.position, [1.0, 0.0, 1.0])
    assert slope.lorentzian[1] == 0.0
