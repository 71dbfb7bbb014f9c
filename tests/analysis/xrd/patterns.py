"""Simulated and real patterns for the tests of diffraction."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.xrd.forward import CU_K_ALPHA, PhaseState, Resolution, pattern
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

START = datetime(2026, 1, 1, tzinfo=UTC)
TWO_THETA = np.arange(20.0, 80.0, 0.04)


def measurement(
    x: FloatArray,
    y: FloatArray,
    *,
    sigma: FloatArray | None = None,
    technique: str = "xrd",
    x_name: str = "two_theta",
    x_unit: str = "deg",
    identifier: str = "s/xrd/0",
    **settings: float | str,
) -> Measurement:
    return Measurement(
        id=identifier,
        sample_id="s",
        technique=technique,
        x=x,
        y=y,
        sigma=sigma,
        x_name=x_name,
        x_unit=x_unit,
        y_name="intensity",
        y_unit="counts",
        instrument="test",
        simulated=True,
        started=START,
        finished=START,
        settings={"wavelength": 1.5405929, **settings},
    )


def counted(
    phases: Sequence[PhaseState],
    *,
    rng: np.random.Generator,
    peak: float = 1e4,
    background: FloatArray | float = 100.0,
    resolution: Resolution = Resolution(w=0.006),  # noqa: B008
    displacement: float = 0.0,
    zero_shift: float = 0.0,
    x: FloatArray = TWO_THETA,
) -> Measurement:
    """A pattern with Poisson counts, `peak` at its highest point over the background."""
    bragg = pattern(
        x,
        phases,
        radiation=CU_K_ALPHA,
        resolution=resolution,
        displacement=displacement,
        zero_shift=zero_shift,
    )
    y = rng.poisson(bragg / bragg.max() * peak + background).astype(np.float64)
    return measurement(x, y, counting_time=1.0)


def real_data(name: str) -> Path:
    root = os.environ.get("SDLAB_DATA")
    folder = Path(root) if root else Path(__file__).parents[4] / "shared" / "data"
    if not (folder / name).is_dir():
        pytest.skip(f"{name} is not here; set SDLAB_DATA to the folder that holds it")
    return folder / name
