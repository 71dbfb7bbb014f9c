"""The tables that a person reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from planners.benchmarking import Summary
from planning.measures import ByChance, FrontSummary, Ratio, Record, Scores, ratio
from planning.pools import CHOSEN_ON, Pool

PEERS = ("botorch", "baybe", "ax")


def show_pool(pool: Pool, found: Mapping[str, Summary], chance: ByChance) -> None:
    """Print one line a planner on a single-objective pool, and what chance gives."""
    print(f"\n{pool.name}: {len(pool)} candidates ({_sight(pool.name)})")
    head = f"{'planner':16}{'area %':>7}{'90 % of mean':>16}{'/ random':>9}{'first hit':>10}"
    print(f"{head}{'found':>7}{'CPU s':>8}{'seeds':>6}")
    for name, s in found.items():
        interval = f"{s.low:.1f} … {s.high:.1f}"
        print(
            f"{name:16}{s.area:7.1f}{interval:>16}{s.area / chance.area:9.2f}{s.first_hit:10.1f}"
            f"{s.found:7.2f}{s.cpu_seconds:8.3f}{s.n_seeds:6}"
        )
    print(f"{'random, exactly':16}{chance.area:7.1f}{'':16}{1:9.2f}{chance.first_hit:10}")


def show_front(pool: Pool, found: Mapping[str, FrontSummary]) -> None:
    """Print one line a planner on a pool of several objectives."""
    goals = ", ".join(f"{goal} {quantity}" for quantity, goal in pool.goals.items())
    print(f"\n{pool.name}: {len(pool)} candidates; {goals}")
    print("hypervolume in per cent of the pool's own front")
    head = f"{'planner':16}{'at the end':>11}{'90 % of mean':>16}{'area':>7}{'90 % of mean':>16}"
    print(f"{head}{'CPU s':>8}{'seeds':>6}")
    for name, s in found.items():
        at_end = f"{s.at_end_low:.1f} … {s.at_end_high:.1f}"
        print(
            f"{name:16}{s.at_end:11.1f}{at_end:>16}{s.area:7.1f}{f'{s.low:.1f} … {s.high:.1f}':>16}"
            f"{s.cpu_seconds:8.3f}{s.n_seeds:6}"
        )


def ratios(
    scores: Scores, ours: Sequence[str], peers: Sequence[str], pools: Sequence[str]
) -> list[tuple[str, str, str, Ratio]]:
    """Return (ours, peer, pools) and the ratio: to each peer, to the best one, pool by pool."""
    found = []
    groups = {
        "all pools": list(pools),
        "in sight": [p for p in pools if p in CHOSEN_ON],
        "held out": [p for p in pools if p not in CHOSEN_ON],
    }
    for one in ours:
        rivals = [p for p in peers if p != one]
        sets = [[p] for p in rivals] + ([rivals] if len(rivals) > 1 else [])
        for against in sets:
            label = against[0] if len(against) == 1 else "best peer"
            wanted = dict(groups)
            if against == sets[-1]:
                wanted |= {p: [p] for p in pools}
            for group, members in wanted.items():
                value = ratio(scores, one, against, members)
                if value is not None:
                    found.append((one, label, group, value))
    return found


def show_ratios(found: Sequence[tuple[str, str, str, Ratio]], what: str) -> None:
    """Print the geometric means of the ratios."""
    if not found:
        return
    print(f"\nratios of {what}, geometric mean over pools, bootstrap 90 % over seeds")
    for ours, peer, group, r in found:
        pools = f"{r.n_pools} pool{'s' * (r.n_pools > 1)}, {r.n_seeds} seeds"
        print(
            f"{ours:>16} / {peer:10}{group:18}{r.value:6.2f}  {r.low:.2f} … {r.high:.2f}  ({pools})"
        )


def show_coverage(found: Mapping[str, Mapping[str, tuple[float, int]]]) -> None:
    """Print how often outcomes fell into the 90 % interval that was told before them."""
    for label, by_pool in found.items():
        if by_pool:
            print(f"\noutcomes inside the 90 % interval foretold of them, {label}")
            for pool, (share, n) in by_pool.items():
                print(f"{pool:20}{100 * share:6.1f} % of {n}")


def show_shares(shares: Mapping[str, Mapping[str, float]]) -> None:
    """Print the area as a share of that with plain means, one at a time."""
    for label, by_pool in shares.items():
        mean = math.exp(sum(math.log(v) for v in by_pool.values()) / len(by_pool))
        print(f"\narea as a share of that with plain means, one at a time, {label}: {mean:.2f}")
        for pool, value in by_pool.items():
            print(f"{pool:20}{value:6.2f}")


def show_missing(records: Sequence[Record], labels: Sequence[str], pools: Sequence[str]) -> None:
    """Say which planners have no record on a pool."""
    known = {(r["label"], r["pool"]) for r in records}
    for label in labels:
        absent = [p for p in pools if (label, p) not in known]
        if absent:
            print(f"\nno replays of {label} on {', '.join(absent)}")


def _sight(pool: str) -> str:
    if pool in CHOSEN_ON:
        return "in sight while settings were chosen"
    return "held out while settings were chosen"
