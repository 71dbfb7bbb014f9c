"""What benchmarks of paired seeds share: a file of records that is resumed, and ratios of means."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Record = dict[str, Any]

RESAMPLES = 4000


def read_records(path: Path | None) -> list[Record]:
    """Return the records of a file, a line of JSON each; none if there is no file.

    A line that a killed run left torn is told and left out; its work is done again.
    """
    if path is None or not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            print(f"line {number} of {path} is torn and left out", file=sys.stderr)
    return found


def add_record(path: Path | None, record: Record) -> None:
    """Add a record to a file, if there is to be one; after a torn line on a line of its own."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    torn = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
    with path.open("a") as file:
        file.write("\n" * torn + json.dumps(record, separators=(",", ":")) + "\n")


def ratio_of_means(
    some: Array, others: Array, *, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return the ratio of the means of paired scores with its bootstrap 90 % interval.

    Parameters
    ----------
    some, others : (n_seeds,), seed by seed.
    """
    picks = rng.integers(len(some), size=(RESAMPLES, len(some)))
    drawn = some[picks].mean(axis=1) / others[picks].mean(axis=1)
    low, high = np.quantile(drawn, [0.05, 0.95])
    return float(some.mean() / others.mean()), float(low), float(high)
