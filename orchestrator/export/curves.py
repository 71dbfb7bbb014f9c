"""Curves as text files that every program of the field reads."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from analysis.insight import Curve
from instruments.measurement import Measurement


def file_stem(number: int, name: str) -> str:
    """Return a file name without extension for something of an experiment."""
    return f"{number:04d}_{re.sub(r'[^A-Za-z0-9.-]+', '_', name).strip('._')[:120]}"


def write_measurement(measurement: Measurement, stem: Path) -> Path:
    """Write a curve as ``.xye``, or without standard deviations as ``.csv``; return the file.

    Numbers keep every digit. The header of the ``.xye`` says in comments what it is and under
    which settings it was taken.
    """
    x_label = _label(measurement.x_name, measurement.x_unit)
    y_label = _label(measurement.y_name, measurement.y_unit)
    if measurement.sigma is None:
        path = stem.with_name(stem.name + ".csv")
        _write(path, f"{x_label},{y_label}", [measurement.x, measurement.y], separator=",")
        return path
    path = stem.with_name(stem.name + ".xye")
    origin = "simulated" if measurement.simulated else "measured"
    lines = [
        f"{measurement.id}, {measurement.technique}, by {measurement.instrument}",
        f"{origin} {measurement.finished.isoformat()}",
        *(f"{name} = {value}" for name, value in measurement.settings.items()),
        *([f"flags: {', '.join(measurement.flags)}"] if measurement.flags else []),
        f"columns: {x_label}, {y_label}, standard deviation",
    ]
    header = "\n".join("# " + " ".join(line.split()) for line in lines)
    _write(path, header, [measurement.x, measurement.y, measurement.sigma], separator=" ")
    return path


def write_evidence(curve: Curve, stem: Path) -> Path:
    """Write a curve kept as evidence, a column each, and return the file."""
    path = stem.with_name(stem.name + ".csv")
    labels = [_label(curve.x_name, curve.x_unit)]
    labels += [_label(name, curve.y_unit) for name in curve.columns]
    _write(path, ",".join(labels), [curve.x, *curve.columns.values()], separator=",")
    return path


def _label(name: str, unit: str) -> str:
    return (f"{name} [{unit}]" if unit else name).replace(",", " ")


def _write(path: Path, header: str, columns: list[np.ndarray], *, separator: str) -> None:
    table = np.column_stack(columns)
    with path.open("w", encoding="utf-8") as file:
        file.write(header + "\n")
        np.savetxt(file, table, fmt="%.17g", delimiter=separator)
