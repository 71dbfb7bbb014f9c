"""Simulated counts as the measurement that an instrument would hand over."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def as_measurement(
    two_theta: FloatArray, counts: FloatArray, name: str, *, wavelength: float
) -> Measurement:
    """Return a powder pattern; points whose counts are NaN were not measured.

    Parameters
    ----------
    two_theta, counts : (n_points,) [deg], [counts].
    name : of the sample.
    wavelength : [Å].
    """
    there = np.isfinite(counts)
    return Measurement(
        id=f"{name}/xrd/0",
        sample_id=name,
        technique="xrd",
        x=two_theta[there],
        y=counts[there],
        sigma=None,
        x_name="two_theta",
        x_unit="deg",
        y_name="intensity",
        y_unit="counts",
        instrument="simulation",
        simulated=True,
        started=MOMENT,
        finished=MOMENT,
        settings={"wavelength": wavelength},
    )
