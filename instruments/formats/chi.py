"""Reader of ``.chi``: integrated area-detector patterns of Fit2D and of the diffpy programs."""

from __future__ import annotations

import re

from instruments.formats.axes import axis_from_words
from instruments.formats.columns import Columns, is_comment, parse_columns
from instruments.formats.curve import Curve
from instruments.formats.headers import marks, wavelength_in
from instruments.formats.source import Source


def read_chi(source: Source) -> Curve:
    """Return the curve of a ``.chi`` file.

    Three headers are known: that of Fit2D (title, two axis labels, number of points), the
    ``key = value`` header of xPDFsuite and its kin, and none. Fit2D's number of points is
    compared with what follows. A third column is the standard deviation.

    Raises
    ------
    UnreadableFile
        A line is neither header nor point, or points are missing.
    """
    columns = parse_columns(source, free_header=True)
    header = columns.header
    if _is_fit2d(header):
        _check_length(source, columns)
        axis = axis_from_words(header[1])
        settings = wavelength_in(source, header[:3])
    else:
        axis = _axis_of_settings(header)
        settings = wavelength_in(source, header)
    if columns.values.shape[1] > 3:
        raise source.unreadable(
            f"has {columns.values.shape[1]} columns; axis, signal and standard deviation were "
            "expected",
            line=columns.first_line,
        )
    return Curve(
        x=columns.values[:, 0].copy(),
        y=columns.values[:, 1].copy(),
        sigma=columns.values[:, 2].copy() if columns.values.shape[1] == 3 else None,
        x_name=axis[0] if axis else "",
        x_unit=axis[1] if axis else "",
        counting=False,  # integrated and corrected intensities, even where they are whole
        settings=settings,
        flags=marks(columns),
        first_line=columns.first_line,
    )


def _is_fit2d(header: tuple[str, ...]) -> bool:
    return (
        len(header) == 4
        and not is_comment(header[1])
        and re.fullmatch(r"\d+", header[3], re.ASCII) is not None
    )


def _check_length(source: Source, columns: Columns) -> None:
    stated, found = int(columns.header[3]), len(columns.values)
    if stated != found:
        raise source.unreadable(
            f"states {stated} points and holds {found}; it is truncated, copy it again"
        )


def _axis_of_settings(header: tuple[str, ...]) -> tuple[str, str] | None:
    """Return the axis that a ``key = value`` header or a ``#L`` line names."""
    for line in header:
        key, _, value = line.partition("=")
        if key.strip() in ("integrationspace", "dataformat"):
            return {
                "qspace": ("q", "1/Å"),
                "QA": ("q", "1/Å"),
                "Qnm": ("q", "1/nm"),
                "twotheta": ("two_theta", "deg"),
            }.get(value.strip())
        if line.startswith("#L "):
            return axis_from_words(line[3:])
    return None
