"""CPU seconds to build a space from a list of candidates, and to tell which of them were tried.

    python benchmarks/candidate_lists.py --rows 20000 --columns 6 --json out.json

Lists of numbers, of numbers with two text columns, and of numbers beside a free setting. The same
list is never built twice in one run; times are CPU seconds of one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
import scipy.spatial  # noqa: E402, F401  so that its import is not timed

from planners import CandidateList, ContinuousParameter, SearchSpace  # noqa: E402
from planners.encoding import Encoding  # noqa: E402
from planners.finite import table_of, untried  # noqa: E402
from planners.sampling import draw_sobol, draw_uniform  # noqa: E402

TRIED = 200
"""Experiments that were made."""


def main() -> None:
    """Time every kind of list, and print or save what was found."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=20_000)
    arguments.add_argument("--columns", type=int, default=6)
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    rng = np.random.default_rng(0)
    found = {
        kind: measured(rows, hybrid=kind == "hybrid")
        for kind, rows in lists(given.rows, given.columns, rng=rng).items()
    }
    steps = list(dict.fromkeys(step for times in found.values() for step in times))
    print(f"{'CPU s':<22}" + "".join(f"{kind:>10}" for kind in found))
    for step in steps:
        cells = (f"{times[step]:.4f}" if step in times else "" for times in found.values())
        print(f"{step:<22}" + "".join(f"{cell:>10}" for cell in cells))
    if given.json is not None:
        given.json.write_text(json.dumps({"rows": given.rows, "cpu_s": found}, indent=2))


def lists(n: int, width: int, *, rng: np.random.Generator) -> dict[str, list[tuple]]:
    """Return the rows of each kind of list."""
    numbers = [tuple(row) for row in rng.random((n, width)).tolist()]
    named = [(f"s{i % 40}", f"b{i % 23}", *row[2:]) for i, row in enumerate(numbers)]
    return {"numbers": numbers, "text": named, "hybrid": numbers}


def measured(rows: list[tuple], *, hybrid: bool) -> dict[str, float]:
    """Return step → CPU seconds."""
    names = tuple(f"x{j}" for j in range(len(rows[0])))
    free = (ContinuousParameter(name="temperature", low=300, high=900),) if hybrid else ()
    times: dict[str, float] = {}

    def timed(step: str, work: Callable[[], Any]) -> Any:
        start = time.process_time()
        done = work()
        times[step] = round(time.process_time() - start, 5)
        return done

    space = timed(
        "build the space",
        lambda: SearchSpace(parameters=free, candidates=CandidateList(columns=names, rows=rows)),
    )
    timed("encode it", lambda: (table_of(space), Encoding(space).columns))
    if hybrid:
        made = timed(
            "first draws", lambda: draw_uniform(space, TRIED, rng=np.random.default_rng(1))
        )
        timed("more draws", lambda: draw_uniform(space, TRIED, rng=np.random.default_rng(2)))
        timed("Sobol' draws", lambda: draw_sobol(space, TRIED, seed=0, skip=TRIED, avoid=made))
        rows_made = Encoding(space).encode(made)
        timed("decode", lambda: Encoding(space).decode(rows_made))
        return times
    table = table_of(space)
    assert table is not None
    made = [table.point(i) for i in range(TRIED)]
    off = [{n: v + 1e-6 if isinstance(v, float) else v for n, v in p.items()} for p in made]
    timed("untried, exact rows", lambda: untried(space, table, made))
    timed("untried, as executed", lambda: untried(space, table, off))
    timed("encode experiments", lambda: Encoding(space).encode(made))
    timed("JSON and back", lambda: SearchSpace.model_validate_json(space.model_dump_json()))
    return times


if __name__ == "__main__":
    main()
