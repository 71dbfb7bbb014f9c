"""Reader of ``.dat``, ``.txt`` and ``.csv``: columns under a free header."""

from __future__ import annotations

import re

from instruments.formats.axes import axis_from_words
from instruments.formats.columns import Columns, fields, parse_columns
from instruments.formats.curve import Curve
from instruments.formats.headers import marks, wavelength_in
from instruments.formats.source import Source

_SIGMA = re.compile(r"sig|std|stdev|err|esd|uncert|^<?d(i|y)>?\b|^<?d(i|y)(\(|$)", re.IGNORECASE)


def read_dat(source: Source) -> Curve:
    """Return the curve of a file of columns with any header.

    Axis and signal are the first two columns. The standard deviation is the column whose label
    says so (``sigma``, ``std``, ``err``, ``dI``, …); in a file of three columns without labels
    it is the third. Other columns are left out and flagged ``columns_left_out``.

    Raises
    ------
    UnreadableFile
        A line below the header is no point, or more than three columns have no labels.
    """
    columns = parse_columns(source, free_header=True)
    labels = _labels(columns)
    n_columns = columns.values.shape[1]
    sigma = _sigma_column(source, columns, labels)
    axis = axis_from_words(labels[0]) if labels else None
    used = 2 + (sigma is not None)
    return Curve(
        x=columns.values[:, 0].copy(),
        y=columns.values[:, 1].copy(),
        sigma=columns.values[:, sigma].copy() if sigma is not None else None,
        x_name=axis[0] if axis else "",
        x_unit=axis[1] if axis else "",
        settings=wavelength_in(source, columns.header),
        flags=marks(columns) + (("columns_left_out",) if n_columns > used else ()),
        first_line=columns.first_line,
    )


def _labels(columns: Columns) -> list[str]:
    """Return the labels of the columns from the last header line, empty if it is none."""
    if not columns.header:
        return []
    last = columns.header[-1].lstrip("#!;%/* ").replace('"', "").replace("'", "")
    _, _, after = last.partition(":")
    for text in (last, after):
        labels = fields(text)
        if len(labels) == columns.values.shape[1]:
            return labels
    return []


def _sigma_column(source: Source, columns: Columns, labels: list[str]) -> int | None:
    n_columns = columns.values.shape[1]
    if labels:
        return next((i for i, label in enumerate(labels) if i > 1 and _SIGMA.search(label)), None)
    if n_columns > 3:
        raise source.unreadable(
            f"has {n_columns} columns without labels; write a line such as `# q I sigma dq` above "
            "them, or leave only axis, signal and standard deviation",
            line=columns.first_line,
        )
    return 2 if n_columns == 3 else None
