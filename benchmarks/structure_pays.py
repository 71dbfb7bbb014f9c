"""Does structure pay where nobody knows what the property has to do with it, and never hurt?

A library of thin films is replayed as a finite pool: a planner picks the next sample, the table
answers with its property and its diffraction pattern, which `xrd.fingerprint` reads. Compared are
the planner `bayesian`, which sees compositions alone, and the planner `structure`, which is told

- each sample's own pattern (`structure`), and without its doubts (`face value`),
- patterns of which 15 % are swapped among one another, unannounced (`swapped`),
- patterns shuffled over the whole library (`shuffled`): structure that is irrelevant.

`all known` tells `bayesian` the scores of every sample in advance, made or not: a ceiling.

Reported is the area under "% of the top 5 % found" over the budget, two random starts included, and
ratios of paired seeds with their bootstrap 90 % intervals, beside their bars. Worlds: `fe_ga_pd`,
measured (Kusne et al. 2020, doi:10.1038/s41467-020-19597-w); `step`, simulated phases that set the
property; `smooth`, simulated phases that have nothing to do with it. The planner's constants were
chosen on seeds 0 to 7 of the simulated ones.

    python benchmarks/structure_pays.py --worlds fe_ga_pd --seeds 20 --records records.jsonl
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
import numpy.typing as npt  # noqa: E402
from planning.paired import add_record, ratio_of_means, read_records  # noqa: E402
from planning.read_libraries import ARMS, RECORDED, read_library, replayed  # noqa: E402

from planners.benchmarking import area, bootstrap, random_area, top_rows  # noqa: E402

Array = npt.NDArray[np.float64]
Record = dict[str, Any]

BARS = (
    ("structure", "composition", 1.15),
    ("structure", "face value", 1.05),
    ("swapped", "structure", 0.95),
    ("face value, swapped", "composition", None),
    ("shuffled", "composition", 0.97),
    ("all known", "composition", None),
)
"""What is divided by what, and what the ratio should reach; None where it is told only."""


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--worlds", default=RECORDED, help="of fe_ga_pd, step, smooth")
    parser.add_argument("--arms", default=";".join(ARMS), help="separated by semicolons")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=int, default=40, help="samples, two starts included")
    parser.add_argument("--records", type=Path, help="file of replays, added to and resumed")
    parser.add_argument("--json", type=Path, help="where to write the numbers of the tables")
    return parser.parse_args()


def main() -> None:
    """Replay what is missing, then print and write."""
    asked = arguments()
    warnings.simplefilter("ignore")
    arms = asked.arms.split(";")
    wanted = [
        (world, arm, seed, asked.budget)
        for seed in range(asked.first, asked.first + asked.seeds)
        for world in asked.worlds.split(",")
        for arm in arms
    ]
    records = {key_of(r): r for r in read_records(asked.records)}
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
    """Return one replay as data for a line of JSON."""
    found = replayed(world, arm, seed=seed, budget=budget)
    return {
        "world": world,
        "arm": arm,
        "seed": seed,
        "budget": budget,
        "rows": list(found.rows),
        "cpu_seconds": round(float(np.median(found.cpu_seconds)), 4),
        "inside": float(np.mean(np.abs(found.deviations) <= 1.6449)),
    }


def key_of(record: Record) -> tuple[str, str, int, int]:
    """Return what tells a record from every other."""
    return record["world"], record["arm"], record["seed"], record["budget"]


def tell(world: str, records: Iterable[Record], arms: list[str]) -> dict[str, Any]:
    """Print the tables of one world; return their numbers."""
    by_arm = {arm: [r for r in records if r["arm"] == arm] for arm in arms}
    scores = {arm: np.array([_area(r) for r in rs]) for arm, rs in by_arm.items()}
    rng = np.random.default_rng(0)
    chance = random_area(
        len(read_library(world, 0).value), next(iter(by_arm.values()))[0]["budget"]
    )
    print(f"\n{world}: area in %, at random {chance:.1f}\n")
    print("| arm | area | 90 % | CPU-s | inside 90 % interval | seeds |\n|---|---|---|---|---|---|")
    report: dict[str, Any] = {"random": chance, "areas": {}, "ratios": []}
    for arm, values in scores.items():
        low, high = bootstrap(list(values), rng=rng)
        seconds = float(np.median([r["cpu_seconds"] for r in by_arm[arm]]))
        inside = float(np.mean([r["inside"] for r in by_arm[arm]]))
        print(
            f"| {arm} | {values.mean():.1f} | {low:.1f} to {high:.1f} | {seconds:.3f} | "
            f"{inside:.2f} | {len(values)} |"
        )
        report["areas"][arm] = [float(values.mean()), low, high, seconds, inside, len(values)]
    print("\n| ratio | value | 90 % | bar |\n|---|---|---|---|")
    for ours, theirs, bar in BARS:
        if ours in scores and theirs in scores:
            value, low, high = ratio_of_means(scores[ours], scores[theirs], rng=rng)
            wanted = "" if bar is None else f"at least {bar}"
            print(f"| {ours} / {theirs} | {value:.3f} | {low:.3f} to {high:.3f} | {wanted} |")
            report["ratios"].append([ours, theirs, value, low, high, bar])
    return report


def _area(record: Record) -> float:
    seed = 0 if record["world"] == RECORDED else record["seed"]
    return area(record["rows"], top_rows(read_library(record["world"], seed).value))


if __name__ == "__main__":
    main()
