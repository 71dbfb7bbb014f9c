"""Can one campaign map the phases of a library and find its best property, each as well as alone?

A library of thin films is replayed as a finite pool: a planner picks the next sample, the table
answers with its property and its diffraction pattern, which `xrd.fingerprint` reads. Compared are

- `map`: the planner `phase_map` with all interest in the map,
- `property`: the planner `structure`, which maximises with structure as evidence,
- `both`: the planner `phase_map` with half the interest in each,
- `random`.

After the budget, two random starts included, every arm's readings are made into a map of all
samples by the same method (`planners.mapping.charting`), so that arms differ by what they measured
alone. Reported are the Fowlkes-Mallows index and the matched accuracy against the true regions,
which no planner sees; the index against the map that all patterns give by the same method
(`complete`: how much of what patterns can tell was found); and the regret, as a share of the
property's range. Ratios are of paired seeds, with their bootstrap 90 % intervals.

Worlds: `fe_ga_pd`, measured (Kusne et al. 2020, doi:10.1038/s41467-020-19597-w), its regions
computed from theory, not from these patterns; `step`, simulated phases that set the property.
Constants were chosen on seeds 0 to 7 of the simulated one.

    python benchmarks/phase_map_and_property.py --seeds 20 --records records.jsonl

`--calibration` looks at the map alone: of simulated libraries (held-out seeds: `--first 10`), how
sure is it of the phase of samples that were not read, and how often is it right?
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import warnings
from functools import cache
from pathlib import Path
from typing import Any

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
import numpy.typing as npt  # noqa: E402
from planning.mapped_libraries import (  # noqa: E402
    ARMS,
    agreement,
    foretold_phases,
    map_of,
    regions_of,
    rows_chosen,
    values_of,
)
from planning.paired import add_record, ratio_of_means, read_records  # noqa: E402
from planning.read_libraries import RECORDED  # noqa: E402

from planners.benchmarking import bootstrap  # noqa: E402

Array = npt.NDArray[np.float64]
Record = dict[str, Any]

LEVELS = (0.0, 0.4, 0.6, 0.75, 0.9, 1.01)
MEASURES = ("fowlkes_mallows", "accuracy", "complete", "regret")

BARS = (
    ("fowlkes_mallows", "both", "map", 0.95),
    ("fowlkes_mallows", "both", "random", None),
    ("fowlkes_mallows", "property", "map", None),
    ("fowlkes_mallows", "map", "random", None),
    ("complete", "both", "map", None),
    ("complete", "property", "map", None),
    ("complete", "map", "random", None),
    ("found", "both", "property", 0.95),
    ("found", "map", "property", None),
)
"""Measure, what is divided by what, and what the ratio should reach; None where it is told only.

`found` is 1 less the regret: the best property found, as a share of the range.
"""


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--worlds", default=RECORDED, help="of fe_ga_pd, step")
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=int, default=30, help="samples, two starts included")
    parser.add_argument("--calibration", action="store_true", help="of maps of simulated libraries")
    parser.add_argument("--records", type=Path, help="file of replays, added to and resumed")
    parser.add_argument("--json", type=Path, help="where to write the numbers of the tables")
    return parser.parse_args()


def main() -> None:
    """Replay what is missing, then print and write."""
    asked = arguments()
    warnings.simplefilter("ignore")
    if asked.calibration:
        tell_calibration(range(asked.first, asked.first + asked.seeds), asked.budget)
        return
    arms = asked.arms.split(",")
    records = {_key(r): r for r in read_records(asked.records)}
    wanted = [
        (world, arm, seed, asked.budget)
        for seed in range(asked.first, asked.first + asked.seeds)
        for world in asked.worlds.split(",")
        for arm in arms
    ]
    for key in wanted:
        if key not in records:
            records[key] = record_of(*key)
            add_record(asked.records, records[key])
            print(f"replayed {key}", file=sys.stderr)
    report = {
        world: tell(world, [records[k] for k in wanted if k[0] == world], arms)
        for world in asked.worlds.split(",")
    }
    if asked.json is not None:
        asked.json.write_text(json.dumps(report, indent=1))


def record_of(world: str, arm: str, seed: int, budget: int) -> Record:
    """Return one replay and its scores as data for a line of JSON."""
    rows = rows_chosen(world, arm, seed=seed, budget=budget)
    index, accuracy = agreement(map_of(world, rows, seed=seed), regions_of(world, seed))
    values = values_of(world, seed)
    regret = (values.max() - values[list(rows)].max()) / np.ptp(values)
    return {
        "world": world,
        "arm": arm,
        "seed": seed,
        "budget": budget,
        "rows": list(rows),
        "fowlkes_mallows": index,
        "accuracy": accuracy,
        "regret": float(regret),
    }


def tell(world: str, records: list[Record], arms: list[str]) -> dict[str, Any]:
    """Print the tables of one world; return their numbers."""
    told = [{**r, "complete": complete(r)} for r in records]
    scores = {
        arm: {m: np.array([r[m] for r in told if r["arm"] == arm]) for m in MEASURES}
        for arm in arms
    }
    rng = np.random.default_rng(0)
    whole = agreement(map_of_all(world, 0), regions_of(world, 0))
    print(f"\n{world}: the map of all patterns (seed 0) agrees {whole[0]:.3f}, {whole[1]:.3f}\n")
    print("| arm | Fowlkes-Mallows | 90 % | accuracy | complete | regret, % | 90 % | seeds |")
    print("|---|---|---|---|---|---|---|---|")
    report: dict[str, Any] = {"arms": {}, "ratios": []}
    for arm, measured in scores.items():
        at = {m: (float(v.mean()), *bootstrap(list(v), rng=rng)) for m, v in measured.items()}
        index, regret = at["fowlkes_mallows"], at["regret"]
        print(
            f"| {arm} | {index[0]:.3f} | {index[1]:.3f} to {index[2]:.3f} | "
            f"{at['accuracy'][0]:.3f} | {at['complete'][0]:.3f} | {100 * regret[0]:.2f} | "
            f"{100 * regret[1]:.2f} to {100 * regret[2]:.2f} | {len(measured['regret'])} |"
        )
        report["arms"][arm] = at
    print("\n| measure | ratio | value | 90 % | bar |\n|---|---|---|---|---|")
    for measure, ours, theirs, bar in BARS:
        if ours in scores and theirs in scores:
            value, low, high = ratio_of_means(
                *(_of(scores[a], measure) for a in (ours, theirs)), rng=rng
            )
            wanted = "" if bar is None else f"at least {bar}"
            print(
                f"| {measure} | {ours} / {theirs} | {value:.3f} | {low:.3f} to {high:.3f} | "
                f"{wanted} |"
            )
            report["ratios"].append([measure, ours, theirs, value, low, high, bar])
    return report


def complete(record: Record) -> float:
    """Return the index of a record's map against that of all patterns."""
    world, seed = record["world"], record["seed"]
    own = map_of(world, tuple(record["rows"]), seed=seed)
    return agreement(own, map_of_all(world, seed if world != RECORDED else 0))[0]


@cache
def map_of_all(world: str, seed: int) -> npt.NDArray[np.int64]:
    """Return the map that all patterns of a library give."""
    return map_of(world, tuple(range(len(values_of(world, seed)))), seed=seed)


def tell_calibration(seeds: range, n_read: int) -> None:
    """Print how sure maps of simulated libraries are of unread samples, and how often right."""
    for wrong in (0.0, 0.15):
        both = [foretold_phases(s, n_read=n_read, share_wrong=wrong) for s in seeds]
        sure, right = (np.concatenate(part) for part in zip(*both, strict=True))
        print(
            f"\n{wrong:.0%} of the answers wrong: {len(sure)} samples, said {sure.mean():.3f}, "
            f"right {right.mean():.3f}\n"
        )
        print("| said | mean | right | samples |\n|---|---|---|---|")
        for low, high in itertools.pairwise(LEVELS):
            here = (sure >= low) & (sure < high)
            if here.any():
                print(
                    f"| {low:g} to {min(high, 1):g} | {sure[here].mean():.3f} | "
                    f"{right[here].mean():.3f} | {here.sum()} |"
                )


def _of(scores: dict[str, Array], measure: str) -> Array:
    return 1 - scores["regret"] if measure == "found" else scores[measure]


def _key(record: Record) -> tuple[str, str, int, int]:
    return record["world"], record["arm"], record["seed"], record["budget"]


if __name__ == "__main__":
    main()
