"""What the headers of total scattering files say of how they were made."""

from __future__ import annotations

import re

from instruments.formats.columns import is_number
from instruments.formats.headers import wavelength_in
from instruments.formats.source import Source

_KEYS = {
    "qmin": "q_min",
    "qmax": "q_max",
    "qdamp": "q_damp",
    "qbroad": "q_broad",
    "rpoly": "r_poly",
}
_STATED = re.compile(rf"\b({'|'.join(_KEYS)})\s*[=:]\s*([^\s,;#]*)", re.IGNORECASE)
_LAST_R = re.compile(r"\b(?:rmax|maxR)\s*[=:]\s*([^\s,;#]*)")
_MODE = re.compile(r"^#*\s*mode\s*[=:]\s*(\S+)", re.IGNORECASE)
_COMPOSITION = re.compile(r"^#*\s*composition\s*[=:]\s*(\S.*)$", re.IGNORECASE)
_PROBES = {"xray": "x-ray", "x-ray": "x-ray", "neutron": "neutron", "sas": "x-ray"}
_TABLES = (("relAtomNum", 1), ("symbol valence fractions", 2))
"""Words above the composition in PDFgetN's and PDFgetX2's headers, and the amount's column."""


def settings_in(source: Source, header: tuple[str, ...]) -> dict[str, float | str]:
    """Return ``wavelength``, ``q_min``, ``q_max``, ``probe``, ``composition``, … that are stated.

    Where a header repeats itself the first statement counts; empty values state nothing.

    Raises
    ------
    UnreadableFile
        A number is none, or the range of Q is empty.
    """
    stated = tuple(line for line in header if not line.rstrip().endswith("="))
    settings = wavelength_in(source, stated)
    for line in stated:
        for key, text in _STATED.findall(line):
            if text:
                settings.setdefault(_KEYS[key.lower()], _number(source, key, text))
    _check_range(source, settings)
    return settings | _probe(header) | _composition(header)


def last_r(header: tuple[str, ...]) -> float | None:
    """Return the last r [Å] that a header states, None if it states none."""
    found = [text for line in header for text in _LAST_R.findall(line) if is_number(text)]
    return float(found[0]) if found else None


def _number(source: Source, key: str, text: str) -> float:
    if not is_number(text) or float(text) < 0:
        raise source.unreadable(f"states a {key} of {text!r}; a number >= 0 was expected")
    return float(text)


def _check_range(source: Source, settings: dict[str, float | str]) -> None:
    low, high = settings.get("q_min", 0.0), settings.get("q_max")
    if high is not None and not float(low) < float(high):
        raise source.unreadable(
            f"states a range of Q from {low} to {high} Å⁻¹; qmin below qmax was expected"
        )


def _probe(header: tuple[str, ...]) -> dict[str, float | str]:
    for line in header:
        mode = _MODE.match(line)
        if mode and mode[1].lower() in _PROBES:
            return {"probe": _PROBES[mode[1].lower()]}
        if "PDFgetN" in line:
            return {"probe": "neutron"}
        if "Get_XPDF" in line:
            return {"probe": "x-ray"}
    return {}


def _composition(header: tuple[str, ...]) -> dict[str, float | str]:
    for number, line in enumerate(header):
        stated = _COMPOSITION.match(line)
        if stated:
            return {"composition": stated[1].strip()}
        for words, column in _TABLES:
            if words in line:
                return _of_table(header[number + 1 :], column)
    return {}


def _of_table(lines: tuple[str, ...], column: int) -> dict[str, float | str]:
    """Return a formula from rows of symbol and share, such as ``O0.6 Mn0.2 La0.2``."""
    parts = []
    for line in lines:
        cells = line.lstrip("# ").split()
        symbol = bool(cells) and re.fullmatch(r"[A-Z][a-z]?", cells[0]) is not None
        if len(cells) <= column or not symbol or not is_number(cells[column]):
            break
        parts.append(f"{cells[0]}{float(cells[column]):g}")
    return {"composition": " ".join(parts)} if parts else {}
