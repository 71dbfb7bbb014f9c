"""Settings of an agent from the command line: `--set name=value`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence

from analysis.errors import BadSettings


def assigned(options: Mapping[str, object], assignments: Sequence[str]) -> dict[str, object]:
    """Return settings with assignments such as ``phases=["rutile"]`` put over them.

    A value is written as in TOML; a dotted name, ``resolution.w=0.006``, reaches into a table.

    Raises
    ------
    BadSettings
        An assignment is no TOML.
    """
    found = dict(options)
    for text in assignments:
        found = _over(found, _parse(text))
    return found


def _parse(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(
            f"--set {text} is no setting ({error}); write name=value as in TOML, text in quotes: "
            '--set \'phases=["anatase", "rutile"]\''
        ) from error


def _over(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(under, Mapping) and isinstance(value, Mapping)
        merged[key] = _over(under, value) if both else value  # type: ignore[arg-type]
    return merged
