"""What an axis is, from the words in a header."""

from __future__ import annotations

import re

_NAMES: tuple[tuple[str, str, str], ...] = (
    (r"(2|two|tw)[\s_-]*(theta|th|θ|ϑ)|^tth", "two_theta", "deg"),
    (r"^(q|s)\b|^q[\s_(\[]|scattering vector|momentum transfer", "q", "1/Å"),
    (r"^r\b|^r[\s_(\[]", "r", "Å"),
    (r"^energy|^e\b", "energy", "eV"),
)
_UNITS: tuple[tuple[str, str], ...] = (
    (r"nm\^?-1|1/nm|nm⁻¹|nm\$\^\{-1\}", "1/nm"),
    (r"mrad", "mrad"),
    (r"rad", "rad"),
    (r"kev", "keV"),
)

BY_TECHNIQUE: dict[str, tuple[str, str]] = {
    "xrd": ("two_theta", "deg"),
    "sas": ("q", "1/Å"),
    "pdf": ("q", "1/Å"),
    "xas": ("energy", "eV"),
    "ins": ("energy_transfer", "meV"),
}
"""The axis of a file that does not name it."""


def axis_from_words(words: str) -> tuple[str, str] | None:
    """Return name and unit of the axis that `words` describe, or None if they describe none.

    Examples
    --------
    >>> axis_from_words("2-Theta Angle (Degrees)")
    ('two_theta', 'deg')
    >>> axis_from_words("Q (nm^-1)")
    ('q', '1/nm')
    """
    lower = words.strip().strip("#\"' ").lower()
    for pattern, name, unit in _NAMES:
        if re.search(pattern, lower):
            stated = next((u for p, u in _UNITS if re.search(p, lower)), unit)
            return name, stated
    return None
