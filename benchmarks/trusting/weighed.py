"""Weighed mixtures read by `xrd.quantify`, as records of one campaign a set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from planning.paired import add_record, read_records

from benchmarks.round_robin import Mixture, Result, by_agent, precursors, round_robin

Row = dict[str, Any]


def weighed_readings(path: Path) -> dict[int, list[Row]]:
    """Return set → readings: 0 is the round robin, 1 the precursors scanned for 8 minutes.

    The agent's error model was calibrated on scans of the precursors for 2 minutes; nothing was on
    the round robin.

    Parameters
    ----------
    path : JSON lines, one a reading; a file that is there is continued.
    """
    done = {(row["seed"], row["turn"]): row for row in read_records(path)}
    found: dict[int, list[Row]] = {}
    for seed, mixtures in enumerate((round_robin(), precursors(scan="8min"))):
        for turn, mixture in enumerate(mixtures):
            row = done.get((seed, turn))
            if row is None:
                row = _record(seed, turn, mixture, by_agent(mixture))
                add_record(path, row)
            found.setdefault(seed, []).append(row)
    return found


def _record(seed: int, turn: int, mixture: Mixture, result: Result) -> Row:
    keys = [f"xrd.weight_fraction.{phase}" for phase in result.phases]
    found = zip(keys, result.found, result.std, strict=True)
    weighed = zip(keys, result.weighed, strict=True)
    return {
        "seed": seed,
        "turn": turn,
        "kind": "usual",
        "name": mixture.name,
        "values": {},
        "truth": {key: value / 100 for key, value in weighed},
        "estimates": {key: (value / 100, std / 100, "") for key, value, std in found},
        "p_wrong": result.p_wrong,
        "novelty": None,
        "quality": {"rwp": result.rwp},
        "abstained": False,
    }
