"""Measurements of one series → curves over one logarithmic axis that can be demixed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.errors import BadPattern
from analysis.learning.decomposition.stretched_model import Model, Nuisance
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

FEWEST = 6
"""Curves below which phases and transitions cannot be told."""

SPACING = 0.4
"""Step at the axis's far end in units of π/Q_max, or of the measured step over Q."""

BEYOND = 0.04
"""Length in ln x by which the axis goes beyond the curves at both ends."""

OVERLAP = 0.8
"""Share of the first curve's range that all must share."""

_EXPONENT = {"g_r": 2.0, "f_q": -1.0, "s_q": 0.0, "i_q": 0.0, "intensity": 0.0}
_BY_ORDER = "place in the series"
_TEMPERATURE = re.compile(r"(?<![A-Za-z\d.])T?_?(\d+(?:\.\d+)?)_?(K|C)(?![A-Za-z\d])")


@dataclass(frozen=True, slots=True, eq=False)
class SeriesCurves:
    """Curves ready for demixing, in the order of the series variable.

    Attributes
    ----------
    model : axis and kind, without patterns.
    curves : (n_curves, n_points), multiplied by √x so that every Å or 1/Å counts alike.
    variable : (n_curves,) temperature, time or whatever the series runs along, increasing.
    order : (n_curves,) place of each curve in the measurements as given.
    variable_name : what it is.
    oversampling : points that stand for one independent one, at least 1.
    x_name, x_unit, y_unit : of the curves.
    """

    model: Model
    curves: FloatArray
    variable: FloatArray
    variable_name: str
    order: NDArray[np.int64]
    oversampling: float
    x_name: str
    x_unit: str
    y_unit: str

    def plain(self, curves: FloatArray) -> FloatArray:
        """Return curves as measured, √x taken back."""
        return np.asarray(curves / np.sqrt(self.model.axis))


def series_curves(
    measurements: Sequence[Measurement],
    *,
    x_range: tuple[float, float],
    along: str | None = None,
    q_max: float | None = None,
) -> SeriesCurves:
    """Return the curves of a series.

    G(r) is signed: patterns of either sign, peaks that may widen. I(Q) is not negative, nor are its
    patterns. S(Q) and F(Q) may have either sign.

    Parameters
    ----------
    x_range : first and last r [Å] or q [1/Å] that is used.
    along : setting or reading that the series runs along; None takes a temperature from settings,
        readings or file names, or where there is none the order given.
    q_max : of a G(r) that does not state it [1/Å].

    Raises
    ------
    BadPattern
        Fewer than six curves, curves of several kinds, ranges that do not overlap, a curve that is
        0, a series variable that some measurement lacks, or that does not change.
    """
    _check_alike(measurements)
    name, values = series_variable(measurements, along)
    order = np.argsort(values, kind="stable")
    low = max(x_range[0], *(float(m.x[m.x > 0][0]) for m in measurements))
    high = min(x_range[1], *(float(m.x[-1]) for m in measurements))
    first = measurements[0]
    wished = min(x_range[1], float(first.x[-1])) - max(x_range[0], float(first.x[0]))
    if high - low < OVERLAP * wished or high < 2 * low:
        raise BadPattern(
            f"the curves share {first.x_name} = {low:.3g} … {high:.3g}, too little of "
            f"{x_range[0]:g} … {x_range[1]:g}; demix curves of one range together, or set x_range"
        )
    step, oversampling = _step(first, high, q_max)
    axis, observed = extended_axis(low, high, step)
    model = _model(first, axis, observed)
    curves = on_axis(measurements, model)[order]
    empty = np.flatnonzero(np.abs(curves).max(axis=1) <= 0)
    if empty.size:
        raise BadPattern(f"{measurements[order[empty[0]]].id} is 0 throughout; leave it out")
    return SeriesCurves(
        model=model,
        curves=curves,
        variable=values[order],
        variable_name=name,
        order=order,
        oversampling=oversampling,
        x_name=first.x_name,
        x_unit=first.x_unit,
        y_unit=first.y_unit,
    )


def on_axis(measurements: Sequence[Measurement], model: Model) -> FloatArray:
    """Return curves on a model's axis times √x, 0 beyond its range, (n_curves, n_points)."""
    rows = [np.interp(model.axis, m.x, m.y) for m in measurements]
    if not rows:
        return np.empty((0, len(model.axis)))
    return np.where(model.observed, np.array(rows) * np.sqrt(model.axis), 0.0)


def extended_axis(low: float, high: float, step: float) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return an axis even in ln x that goes `BEYOND` a range, and which points lie in the range."""
    axis = low * np.exp(np.arange(-BEYOND, np.log(high / low) + BEYOND, step))
    return axis, (axis >= low) & (axis <= high)


def series_variable(
    measurements: Sequence[Measurement], along: str | None
) -> tuple[str, FloatArray]:
    """Return what the series runs along and its values, (n_measurements,), all different.

    Parameters
    ----------
    along : name of a setting or a reading; None takes ``temperature``, else what file names and
        names of samples say (``…_T450.00C_…``, ``…_198K…``), else the order given.

    Raises
    ------
    BadPattern
        A measurement lacks the setting, or two have the same value.
    """
    name = along or "temperature"
    found = [_stated(m, name) for m in measurements]
    if along is None and None in found:
        found = [_named_temperature(m) for m in measurements]
        if None in found or len(set(found)) < len(found):
            return _BY_ORDER, np.arange(len(measurements), dtype=float)
    missing = [m.id for m, value in zip(measurements, found, strict=True) if value is None]
    if missing:
        raise BadPattern(
            f"{missing[0]} has no number as setting or reading {name!r}; state it for every "
            "measurement, or let the agent take their order"
        )
    values = np.array(found, dtype=float)
    if len(set(values)) < len(values):
        if along is None:
            return _BY_ORDER, np.arange(len(measurements), dtype=float)
        raise BadPattern(
            f"two measurements have the same {name}; demix one ramp at a time, or name a variable "
            "that grows, such as time"
        )
    return name, values


def _stated(measurement: Measurement, name: str) -> float | None:
    reading = measurement.readings.get(name)
    value = reading.value if reading is not None else measurement.settings.get(name)
    return float(value) if isinstance(value, int | float) else None


def _named_temperature(measurement: Measurement) -> float | None:
    """Return the temperature in the name of the file or sample, in its own unit."""
    name = Path(measurement.source.get("file", measurement.sample_id)).stem
    found = _TEMPERATURE.findall(name) or _TEMPERATURE.findall(measurement.sample_id)
    return float(found[-1][0]) if found else None


def _check_alike(measurements: Sequence[Measurement]) -> None:
    if len(measurements) < FEWEST:
        raise BadPattern(
            f"{len(measurements)} curves are no series; at least {FEWEST} are needed to tell phases"
        )
    kinds = {(m.technique, m.x_name, m.x_unit, m.y_name) for m in measurements}
    first = measurements[0]
    if len(kinds) > 1:
        raise BadPattern(f"the series mixes {sorted(kinds)}; demix curves of one kind together")
    axes = {("r", "Å"), ("q", "1/Å")}
    if (
        first.technique != "pdf"
        or first.y_name not in _EXPONENT
        or (first.x_name, first.x_unit) not in axes
    ):
        raise BadPattern(
            f"{first.id} is {first.y_name or 'nothing'} over {first.x_name} in {first.x_unit!r} by "
            f"technique {first.technique!r}; g_r over r in Å, or i_q, s_q or f_q over q in 1/Å, "
            "by technique 'pdf' was expected"
        )


def _model(first: Measurement, axis: FloatArray, observed: NDArray[np.bool_]) -> Model:
    # Lengths that grow by s make peaks over q move to q/s: S(Q s), and F(Q) = Q (S − 1).
    nuisance: Nuisance = "widen" if first.y_name == "g_r" else "none"
    return Model(
        axis=axis,
        patterns=np.empty((0, len(axis))),
        observed=observed,
        exponent=_EXPONENT[first.y_name] - 0.5,
        nuisance=nuisance,
        non_negative=first.y_name in ("i_q", "intensity"),
    )


def _step(first: Measurement, high: float, q_max: float | None) -> tuple[float, float]:
    """Return the step of the axis in ln x, and how many of its points are one independent one."""
    if first.x_name != "r":
        step = float(np.median(np.diff(first.x))) / high
        return step, 1.0
    stated = q_max if q_max is not None else first.settings.get("q_max")
    if not isinstance(stated, int | float):
        raise BadPattern(f"{first.id} does not state its Q_max; say q_max in the agent's settings")
    return SPACING * np.pi / float(stated) / high, 2 / SPACING
