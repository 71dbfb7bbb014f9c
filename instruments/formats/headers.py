"""What headers of text files tell in the ways that several formats share."""

from __future__ import annotations

import re

from instruments.formats.columns import Columns, is_number
from instruments.formats.source import Source

SHORTEST, LONGEST = 0.01, 30.0
"""Wavelengths [Å] between hard X-rays and cold neutrons; others are typing errors."""

_WAVELENGTH = re.compile(r"(?:wave\s*length|lambda)\b[^=:\d]*[=:]?\s*([-+.\deE]+)", re.IGNORECASE)


def marks(columns: Columns) -> tuple[str, ...]:
    """Return the flags that every text format may raise."""
    return () if columns.terminated else ("last_line_unterminated",)


def checked_wavelength(source: Source, text: str) -> float:
    """Return the wavelength [Å] that `text` says.

    Raises
    ------
    UnreadableFile
        It is no number between 0.01 and 30 Å.
    """
    if is_number(text) and SHORTEST <= float(text) <= LONGEST:
        return float(text)
    raise source.unreadable(
        f"states a wavelength of {text} Å; a number from {SHORTEST} to {LONGEST} was expected"
    )


def wavelength_in(
    source: Source, header: tuple[str, ...], *, single_number: bool = False
) -> dict[str, float | str]:
    """Return the settings with the wavelength [Å] that a header states, empty if it states none.

    It follows ``wavelength =`` or ``lambda:``; with `single_number` it may also stand alone on
    a line.

    Raises
    ------
    UnreadableFile
        It lies outside 0.01–30 Å, or the header holds several single numbers.
    """
    single = [line for line in header if single_number and is_number(line)]
    if len(single) > 1:
        raise source.unreadable(
            f"has {len(single)} single numbers above its points; at most one, the wavelength, was "
            "expected"
        )
    stated = [m.group(1) for m in map(_WAVELENGTH.search, header) if m]
    found = single or stated[:1]
    return {"wavelength": checked_wavelength(source, found[0])} if found else {}
