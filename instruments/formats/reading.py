"""Any file of the field, read into a Measurement."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from instruments.errors import UnreadableFile
from instruments.formats.axes import BY_TECHNIQUE
from instruments.formats.chi import read_chi
from instruments.formats.comma_separated import read_csv
from instruments.formats.curve import FEWEST_POINTS, Curve
from instruments.formats.dat import read_dat
from instruments.formats.fxye import read_fxye
from instruments.formats.headers import LONGEST, SHORTEST
from instruments.formats.source import Source, read_source
from instruments.formats.total_scattering import read_fq, read_gr, read_iq, read_sq
from instruments.formats.xrdml import read_xrdml
from instruments.formats.xy import read_xy
from instruments.formats.xye import read_xye
from instruments.measurement import FloatArray, Measurement

READERS: dict[str, Callable[[Source], Curve]] = {
    ".xy": read_xy,
    ".xye": read_xye,
    ".xrdml": read_xrdml,
    ".chi": read_chi,
    ".dat": read_dat,
    ".txt": read_dat,
    ".csv": read_csv,
    ".fxye": read_fxye,
    ".gr": read_gr,
    ".sq": read_sq,
    ".fq": read_fq,
    ".iq": read_iq,
}
"""Extension → reader."""

TECHNIQUES = {".gr": "pdf", ".sq": "pdf", ".fq": "pdf", ".iq": "pdf"}
"""Extension → the technique of its files, where it says one; others hold diffraction."""

_SAME_WAVELENGTH = 0.005
"""Relative; Kα1, Kα2 and their mean, as different programs state them, differ by 0.25 %."""


def read_measurement(
    path: Path,
    *,
    technique: str | None = None,
    sample_id: str | None = None,
    measurement_id: str | None = None,
    wavelength: float | None = None,
    points: int | None = None,
    instrument: str = "",
) -> Measurement:
    """Return the curve in a file, with its uncertainty, settings and the file's hash.

    The reader is chosen by the extension, for ``.xrdml`` also by content. The standard deviation
    is the file's; where it has none and the signal is counts, it is √max(counts, 1), and the
    setting ``sigma`` says ``file``, ``sqrt(counts)`` or ``unknown``. A signal of whole numbers in
    a diffraction pattern without stated uncertainty is taken for counts. Time is the scan's, or
    where the file does not tell, that of its last change.

    Parameters
    ----------
    technique : decides the axis of files that do not name it; None takes what the extension
        says, ``xrd`` where it says nothing.
    sample_id : the file's stem if None.
    measurement_id : ``<sample>/<technique>/0`` if None.
    wavelength : in Å, for files that do not state it.
    points : how many points the curve must have; text formats without a stated length cannot
        otherwise show that they were cut between two lines.
    instrument : name of the instrument that took it.

    Raises
    ------
    UnreadableFile
        The file is missing, truncated, garbled or contradicts what is known of it. The sentence
        names the file, the line where there is one, and what was expected.
    """
    technique = technique or TECHNIQUES.get(path.suffix.lower(), "xrd")
    source = read_source(path)
    curve = _reader(source)(source)
    _check(source, curve, points=points, technique=technique)
    sigma, origin = _sigma(curve, technique)
    sample = sample_id if sample_id is not None else path.stem
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    x_name, x_unit = _axis(curve, technique)
    try:
        return Measurement(
            id=measurement_id or f"{sample}/{technique}/0",
            sample_id=sample,
            technique=technique,
            x=curve.x,
            y=curve.y,
            sigma=sigma,
            x_name=x_name,
            x_unit=x_unit,
            y_name=curve.y_name or "intensity",
            y_unit=curve.y_unit or ("counts" if _counts(curve, technique) else ""),
            instrument=instrument,
            simulated=False,
            started=curve.started or changed,
            finished=curve.finished or curve.started or changed,
            settings={**_settings(source, curve, wavelength), "sigma": origin},
            flags=curve.flags + _gap(curve.x),
            source={"file": str(path), "sha256": source.sha256},
        )
    except ValueError as error:
        raise source.unreadable(f"holds no curve: {error}") from error


def _reader(source: Source) -> Callable[[Source], Curve]:
    if b"<xrdMeasurements" in source.content[:4096]:
        return read_xrdml
    extension = source.path.suffix.lower()
    if extension not in READERS:
        raise source.unreadable(
            f"has the extension {extension!r}; files of {', '.join(READERS)} can be read"
        )
    return READERS[extension]


def _check(source: Source, curve: Curve, *, points: int | None, technique: str) -> None:
    n_points = curve.x.size
    if n_points < FEWEST_POINTS:
        raise source.unreadable(
            f"holds {n_points} points; at least {FEWEST_POINTS} were expected. Is it truncated?"
        )
    if points is not None and n_points != points:
        raise source.unreadable(f"holds {n_points} points; {points} were expected")
    falling = np.flatnonzero(np.diff(curve.x) <= 0)
    if falling.size:
        i = int(falling[0]) + 1
        raise source.unreadable(
            f"has {curve.x[i]:g} after {curve.x[i - 1]:g} on its axis; an increasing axis was "
            "expected. Sort the file or split the scans in it",
            line=_line(curve, i),
        )
    negative = np.flatnonzero(curve.y < 0)
    if negative.size and _counts(curve, technique):
        i = int(negative[0])
        raise source.unreadable(
            f"has {curve.y[i]:g} counts at {curve.x[i]:g}; counts cannot be negative",
            line=_line(curve, i),
        )
    if curve.sigma is not None and np.any(curve.sigma < 0):
        i = int(np.argmax(curve.sigma < 0))
        raise source.unreadable(
            f"has a negative standard deviation {curve.sigma[i]:g}", line=_line(curve, i)
        )


def _line(curve: Curve, point: int) -> int | None:
    return None if curve.first_line is None else curve.first_line + point


def _counts(curve: Curve, technique: str) -> bool:
    if curve.counting is not None:
        return curve.counting
    return technique == "xrd" and bool(np.all(curve.y == np.round(curve.y)))


def _sigma(curve: Curve, technique: str) -> tuple[FloatArray | None, str]:
    if curve.sigma is not None:
        return curve.sigma, "file"
    if not _counts(curve, technique):
        return None, "unknown"
    if curve.y_unit != "counts/s":
        return np.sqrt(np.maximum(curve.y, 1.0)), "sqrt(counts)"
    time = curve.settings.get("counting_time")
    if not isinstance(time, float) or time <= 0:
        return None, "unknown"
    return np.sqrt(np.maximum(curve.y * time, 1.0)) / time, "sqrt(counts)"


def _axis(curve: Curve, technique: str) -> tuple[str, str]:
    if curve.x_name:
        return curve.x_name, curve.x_unit
    return BY_TECHNIQUE.get(technique, ("x", ""))


def _settings(source: Source, curve: Curve, wavelength: float | None) -> dict[str, float | str]:
    settings = dict(curve.settings)
    if wavelength is None:
        return settings
    if not SHORTEST <= wavelength <= LONGEST:
        raise UnreadableFile(
            f"{source.path} was to be read with a wavelength of {wavelength:g} Å; a number from "
            f"{SHORTEST} to {LONGEST} was expected"
        )
    stated = settings.setdefault("wavelength", wavelength)
    if abs(float(stated) - wavelength) > _SAME_WAVELENGTH * wavelength:
        raise source.unreadable(
            f"states a wavelength of {stated} Å, and {wavelength:g} Å was given; correct one"
        )
    return settings


def _gap(x: FloatArray) -> tuple[str, ...]:
    """Return the flag ``gap`` if an otherwise even axis leaves points out."""
    steps = np.diff(x)
    step = float(np.median(steps))
    even = np.abs(steps - step) < 0.2 * step
    return ("gap",) if even.mean() > 0.95 and np.any(steps > 1.7 * step) else ()
