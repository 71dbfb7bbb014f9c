"""Numbers that describe categories: from a table, or from the structures of molecules.

::

    solvents = read_table(Path("solvents.csv"))
    CategoricalParameter(
        name="solvent",
        categories=solvents.categories,
        descriptors=solvents.rows,
        descriptor_names=solvents.names,
    )
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from planners.categories import CategoricalParameter
from planners.errors import PlanningError
from planners.molecules import described_molecules

BYTE_ORDER_MARK = "\ufeff"
"""What spreadsheets write before the first cell."""


class BadDescriptors(PlanningError, ValueError):
    """A table of descriptors cannot be read or does not fit its categories."""


@dataclass(frozen=True, slots=True)
class DescriptorTable:
    """Categories with numbers that describe them.

    Attributes
    ----------
    names : of the descriptors.
    rows : category → one number a descriptor, in the order of the table.
    """

    names: tuple[str, ...]
    rows: Mapping[str, tuple[float, ...]]

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories, in the order of the table."""
        return tuple(self.rows)

    def only(self, categories: Sequence[str]) -> DescriptorTable:
        """Return the table of some categories.

        Raises
        ------
        BadDescriptors
            The table lacks one.
        """
        missing = [c for c in categories if c not in self.rows]
        if missing:
            raise BadDescriptors(
                f"the table describes {', '.join(self.categories[:10])}, but not "
                f"{', '.join(missing[:5])}; add a row for each category"
            )
        return DescriptorTable(self.names, {c: self.rows[c] for c in categories})

    def parameter(self, name: str, *, categories: Sequence[str] = ()) -> CategoricalParameter:
        """Return a parameter of these categories (by default all) with their descriptors."""
        table = self.only(categories) if categories else self
        return CategoricalParameter(
            name=name,
            categories=table.categories,
            descriptors=dict(table.rows),
            descriptor_names=table.names,
        )


def read_table(path: Path, *, smiles: str | None = None) -> DescriptorTable:
    """Return the descriptors in a table of comma-separated values with a header.

    The first column holds the categories, the others numbers.

    Parameters
    ----------
    smiles : header of a column that holds SMILES instead of a number. The molecules are then
        described by `planners.molecules.described_molecules`, after the table's own numbers; this
        needs the package RDKit.

    Raises
    ------
    BadDescriptors
        The file cannot be read, a cell is no number, or a category comes twice.
    MissingChemistry
        `smiles` is given and RDKit is not installed.
    """
    header, rows = _cells(path)
    if smiles is not None and smiles not in header[1:]:
        raise BadDescriptors(
            f"{path} has no column {smiles!r}; it has {', '.join(header[1:])}. Name the column "
            "with the SMILES"
        )
    numeric = [j for j in range(1, len(header)) if header[j] != smiles]
    table = {row[0]: tuple(_number(path, row, header, j) for j in numeric) for row in rows}
    if len(table) != len(rows):
        labels = [row[0] for row in rows]
        twice = next(c for c in labels if labels.count(c) > 1)
        raise BadDescriptors(f"{path} describes {twice!r} twice; keep one row for each category")
    found = DescriptorTable(tuple(header[j] for j in numeric), table)
    if smiles is None:
        return found
    at = header.index(smiles)
    return joined(found, from_smiles({row[0]: row[at] for row in rows}))


def from_smiles(smiles: Mapping[str, str], *, n_fingerprint: int = 3) -> DescriptorTable:
    """Return descriptors of molecules given as category → SMILES.

    Parameters
    ----------
    n_fingerprint : principal components of the fingerprints kept at most.

    Raises
    ------
    BadDescriptors
        A SMILES cannot be read.
    MissingChemistry
        RDKit is not installed.
    """
    try:
        names, table = described_molecules(tuple(smiles.values()), n_fingerprint=n_fingerprint)
    except ValueError as error:
        raise BadDescriptors(str(error)) from error
    rows = zip(smiles, (tuple(r) for r in table.tolist()), strict=True)
    return DescriptorTable(names, dict(rows))


def joined(one: DescriptorTable, other: DescriptorTable) -> DescriptorTable:
    """Return the descriptors of both tables for the categories of the first.

    Raises
    ------
    BadDescriptors
        The second table lacks a category.
    """
    more = other.only(one.categories)
    return DescriptorTable(
        one.names + more.names, {c: one.rows[c] + more.rows[c] for c in one.categories}
    )


def _cells(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadDescriptors(
            f"the table {path} cannot be read: {error}; give the path of a file of "
            "comma-separated values"
        ) from error
    lines = csv.reader(text.removeprefix(BYTE_ORDER_MARK).splitlines())
    rows = [[cell.strip() for cell in row] for row in lines if any(cell.strip() for cell in row)]
    if len(rows) < 2 or len(rows[0]) < 2:
        raise BadDescriptors(
            f"the table {path} has no descriptors; it needs a header, and below it one row a "
            "category: its name, then numbers"
        )
    header = rows[0]
    ragged = [i + 1 for i, row in enumerate(rows) if len(row) != len(header)]
    if ragged:
        raise BadDescriptors(
            f"row {ragged[0]} of {path} has {len(rows[ragged[0] - 1])} cells for {len(header)} "
            "columns; fill every cell"
        )
    return header, rows[1:]


def _number(path: Path, row: list[str], header: list[str], j: int) -> float:
    try:
        value = float(row[j])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadDescriptors(
            f"{path} gives {row[0]!r} the {header[j]} {row[j]!r}, which is no finite number; "
            "write a number, or remove the column"
        )
    return value
