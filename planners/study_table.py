"""Observations ⇄ a pandas table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from planners.errors import PlanningError
from planners.objective import Objective
from planners.proposal import Observation
from planners.space import SearchSpace

STD = ".std"
"""Ends the name of the column that holds a quantity's standard deviations."""

ASIDES = ("failed", "p_wrong", "cost")
"""Columns beside settings, context and outcomes: why it failed (empty if it did not), …"""


def as_frame(space: SearchSpace, objective: Objective, observations: Sequence[Observation]) -> Any:
    """Return a table with a row an observation; what is not known is NaN.

    The columns are the names of the space, its context variables, each quantity followed by
    ``<quantity>.std`` where some observation states one, and `failed`, `p_wrong` and `cost`.

    Raises
    ------
    PlanningError
        A name of the space or a quantity is also the name of another column.
    """
    # Here, since its import takes longer than a study needs that makes no table.
    import pandas as pd

    told = dict.fromkeys([*objective.quantities, *(q for o in observations for q in o.outcomes)])
    context = [v.name for v in space.context]
    stated = {q for o in observations for q in o.stds}
    outcomes = [c for q in told for c in ([q, q + STD] if q in stated else [q])]
    columns = [*space.names, *context, *outcomes, *ASIDES]
    _check_distinct(columns)
    rows = []
    for o in observations:
        errors = {q + STD: s for q, s in o.stds.items()}
        asides = {"failed": o.failure, "p_wrong": o.p_wrong, "cost": o.cost}
        rows.append({**o.values, **o.context, **o.outcomes, **errors, **asides})
    return pd.DataFrame(rows, columns=columns)


def told_rows(frame: Any, space: SearchSpace, objective: Objective) -> list[dict[str, Any]]:
    """Return the arguments of `Study.tell` for every row of a table.

    Columns as `as_frame` writes them; those of context, standard deviations, `failed`, `p_wrong`
    and `cost` may be missing. Every other column of numbers is an outcome. An empty cell is
    something that is not known.

    Raises
    ------
    PlanningError
        A column is missing or means nothing, or a row has neither an outcome nor a failure.
    """
    quantities = _outcome_columns(frame, space, objective)
    context = [v.name for v in space.context if v.name in frame.columns]
    rows: list[dict[str, Any]] = []
    for label, cells in zip(frame.index, frame.to_dict(orient="records"), strict=True):
        known = {name: value for name, value in cells.items() if not _is_empty(value)}
        failed = str(known.get("failed", ""))
        outcomes = {q: known[q] for q in quantities if q in known}
        if not outcomes and not failed:
            raise PlanningError(
                f"row {label} has neither an outcome nor a word in `failed`; give one of "
                f"{', '.join(quantities)}, say why it failed, or drop the row"
            )
        rows.append(
            {
                "values": {n: known[n] for n in space.names if n in known},
                "outcomes": outcomes,
                "stds": {q: known[q + STD] for q in outcomes if q + STD in known},
                "failed": failed,
                "p_wrong": float(known.get("p_wrong", 0.0)),
                "cost": float(known.get("cost", 0.0)),
                "context": {n: known[n] for n in context if n in known},
            }
        )
    return rows


def _outcome_columns(frame: Any, space: SearchSpace, objective: Objective) -> list[str]:
    from pandas.api.types import is_numeric_dtype

    present = [str(c) for c in frame.columns]
    missing = [n for n in space.names if n not in present]
    wanted = [q for q in objective.quantities if q in present]
    if missing or not (wanted or "failed" in present):
        lacking = missing or list(objective.quantities)
        raise PlanningError(
            f"the table has the columns {', '.join(present)} and lacks {', '.join(lacking)}; it "
            "needs every name of the space and at least one quantity of the objective"
        )
    taken = {*space.names, *(v.name for v in space.context), *ASIDES}
    rest = [c for c in present if c not in taken]
    found = [c for c in rest if not (c.endswith(STD) and c.removesuffix(STD) in rest)]
    texts = [c for c in found if not is_numeric_dtype(frame[c]) and not frame[c].isna().all()]
    if texts:
        raise PlanningError(
            f"the columns {', '.join(texts)} hold no numbers and are no names of the space; drop "
            "them, or declare them in the space"
        )
    return found


def _check_distinct(columns: Sequence[str]) -> None:
    twice = sorted({c for c in columns if columns.count(c) > 1})
    if twice:
        raise PlanningError(
            f"several columns of the table would be called {', '.join(twice)}; rename that name of "
            "the space or that quantity"
        )


def _is_empty(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and value != value)
