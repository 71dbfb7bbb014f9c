"""Reader of ``.xye``: three columns, axis, signal and its standard deviation."""

from __future__ import annotations

from instruments.formats.columns import parse_columns
from instruments.formats.curve import Curve
from instruments.formats.headers import marks, wavelength_in
from instruments.formats.source import Source


def read_xye(source: Source) -> Curve:
    """Return the curve of a three-column file.

    The first line may be a single number, the wavelength in Å. A file without the third column
    is read as ``.xy`` and flagged ``no_sigma_in_file``.

    Raises
    ------
    UnreadableFile
        A line is neither comment nor point, or there are more than three columns.
    """
    columns = parse_columns(source, free_header=False)
    n_columns = columns.values.shape[1]
    if n_columns > 3:
        raise source.unreadable(
            f"has {n_columns} columns; axis, signal and standard deviation were expected",
            line=columns.first_line,
        )
    has_sigma = n_columns == 3
    return Curve(
        x=columns.values[:, 0].copy(),
        y=columns.values[:, 1].copy(),
        sigma=columns.values[:, 2].copy() if has_sigma else None,
        settings=wavelength_in(source, columns.header, single_number=True),
        flags=marks(columns) + (() if has_sigma else ("no_sigma_in_file",)),
        first_line=columns.first_line,
    )
