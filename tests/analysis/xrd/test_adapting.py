"""From measured patterns to what networks should learn from: no label needed, and it helps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from analysis.errors import BadPattern
from analysis.physics.structures import structure
from analysis.xrd.adapting import adapt, look_at, ranges_like
from analysis.xrd.artefacts import Ranges, wider
from analysis.xrd.candidates import PhasesSettings, recipe_of
from analysis.xrd.forward import CU_K_ALPHA, PhaseState, Resolution, pattern
from analysis.xrd.training.phases import UNSEEN
from instruments.measurement import Measurement
from tests.analysis.xrd.patterns import measurement

GRID = np.arange(15.0, 75.0, 0.02)


def measured(
    phase: str, *, size: float = 2000.0, w: float = 0.006, height: float = 5000.0, floor: float = 60
) -> Measurement:
    bragg = pattern(
        GRID,
        [PhaseState(structure(phase), size=size, microstrain=1e-5)],
        resolution=Resolution(0.0, 0.0, w),
    )
    expected = floor + height * bragg / bragg.max()
    return measurement(GRID, np.random.default_rng(0).poisson(expected).astype(float))


@pytest.mark.parametrize("w", [0.004, 0.01, 0.04])
def test_the_width_of_sharp_peaks_is_the_instruments(w: float) -> None:
    look = look_at(measured("corundum", size=20_000.0, w=w), radiation=CU_K_ALPHA)
    assert look.width == pytest.approx(np.sqrt(w), rel=0.25)


def test_small_crystallites_widen_the_sizes_not_the_instrument() -> None:
    found = ranges_like([measured("anatase", size=45.0)], radiation=CU_K_ALPHA)
    assert found.size[0] < 45.0 < found.size[1]
    assert found.w[1] <= Ranges().w[1] * 1.5**2


def test_background_counts_and_range_hold_what_was_measured() -> None:
    noisy = [measured("rutile", height=400.0, floor=300), measured("quartz", height=900.0)]
    found = ranges_like(noisy, radiation=CU_K_ALPHA)
    for m in noisy:
        look = look_at(m, radiation=CU_K_ALPHA)
        assert found.background[0] <= look.background <= found.background[1]
        assert found.counts[0] <= look.counts <= found.counts[1]
    assert found.start == (15.0, 15.0)
    assert found.end[0] == pytest.approx(75.0, abs=0.1)
    assert found.strain == Ranges().strain  # cannot be told without knowing the phases


def test_a_pattern_without_peaks_cannot_teach() -> None:
    flat = measurement(GRID, np.random.default_rng(0).poisson(100.0, len(GRID)).astype(float))
    with pytest.raises(BadPattern, match="none of 1 patterns shows 3 peaks"):
        ranges_like([flat], radiation=CU_K_ALPHA)
    with pytest.raises(BadPattern, match="no pattern"):
        ranges_like([], radiation=CU_K_ALPHA)


def test_what_it_writes_are_settings_of_the_agent(tmp_path: Path) -> None:
    told = adapt([measured("anatase", size=45.0)], {}, tmp_path)
    settings = PhasesSettings.model_validate({"phases": ("anatase", "rutile"), **told})
    recipe = recipe_of(settings)
    assert recipe.ranges.size[0] < 45.0
    assert recipe.unseen == wider(UNSEEN, recipe.ranges)
    plain = recipe_of(PhasesSettings(phases=("anatase", "rutile")))
    assert plain.ranges == Ranges()


def test_ranges_that_fall_are_refused() -> None:
    with pytest.raises(ValidationError, match="must rise"):
        PhasesSettings.model_validate({"phases": ("anatase",), "ranges": {"counts": (500, 50)}})
    with pytest.raises(ValidationError, match="colour"):
        PhasesSettings.model_validate({"phases": ("anatase",), "ranges": {"colour": (1, 2)}})
