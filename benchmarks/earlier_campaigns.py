"""Experiments until near the optimum, alone and with an earlier campaign to learn from.

The earlier campaign made random experiments on the same function, shifted a little and on another
scale (alike), on the function with every axis turned round (mirrored) or on its negative
(opposite), or measured noise. Counted are experiments until the
regret is below a goal; one that never gets there counts as one more than the budget. The column
"beside alone" compares seed by seed: mean difference and its standard error.

    python benchmarks/earlier_campaigns.py --seeds 10

Searches that stand in the records (`--records`) are not repeated. Constants of the planner were
tuned on seeds from 100 on; numbers are told of seeds from 0 on.
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
from planning.functions import FUNCTIONS, Function  # noqa: E402
from planning.paired import read_records  # noqa: E402

from planners import Objective, Observation, Target  # noqa: E402
from planners.bayesian import make  # noqa: E402
from planners.earlier import EarlierCampaign  # noqa: E402
from planners.sampling import draw_uniform  # noqa: E402

Record = dict[str, Any]

OBJECTIVE = Objective(targets=(Target(quantity="f", goal="minimize"),))
GOALS = {"branin": (0.5, 25, 40), "hartmann6": (0.2 * 3.322368, 40, 60)}
"""Function → regret that counts as found, budget, experiments of the earlier campaign."""

SHIFT = 0.05
"""Standard deviation by which the optimum of an alike campaign lies elsewhere, along each name."""

KINDS = ("alone", "alike", "mirrored", "opposite", "noise")


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--functions", default=",".join(GOALS))
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--seeds", type=int, default=10, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--records", type=Path, help="file of searches, added to and resumed")
    return parser.parse_args()


def main() -> None:
    """Search with every kind of earlier campaign and print the counts."""
    asked = arguments()
    seeds = range(asked.first, asked.first + asked.seeds)
    kinds = asked.kinds.split(",")
    done = {(r["function"], r["kind"], r["seed"]): r for r in read_records(asked.records)}
    for name in asked.functions.split(","):
        table: dict[str, list[Record]] = {kind: [] for kind in kinds}
        for seed in seeds:
            for kind in kinds:
                record = done.get((name, kind, seed))
                if record is None:
                    record = searched(FUNCTIONS[name], kind, seed)
                    _append(asked.records, record)
                table[kind].append(record)
        _show(name, seeds, table)


def searched(function: Function, kind: str, seed: int) -> Record:
    """Return the record of one search, until the goal is met or the budget spent.

    It holds the `count` of experiments, the regret after each, the weight of the earlier campaign
    behind each (None where no model chose, 0 where it was left aside) and CPU seconds.
    """
    goal, budget, n_earlier = GOALS[function.name]
    planner = make({"seed": seed, "earlier": _earlier(function, kind, seed, n_earlier)})
    known: list[Observation] = []
    regrets: list[float] = []
    weights: list[float | None] = []
    begin = time.process_time()
    while len(known) < budget and not (regrets and regrets[-1] < goal):
        proposal = planner.propose(
            function.space,
            OBJECTIVE,
            observations=known,
            rng=np.random.default_rng([seed, len(known)]),
        )[0]
        told = proposal.reason
        outcomes = function.at(proposal.values)
        known.append(
            Observation(values=proposal.values, outcomes=outcomes, predicted=told.predicted)
        )
        regrets.append(function.regret(outcomes))
        weights.append(told.model.get(f"f.weight.{kind}", 0.0) if told.model else None)
    return {
        "function": function.name,
        "kind": kind,
        "seed": seed,
        "count": len(known) + int(regrets[-1] >= goal),
        "regrets": regrets,
        "weights": weights,
        "cpu_seconds": time.process_time() - begin,
    }


def _show(name: str, seeds: range, table: dict[str, list[Record]]) -> None:
    print(f"\n{name}, seeds {seeds[0]} to {seeds[-1]}")
    print("earlier    median   mean  quartiles      beside alone   CPU s an experiment")
    alone = [r["count"] for r in table.get("alone", [])]
    for kind, records in table.items():
        counts = np.array([r["count"] for r in records])
        low, median, high = np.quantile(counts, [0.25, 0.5, 0.75])
        each = sum(r["cpu_seconds"] for r in records) / sum(len(r["regrets"]) for r in records)
        print(
            f"{kind:10} {median:6.1f} {counts.mean():6.1f}  {low:4.1f} … {high:4.1f}  "
            f"{_difference(kind, counts, alone):>14}   {each:.3f}",
            flush=True,
        )


def _difference(kind: str, counts: np.ndarray, alone: list[int]) -> str:
    """Return the mean difference and its standard error, in words."""
    if kind == "alone" or len(alone) < 2:
        return ""
    apart = counts - np.array(alone)
    return f"{apart.mean():+.1f} ± {apart.std(ddof=1) / np.sqrt(len(apart)):.1f}"


def _earlier(function: Function, kind: str, seed: int, n: int) -> tuple[EarlierCampaign, ...]:
    if kind == "alone":
        return ()
    rng = np.random.default_rng([seed, 5])
    shift = SHIFT * rng.standard_normal(function.dimension)

    def moved(x: np.ndarray) -> float:
        return 50.0 + 7.0 * function.outcomes(np.clip(x + shift, 0.0, 1.0))["f"]

    answers: dict[str, Callable[[np.ndarray], float]] = {
        "alike": moved,
        "mirrored": lambda x: function.outcomes(1.0 - x)["f"],
        "opposite": lambda x: -function.outcomes(x)["f"],
        "noise": lambda _: float(rng.standard_normal()),
    }
    points = draw_uniform(function.space, n, rng=rng)
    told = tuple(
        Observation(values=p, outcomes={"f": answers[kind](np.array(list(p.values())))})
        for p in points
    )
    return (EarlierCampaign(name=kind, space=function.space, observations=told),)


def _append(path: Path | None, record: Record) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(json.dumps(record, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
