"""Reader of GSAS ``.fxye``: a BANK line, then 2θ [centidegrees], signal, standard deviation."""

from __future__ import annotations

import re

from instruments.formats.columns import parse_columns
from instruments.formats.curve import Curve
from instruments.formats.headers import marks, wavelength_in
from instruments.formats.source import Source

_BANK = re.compile(r"BANK\s+\d+\s+(\d+)\s.*\bFXYE\b")


def read_fxye(source: Source) -> Curve:
    """Return the curve of a constant-wavelength GSAS file with one bank.

    The number of points in the BANK line is compared with what follows.

    Raises
    ------
    UnreadableFile
        There is no BANK line, or points are missing, or there are several banks.
    """
    columns = parse_columns(source, free_header=True)
    banks = [match for match in map(_BANK.match, columns.header) if match]
    if not banks:
        raise source.unreadable("has no `BANK … FXYE` line; a GSAS file of type FXYE was expected")
    stated, found = int(banks[0].group(1)), len(columns.values)
    if stated != found or columns.values.shape[1] != 3:
        raise source.unreadable(
            f"states {stated} points and holds {found} with {columns.values.shape[1]} columns; "
            "it is truncated or has several banks"
        )
    return Curve(
        x=columns.values[:, 0] / 100.0,
        y=columns.values[:, 1].copy(),
        sigma=columns.values[:, 2].copy(),
        x_name="two_theta",
        x_unit="deg",
        counting=False,  # scaled by the monitor
        settings=wavelength_in(source, columns.header),
        flags=marks(columns),
        first_line=columns.first_line,
    )
