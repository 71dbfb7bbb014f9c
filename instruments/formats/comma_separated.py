"""Reader of ``.csv``: columns separated by commas, semicolons or tabs."""

from __future__ import annotations

from instruments.formats.curve import Curve
from instruments.formats.dat import read_dat
from instruments.formats.source import Source


def read_csv(source: Source) -> Curve:
    """Return the curve of a ``.csv`` file; labels and columns as in `read_dat`.

    Decimal commas are not understood: such a file is refused, since its numbers fall apart.

    Raises
    ------
    UnreadableFile
        As `read_dat`.
    """
    return read_dat(source)
