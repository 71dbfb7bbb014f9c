"""Readers of ``.gr``, ``.sq``, ``.fq`` and ``.iq``: total scattering and its transforms.

They come from PDFgetX3, xPDFsuite, PDFgetX2, PDFgetN, simulations and people's own scripts.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from instruments.formats.axes import axis_from_words
from instruments.formats.columns import Columns, fields, is_number, parse_columns
from instruments.formats.curve import Curve
from instruments.formats.headers import marks
from instruments.formats.source import Source
from instruments.formats.total_scattering_header import last_r, settings_in

_MARKER = re.compile(r"#+\s*start data", re.IGNORECASE)
_SIGMA = re.compile(r"sig|std|err|esd|^d_?(g|s|f|i)", re.IGNORECASE)
_AXES = {"r": "Å", "q": "1/Å"}


def read_gr(source: Source) -> Curve:
    """Return a reduced pair distribution function G(r) [1/Å²].

    Above the numbers may stand the header of any program: it ends in a line ``start data``, or
    its lines are comments or ``key = value``. The settings hold what it states of ``wavelength``
    [Å], ``q_min``, ``q_max``, ``q_damp``, ``q_broad`` [1/Å], ``r_poly`` [Å], ``composition`` and
    ``probe``. The standard deviation is the column that its label says, without labels the last
    of three or four; one that is zero throughout is none. A curve that ends before the r that its
    header states is flagged ``shorter_than_stated``.

    Raises
    ------
    UnreadableFile
        A line is no point, the header contradicts itself, or the axis is not r.
    """
    return _curve(source, axis="r", y_name="g_r", y_unit="1/Å²")


def read_sq(source: Source) -> Curve:
    """Return a structure function S(Q); as `read_gr`, over q."""
    return _curve(source, axis="q", y_name="s_q", y_unit="")


def read_fq(source: Source) -> Curve:
    """Return a reduced structure function F(Q) = Q (S − 1) [1/Å]; as `read_gr`, over q."""
    return _curve(source, axis="q", y_name="f_q", y_unit="1/Å")


def read_iq(source: Source) -> Curve:
    """Return a corrected intensity I(Q); as `read_gr`, over q."""
    return _curve(source, axis="q", y_name="i_q", y_unit="")


def _curve(source: Source, *, axis: str, y_name: str, y_unit: str) -> Curve:
    lines = re.split(r"\r\n|\n|\r", source.text())
    n_header = next((i + 1 for i, line in enumerate(lines) if _MARKER.match(line.strip())), 0)
    columns = parse_columns(_plain(source, lines, n_header), free_header=True)
    header = tuple(line.strip() for line in lines[: columns.first_line - 1])
    labels = _labels(header, columns)
    sigma = _sigma_column(source, columns, labels)
    values = columns.values
    has_sigma = sigma is not None and bool(np.any(values[:, sigma]))
    flags = marks(columns) + (() if has_sigma else ("no_sigma_in_file",))
    if axis == "r" and _is_cut(columns, last_r(header)):
        flags += ("shorter_than_stated",)
    return Curve(
        x=values[:, 0].copy(),
        y=values[:, 1].copy(),
        sigma=values[:, sigma].copy() if has_sigma else None,
        x_name=axis,
        x_unit=_unit(source, labels, axis),
        y_name=y_name,
        y_unit=y_unit,
        counting=False,
        settings=settings_in(source, header),
        flags=flags,
        first_line=columns.first_line,
    )


def _is_cut(columns: Columns, stated: float | None) -> bool:
    r = columns.values[:, 0]
    return stated is not None and len(r) > 1 and bool(r[-1] < stated - 2 * (r[-1] - r[-2]))


def _plain(source: Source, lines: list[str], n_header: int) -> Source:
    """Return the file with its header made comments and its idle columns left out.

    Tables in the headers of PDFgetN look like points. Some files hold two more columns, all zero,
    in some of their lines only.
    """
    body = lines[n_header:]
    rows = [fields(line.strip()) for line in body]
    points = [row for row in rows if len(row) >= 2 and all(map(is_number, row))]
    widths = {len(row) for row in points}
    idle = len(widths) > 1 and all(float(cell) == 0 for row in points for cell in row[2:])
    if idle:
        body = [
            " ".join(row[:2]) if row and all(map(is_number, row)) else line
            for row, line in zip(rows, body, strict=True)
        ]
    text = "\n".join(["#"] * n_header + body)
    return replace(source, content=text.encode())


def _labels(header: tuple[str, ...], columns: Columns) -> list[str]:
    """Return the labels of the columns, from a line ``#L`` or the last comment; else none."""
    lines = [line for line in header if line]
    labelled = [line[2:] for line in lines if line.startswith("#L")]
    last = labelled[-1:] or [line for line in lines[-1:] if line.startswith("#")]
    found = fields(last[0].lstrip("# ").strip()) if last else []
    return found if len(found) == columns.values.shape[1] else []


def _sigma_column(source: Source, columns: Columns, labels: list[str]) -> int | None:
    n_columns = columns.values.shape[1]
    if n_columns > 4:
        raise source.unreadable(
            f"has {n_columns} columns; axis, signal and at most their standard deviations were "
            "expected",
            line=columns.first_line,
        )
    if labels:
        return next((i for i, label in enumerate(labels) if i > 1 and _SIGMA.search(label)), None)
    return n_columns - 1 if n_columns > 2 else None


def _unit(source: Source, labels: list[str], axis: str) -> str:
    stated = axis_from_words(labels[0]) if labels else None
    if stated is None:
        return _AXES[axis]
    name, unit = stated
    if name != axis:
        raise source.unreadable(
            f"calls its axis {labels[0]!r}; {axis} was expected in a {source.path.suffix} file"
        )
    return unit
