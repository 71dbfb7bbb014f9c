"""Anybody's table as a pool: settings and one measured column, read from a CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from planners.errors import PlanningError
from planners.objective import Objective, Target
from planners.proposal import Observation
from planners.settable import Value
from planners.space import CandidateList, SearchSpace

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 10
"""Candidates below which a replay tells nothing."""


@dataclass(frozen=True, slots=True)
class RecordedPool:
    """A finished list of experiments: each candidate with its measured value.

    Attributes
    ----------
    space : the candidates, in the order of the file; equal settings are one candidate.
    objective : maximise or minimise the measured column.
    values : one value a candidate, the mean where the file repeats one, shape (n_candidates,).
    """

    name: str
    space: SearchSpace
    objective: Objective
    values: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def gains(self) -> npt.NDArray[np.float64]:
        """The values with their sign turned so that more is better, shape (n_candidates,)."""
        return self.values if self.objective.targets[0].goal == "maximize" else -self.values

    def answer(self, row: int) -> Observation:
        """Return what an experiment at a candidate tells."""
        assert self.space.candidates is not None
        point = dict(
            zip(self.space.candidates.columns, self.space.candidates.rows[row], strict=True)
        )
        quantity = self.objective.targets[0].quantity
        return Observation(values=point, outcomes={quantity: float(self.values[row])})


def pool_from_csv(
    path: Path, *, target: str, maximize: bool, ignore: Sequence[str] = ()
) -> RecordedPool:
    """Return the pool of a CSV file with a heading line.

    Columns of numbers are numeric settings, all others categories. Rows with equal settings become
    one candidate with the mean of their values.

    Parameters
    ----------
    target : the measured column.
    ignore : columns that are neither settings nor the target, such as a sample's name.

    Raises
    ------
    PlanningError
        The file cannot be read, a named column is missing, a cell is empty, the target is no
        number, or too few candidates or no settings are left.
    """
    table = _read(path)
    _require_columns(table, path, [target, *ignore])
    settings = [c for c in table.columns if c not in (target, *ignore)]
    if not settings:
        raise PlanningError(
            f"{path} has no column beside the target {target!r} and those ignored; a pool needs "
            "at least one setting. Ignore fewer columns"
        )
    _require_complete(table[[*settings, target]], path)
    _require_numbers(table[target], path)
    groups = table.groupby(settings, sort=False)[target]
    means = groups.mean().reset_index()
    if len(means) < FEWEST:
        raise PlanningError(
            f"{path} holds {len(means)} different candidates; a replay needs at least {FEWEST} to "
            "tell planners apart. Give a larger table, or ignore no setting"
        )
    columns = [_values(means[c]) for c in settings]
    listed = CandidateList(columns=tuple(settings), rows=tuple(zip(*columns, strict=True)))
    wanted = Target(quantity=target, goal="maximize" if maximize else "minimize")
    return RecordedPool(
        name=path.stem,
        space=SearchSpace(candidates=listed),
        objective=Objective(targets=(wanted,)),
        values=means[target].to_numpy(dtype=np.float64),
    )


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        table = pd.read_csv(path, skipinitialspace=True)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise PlanningError(
            f"{path} cannot be read as a table: {error}. Expected a CSV file with a heading line; "
            "check the path, and export the table with commas"
        ) from error
    table.columns = [str(c).strip() for c in table.columns]
    return table


def _require_columns(table: pd.DataFrame, path: Path, names: Sequence[str]) -> None:
    missing = [n for n in names if n not in table.columns]
    if missing:
        raise PlanningError(
            f"{path} has no column {missing[0]!r}; it has {', '.join(table.columns)}. "
            "Spell it as in the heading line"
        )


def _require_complete(table: pd.DataFrame, path: Path) -> None:
    empty = table.isna()
    for column in table.columns:
        lines = [int(i) + 2 for i in np.flatnonzero(empty[column])]
        if lines:
            more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
            raise PlanningError(
                f"{path} has no value of {column!r} in line {lines[0]}{more}; every candidate "
                "needs all settings and the target. Fill or remove those lines, or ignore it"
            )


def _require_numbers(column: Any, path: Path) -> None:
    import pandas as pd

    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        numbers = pd.to_numeric(column, errors="coerce")
        wrong = int(np.flatnonzero(numbers.isna())[0]) if numbers.isna().any() else 0
        raise PlanningError(
            f"{path} has {column.iloc[wrong]!r} as {column.name!r} in line {wrong + 2}; the target "
            "must be a number. Take its unit into the heading, or choose another --target"
        )
    if not np.all(np.isfinite(column.to_numpy(dtype=np.float64))):
        raise PlanningError(
            f"{path} has an infinite value of {column.name!r}; expected finite numbers. Remove it"
        )


def _values(column: Any) -> list[Value]:
    import pandas as pd

    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return [float(v) if is_number else str(v) for v in column]
