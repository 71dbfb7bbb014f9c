"""Share of the best candidates found: sdlab's planner beside Ax, BayBE, plain BoTorch and chance.

A pool is a finished campaign: candidates and their measured values. A planner picks the next row,
the table answers. For a seed every planner gets the same two random first rows. Reported is the
area under "% of the top 5 % found" over the budget (the first two rows included); for several
objectives the hypervolume in per cent of the pool's own front. Everything runs on one thread and
is charged in process CPU seconds.

    python benchmarks/planner_pools.py --planners sdlab,ax,baybe,botorch --seeds 20 \
        --records benchmarks/results/planner_pools.jsonl --json out.json

Replays that stand in the records are not repeated. Ax and BayBE get environments of their own
(`--peers`). Another planner is named as `module:factory`; `--settings` are sdlab's. Data:
`$SDLAB_DATA/planner`; sources stand beside the pools in `planning/pools.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

from planning import measures, peers, records, showing  # noqa: E402  after the thread counts
from planning.paired import read_records  # noqa: E402
from planning.pools import CHOSEN_ON, FRONTS, JUDGED, POOLS, load  # noqa: E402
from planning.replaying import PROTOCOLS, Task  # noqa: E402

from planners.benchmarking import Summary  # noqa: E402

SHORTHANDS = {"judged": JUDGED, "fronts": FRONTS}


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pools", default="judged", help="names, or: judged, fronts")
    parser.add_argument("--planners", default="sdlab,random", help="sdlab,ax,baybe,botorch,random")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=int, default=60, help="evaluations, two starts included")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="mean")
    parser.add_argument("--settings", default="{}", help="JSON settings of sdlab's planner")
    parser.add_argument("--label", default="sdlab", help="name of these settings in the records")
    parser.add_argument("--jobs", type=int, default=1, help="replays at once, one core each")
    parser.add_argument("--records", type=Path, help="file of replays, added to and resumed")
    parser.add_argument("--peers", type=Path, default=peers.default_directory())
    parser.add_argument("--json", type=Path, help="where to write the numbers of the tables")
    return parser.parse_args()


def main() -> None:
    """Replay what is missing, then print and write."""
    asked = arguments()
    pools = [p for name in asked.pools.split(",") for p in SHORTHANDS.get(name, (name,))]
    if unknown := [p for p in pools if p not in POOLS]:
        raise SystemExit(f"no pool {unknown[0]!r}; there are {', '.join(POOLS)}")
    planners = [p for p in asked.planners.split(",") if p != "random"]
    patterns = [_pattern(name, asked) for name in planners]
    tasks = records.in_order(pools, range(asked.seeds), patterns)
    known = read_records(asked.records)
    left = records.missing(tasks, known)
    if left:
        print(f"{len(left)} of {len(tasks)} replays to do", file=sys.stderr)
    try:
        known += records.run(left, asked.records, jobs=asked.jobs, peers=asked.peers)
    except KeyboardInterrupt:
        print("interrupted; what is finished follows", file=sys.stderr)
        known = read_records(asked.records)
    wanted = {t.key for t in tasks}
    found = [r for r in known if records.key_of(r) in wanted]
    report = tell(found, pools, [p.label for p in patterns], asked.budget)
    if asked.protocol != "mean":
        report["beside_mean"] = beside_mean(found, known, pools, [p.label for p in patterns])
    if asked.json is not None:
        report |= {"protocol": asked.protocol, "settings": json.loads(asked.settings)}
        asked.json.write_text(json.dumps(report, indent=1, default=str))


def tell(
    found: list[records.Record], pools: list[str], labels: list[str], budget: int
) -> dict[str, Any]:
    """Print the tables of some records; return their numbers."""
    report: dict[str, Any] = {"budget": budget, "chosen_on": CHOSEN_ON, "pools": {}, "ratios": []}
    for name in pools:
        pool = load(name)
        mine = {label: _of(found, label, name) for label in labels}
        summaries = {k: measures.summarised(name, v) for k, v in mine.items() if v}
        report["pools"][name] = {k: asdict(s) for k, s in summaries.items()}
        if measures.is_front(pool):
            showing.show_front(
                pool, {k: s for k, s in summaries.items() if not isinstance(s, Summary)}
            )
            continue
        chance = measures.by_chance(name, budget)
        report["pools"][name]["random"] = asdict(chance)
        showing.show_pool(
            pool, {k: s for k, s in summaries.items() if isinstance(s, Summary)}, chance
        )
    scores = measures.scores_of(found)
    rivals = [label for label in labels if label in showing.PEERS]
    ours = [label for label in labels if label not in showing.PEERS] or rivals
    for what, members in _kinds(pools).items():
        ratios = showing.ratios(scores, ours, rivals, members)
        showing.show_ratios(ratios, what)
        report["ratios"] += [[*names, asdict(r)] for *names, r in ratios]
    covered = {
        label: {p: c for p in pools if (c := measures.coverage(_of(found, label, p))) is not None}
        for label in labels
    }
    showing.show_coverage(covered)
    report["coverage"] = covered
    showing.show_missing(found, labels, pools)
    return report


def beside_mean(
    found: list[records.Record],
    known: list[records.Record],
    pools: list[str],
    labels: list[str],
) -> dict[str, dict[str, float]]:
    """Print and return the area under a protocol as a share of that with plain means, by planner.

    Only seeds that stand in the records under both protocols count.
    """
    plain = [r for r in known if r["protocol"] == "mean"]
    shares: dict[str, dict[str, float]] = {}
    for label in labels:
        for pool in pools:
            pairs = measures.paired(_of(found, label, pool), _of(plain, label, pool))
            if pairs:
                shares.setdefault(label, {})[pool] = measures.share(pairs)
    showing.show_shares(shares)
    return shares


def _pattern(name: str, asked: argparse.Namespace) -> Task:
    settings = json.loads(asked.settings) if name == "sdlab" else {}
    label = asked.label if name == "sdlab" else name
    return Task("", name, asked.protocol, 0, asked.budget, settings, label)


def _of(found: list[records.Record], label: str, pool: str) -> list[records.Record]:
    return [r for r in found if r["label"] == label and r["pool"] == pool]


def _kinds(pools: list[str]) -> dict[str, list[str]]:
    fronts = [p for p in pools if measures.is_front(load(p))]
    return {
        "the area": [p for p in pools if p not in fronts],
        "the hypervolume at the end": fronts,
    }


if __name__ == "__main__":
    main()
