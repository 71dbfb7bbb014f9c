"""A table ready to be written, with the meaning of its columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of a table means.

    Attributes
    ----------
    unit : empty if the column has none or none is known.
    """

    name: str
    unit: str
    description: str


@dataclass(frozen=True, slots=True)
class Exported:
    """A table ready to be written.

    Attributes
    ----------
    columns : every column in order; the keys of `records` are among them.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    records: tuple[Record, ...] = field(repr=False)

    def frame(self) -> pd.DataFrame:
        """Return the table; a column that mixes numbers and words holds words."""
        import pandas as pd

        names = [column.name for column in self.columns]
        frame = pd.DataFrame.from_records(list(self.records), columns=names)
        for name in names:
            if any(isinstance(value, str) for value in frame[name]):
                frame[name] = [None if pd.isna(value) else str(value) for value in frame[name]]
        return frame
