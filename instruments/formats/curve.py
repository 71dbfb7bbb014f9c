"""What a reader of one format hands over: the curve as the file tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from instruments.measurement import FloatArray

FEWEST_POINTS = 10
"""A shorter curve is taken for a truncated one."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One curve with what its file says about it; None or "" where the file says nothing.

    Attributes
    ----------
    x, y : (n_points,) axis and signal.
    sigma : (n_points,) standard deviation of `y`.
    counting : whether `y` counts events; None if the file does not say.
    settings : ``wavelength`` [Å], ``counting_time`` [s per point], ….
    first_line : line of the first point, where points stand one a line.
    """

    x: FloatArray
    y: FloatArray
    sigma: FloatArray | None = None
    x_name: str = ""
    x_unit: str = ""
    y_name: str = ""
    y_unit: str = ""
    counting: bool | None = None
    settings: Mapping[str, float | str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    started: datetime | None = None
    finished: datetime | None = None
    first_line: int | None = None
