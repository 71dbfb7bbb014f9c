"""Tables to which the space of a campaign file refers: candidates, and descriptors of choices."""

from __future__ import annotations

from typing import cast

from instruments.errors import InstrumentError
from instruments.recorded_data import candidate_rows, read_tables
from orchestrator.errors import BadFile
from orchestrator.toml_source import KeyPath, TomlSource
from planners.descriptors import read_table
from planners.errors import PlanningError

Table = dict[str, object]


def with_tables(space: Table, source: TomlSource) -> Table:
    """Return the contents of ``[space]`` with the rows of tables in place of their paths.

    Paths are relative to the campaign file. What is no reference to a table is left to validation.

    Raises
    ------
    BadFile
        A table cannot be read, or a reference to one is not written as it should be.
    """
    found = dict(space)
    if isinstance(space.get("candidates"), dict):
        found["candidates"] = _candidates(cast(Table, space["candidates"]), source)
    parameters = space.get("parameters")
    if isinstance(parameters, list):
        found["parameters"] = [
            _described(p, ("space", "parameters", i), source) if _refers(p) else p
            for i, p in enumerate(parameters)
        ]
    return found


def columns_left_out(source: TomlSource) -> tuple[str, ...]:
    """Return the columns of the candidates' tables that a campaign file does not take from them.

    Raises
    ------
    BadFile
        A table cannot be read.
    """
    space = source.data.get("space")
    listed = space.get("candidates") if isinstance(space, dict) else None
    if not isinstance(listed, dict) or "table" not in listed:
        return ()
    tables = cast("str | list[str]", listed["table"])
    try:
        columns = read_tables(tables, folder=source.path.parent).columns
    except InstrumentError as error:
        fault = source.fault(("space", "candidates", "table"), str(error))
        raise BadFile(source.path, [fault]) from error
    taken = cast(list[str], listed["columns"])
    return tuple(name for name in columns if name not in taken)


def _candidates(table: Table, source: TomlSource) -> Table:
    """Replace a reference to a table file by its rows."""
    if "table" not in table:
        return table
    where = ("space", "candidates")
    strangers = set(table) - {"table", "columns"}
    faults = [source.fault((*where, s), "is no key that is known here") for s in strangers]
    columns = table.get("columns")
    tables = table["table"]
    if not isinstance(tables, str) and not _is_texts(tables):
        message = "must be the path of a table, or several whose rows belong together"
        faults.append(source.fault((*where, "table"), message))
    if not _is_texts(columns):
        faults.append(
            source.fault((*where, "columns"), "must list the columns that are settings, as text")
        )
    if faults:
        raise BadFile(source.path, faults)
    try:
        names, rows = candidate_rows(
            cast("str | list[str]", tables), cast(list[str], columns), folder=source.path.parent
        )
    except InstrumentError as error:
        raise BadFile(source.path, [source.fault((*where, "table"), str(error))]) from error
    return {"columns": names, "rows": rows}


def _refers(parameter: object) -> bool:
    if not isinstance(parameter, dict):
        return False
    described = parameter.get("descriptors")
    return isinstance(described, dict) and isinstance(described.get("table"), str)


def _described(parameter: Table, where: KeyPath, source: TomlSource) -> Table:
    """Replace ``descriptors = {table = "solvents.csv"}`` by the numbers of the table.

    Without `categories`, every row of the table is one.
    """
    where = (*where, "descriptors")
    reference = cast(Table, parameter["descriptors"])
    smiles = reference.get("smiles")
    faults = [
        source.fault((*where, key), "is no key that is known here; there are table and smiles")
        for key in set(reference) - {"table", "smiles"}
    ]
    if smiles is not None and not isinstance(smiles, str):
        faults.append(source.fault((*where, "smiles"), "must be the header of a column"))
    if faults:
        raise BadFile(source.path, faults)
    path = source.path.parent / cast(str, reference["table"])
    try:
        table = read_table(path, smiles=cast("str | None", smiles))
        wanted = parameter.get("categories")
        chosen = table.only(cast(list[str], wanted)) if _is_texts(wanted) else table
    except PlanningError as error:
        raise BadFile(source.path, [source.fault((*where, "table"), str(error))]) from error
    return {
        "categories": list(chosen.categories),
        **parameter,
        "descriptors": {c: list(row) for c, row in chosen.rows.items()},
        "descriptor_names": list(chosen.names),
    }


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)
