"""Regret on functions with a known optimum: sdlab's planner beside Ax, plain BoTorch and chance.

Two to twenty coordinates, with and without bounds on outcomes. For a seed every planner begins
with the same five random points; the simple regret is the distance of the best point so far from
the optimum (of those that keep every bound). One thread, process CPU seconds.

    python benchmarks/synthetic_functions.py --planners sdlab,botorch,ax,sobol --seeds 5 \
        --records benchmarks/results/synthetic_functions.jsonl

Searches that stand in the records are not repeated. Ax gets an environment of its own (`--peers`).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from planning.functions import FUNCTIONS
from planning.peers import ROOT, default_directory, python_of
from planning.searching import STARTS, Search

SCRIPT = Path(__file__).with_name("planning") / "searching.py"


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--functions", default=",".join(FUNCTIONS))
    parser.add_argument("--planners", default="sdlab,sobol", help="sdlab,botorch,ax,sobol,random")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--settings", default="{}", help="JSON settings of sdlab's planner")
    parser.add_argument("--label", default="sdlab", help="name of these settings in the records")
    parser.add_argument("--jobs", type=int, default=1, help="searches at once, one core each")
    parser.add_argument("--records", type=Path, help="file of searches, added to and resumed")
    parser.add_argument("--peers", type=Path, default=default_directory())
    return parser.parse_args()


def main() -> None:
    """Search where no record answers, then print regrets."""
    asked = arguments()
    names = asked.functions.split(",")
    searches = [
        _search(function, planner, seed, asked)
        for seed in range(asked.seeds)
        for function in names
        for planner in asked.planners.split(",")
    ]
    records = _read(asked.records)
    done = {_key(r) for r in records}
    missing = [s for s in searches if s.key not in done]
    print(f"{len(missing)} of {len(searches)} searches to do", file=sys.stderr)
    pythons = {s.planner: python_of(s.planner, asked.peers) for s in missing}
    with ThreadPoolExecutor(asked.jobs) as pool:
        for record in pool.map(lambda s: _answer(s, pythons[s.planner]), missing):
            records.append(record)
            _append(asked.records, record)
    wanted = {s.key for s in searches}
    _show(names, [r for r in records if _key(r) in wanted])


def _search(function: str, planner: str, seed: int, asked: argparse.Namespace) -> Search:
    own = planner == "sdlab"
    return Search(
        function=function,
        planner=planner,
        seed=seed,
        budget=FUNCTIONS[function].budget,
        settings=json.loads(asked.settings) if own else {},
        label=asked.label if own else planner,
    )


def _answer(search: Search, python: Path) -> dict[str, Any]:
    """Return the record of one search, made in a process of its own.

    Raises
    ------
    SystemExit
        The process failed; what it said stands above on the error stream.
    """
    path = os.pathsep.join([str(ROOT), str(ROOT / "benchmarks")])
    done = subprocess.run(
        [str(python), str(SCRIPT), json.dumps(asdict(search))],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(
            f"{search.planner} on {search.function}, seed {search.seed}, ended without a record; "
            "its error stands above. Finished searches are kept: mend it and run again"
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _key(record: dict[str, Any]) -> tuple[object, ...]:
    return tuple(record[name] for name in ("function", "label", "seed", "budget"))


def _read(path: Path | None) -> list[dict[str, Any]]:
    """Return the records of a file; a torn last line is left out."""
    if path is None or not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]


def _append(path: Path | None, record: dict[str, Any]) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(json.dumps(record, separators=(",", ":")) + "\n")


def simple_regrets(record: dict[str, Any]) -> np.ndarray:
    """Return the least regret after each evaluation, infinity before a feasible point."""
    regrets = [np.inf if r is None else r for r in record["regrets"]]
    return np.minimum.accumulate(regrets)


def _show(functions: Sequence[str], records: Sequence[dict[str, Any]]) -> None:
    for name in functions:
        budget = FUNCTIONS[name].budget
        half = (STARTS + budget) // 2
        print(f"\n{name}: simple regret after {half} and {budget} evaluations")
        print(
            f"{'planner':12} {'median':>10} {'median':>10} {'worst':>10} {'CPU s':>7} {'seeds':>5}"
        )
        mine = [r for r in records if r["function"] == name]
        for label in dict.fromkeys(r["label"] for r in mine):
            of = [r for r in mine if r["label"] == label]
            curves = np.stack([simple_regrets(r) for r in of])
            seconds = float(np.median([np.mean(r["cpu_seconds"]) for r in of]))
            early, late = np.median(curves[:, [half - 1, -1]], axis=0)
            print(
                f"{label:12} {early:10.3g} {late:10.3g} {curves[:, -1].max():10.3g} "
                f"{seconds:7.3f} {len(of):5d}"
            )


if __name__ == "__main__":
    main()
