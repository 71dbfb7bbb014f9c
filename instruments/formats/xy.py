"""Reader of ``.xy``: two columns, axis and signal."""

from __future__ import annotations

from instruments.formats.columns import parse_columns
from instruments.formats.curve import Curve
from instruments.formats.headers import marks, wavelength_in
from instruments.formats.source import Source


def read_xy(source: Source) -> Curve:
    """Return the curve of a two-column file.

    Comments (``#``, ``!``, …) and one single number, a wavelength in Å, may stand above. What
    stands in a third column is not said by the format, so it is left out and flagged
    ``columns_left_out``; standard deviations belong into ``.xye``.

    Raises
    ------
    UnreadableFile
        A line is neither comment nor point.
    """
    columns = parse_columns(source, free_header=False)
    flags = marks(columns)
    if columns.values.shape[1] > 2:
        flags += ("columns_left_out",)
    return Curve(
        x=columns.values[:, 0].copy(),
        y=columns.values[:, 1].copy(),
        settings=wavelength_in(source, columns.header, single_number=True),
        flags=flags,
        first_line=columns.first_line,
    )
