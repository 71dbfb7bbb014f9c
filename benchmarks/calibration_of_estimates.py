"""Do 90 % intervals hold of every number that reaches a planner, and is what is strange told?

Titania of the twin, read by `xrd.quantify` (`benchmarks/trusting/titania_readings.py`), in
laboratories of 30 samples in distribution. Every number is counted as the planner gets it, after
`observe`: as the agent said it, and as trust makes it when the truth of every fourth sample becomes
known after it was read. Then readings out of distribution, one at a time beside the 30: is the
statement odd (`orchestrator.trust.oddity`), or declined? And alarms: how often in campaigns without
a reason, and how soon after a zero that moves and stays, or a phase that appears and stays.

Thresholds were fixed on the laboratories 900 to 959; those reported are others. `--real` counts the
round robin and the precursor mixtures (`benchmarks/round_robin.py`) in the same way, `--gold` the
clusters of ScattBO's twin read by `pdf.match`. Statements that are more probably wrong than not are
left out of the coverage: they say so themselves.

    python benchmarks/calibration_of_estimates.py --records readings.jsonl --seeds 0 40
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts

sys.path.insert(0, str(Path(__file__).parents[1]))

from analysis.insight import Estimate, Insight  # noqa: E402
from benchmarks.trusting.titania_readings import KINDS, STAYING, readings  # noqa: E402
from orchestrator.scoring import structure_of  # noqa: E402
from orchestrator.trust.alarms import alarms  # noqa: E402
from orchestrator.trust.oddity import oddity  # noqa: E402
from orchestrator.trust.statements import Statement, Truth  # noqa: E402
from orchestrator.trust.trusting import Trust, trust, with_truths  # noqa: E402

USUAL, STRANGE, STAY = 30, 2, 4
EVERY = 4
DOUBTED = 0.5
Z_90 = 1.6448536269514722
Row = dict[str, Any]
Deviations = dict[str, dict[int, list[float]]]
"""Quantity → laboratory → deviations in the standard deviations that the planner is told."""


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=Path, required=True, help="JSON lines; is continued")
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 40))
    parser.add_argument("--real", action="store_true", help="weighed mixtures instead")
    parser.add_argument("--gold", action="store_true", help="clusters read by pdf.match instead")
    said = parser.parse_args()
    if said.gold:
        from benchmarks.trusting.gold_readings import gold_readings

        coverage_table(gold_readings(said.records, seeds=range(*said.seeds), usual=12))
        return
    if said.real:
        from benchmarks.trusting.weighed import weighed_readings

        laboratories = weighed_readings(said.records)
        coverage_table(laboratories)
        return
    laboratories = defaultdict(list)
    rows = readings(
        said.records, seeds=range(*said.seeds), usual=USUAL, strange=STRANGE, staying=STAY
    )
    for row in rows:
        laboratories[row["seed"]].append(row)
    coverage_table(laboratories)
    strangeness_table(laboratories)
    alarm_table(laboratories)


def coverage_table(laboratories: dict[int, list[Row]]) -> None:
    """Print the share of 90 % intervals that hold, as said and as believed."""
    said: Deviations = defaultdict(lambda: defaultdict(list))
    believed: Deviations = defaultdict(lambda: defaultdict(list))
    late: Deviations = defaultdict(lambda: defaultdict(list))
    for seed, rows in laboratories.items():
        usual = [row for row in rows if row["kind"] == "usual" and not row["abstained"]]
        for row, believing in course(usual):
            if (row["p_wrong"] or 0.0) >= DOUBTED:
                continue
            for quantity, z in deviations(row, Trust()):
                said[quantity][seed].append(z)
            for quantity, z in deviations(row, believing):
                believed[quantity][seed].append(z)
                if row["turn"] >= len(usual) // 2:
                    late[quantity][seed].append(z)
    print("\nshare of 90 % intervals that hold [90 % bootstrap over laboratories]")
    print(f"{'quantity':38s}{'n':>6}   as said              as believed          in the 2nd half")
    for quantity in sorted(said):
        n = sum(len(z) for z in said[quantity].values())
        columns = "   ".join(share(found[quantity]) for found in (said, believed, late))
        print(f"{quantity:38s}{n:6d}   {columns}")
    columns = "   ".join(share(together(found)) for found in (said, believed, late))
    print(f"{'all':38s}{'':6}   {columns}")


def course(usual: Sequence[Row]) -> Iterator[tuple[Row, Trust]]:
    """Yield each reading whose truth stays unknown, with the trust when it was made."""
    statements, truths = list[Statement](), list[Truth]()
    for k, row in enumerate(usual):
        if k % EVERY != EVERY - 1:
            yield row, trust(statements, truths=truths)
        statements.append(statement_of(row))
        if k % EVERY == EVERY - 1:
            truths += [Truth(row["turn"], q, value) for q, value in row["truth"].items()]


def deviations(row: Row, believing: Trust) -> Iterator[tuple[str, float]]:
    """Yield quantity and deviation from the truth of all that the planner is told of a sample."""
    told = structure_of(with_truths(row["turn"], [insight_of(row)], believing))
    for quantity, reading in told.numbers.items():
        if quantity in row["truth"] and reading.std:
            yield quantity, (reading.value - row["truth"][quantity]) / reading.std


def strangeness_table(laboratories: dict[int, list[Row]]) -> None:
    """Print how many statements are odd or declined, by kind."""
    odd: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for seed, rows in laboratories.items():
        usual = [statement_of(r) for r in rows if r["kind"] == "usual" and not r["abstained"]]
        for row in rows:
            earlier = [s for s in usual if row["kind"] != "usual" or s.turn < row["turn"]]
            if row["kind"] in STAYING or (row["kind"] == "usual" and len(earlier) < 10):
                continue
            strange = row["abstained"] or oddity(statement_of(row), earlier).score >= 1
            odd[row["kind"]][seed].append(float(strange))
            if row["kind"] == "swapped" and _consequential(row):
                odd["swapped, and wrong by > 0.1"][seed].append(float(strange))
    print("\nshare that is odd or declined [90 % bootstrap over laboratories]")
    for kind, found in odd.items():
        print(f"{kind:38s}{sum(len(v) for v in found.values()):6d}   {mean(found)}")
    every = {s: [x for k in KINDS for x in odd[k][s]] for s in laboratories}
    print(f"{'all out of distribution':38s}{sum(map(len, every.values())):6d}   {mean(every)}")


def alarm_table(laboratories: dict[int, list[Row]]) -> None:
    """Print how many campaigns have an alarm without a reason, and how many in time with one."""
    false, kinds = [], list[str]()
    in_time: dict[str, list[bool]] = defaultdict(list)
    for rows in laboratories.values():
        usual = [statement_of(r) for r in rows if r["kind"] == "usual" and not r["abstained"]]
        found = first_alarm(usual, 1)
        false.append(found is not None)
        kinds += [found[1]] if found else []
        for kind in STAYING:
            after = [statement_of(r, turn=100 + i) for i, r in enumerate(rows) if r["kind"] == kind]
            told = first_alarm([*usual[:15], *after[:3]], 16)
            in_time[kind].append(told is not None)
    n = len(false)
    print(f"\ncampaigns of 30 turns with an alarm without a reason: {sum(false)} of {n} {kinds}")
    for kind, found in in_time.items():
        print(f"{kind}: told within three turns in {sum(found)} of {n} campaigns")


def first_alarm(statements: Sequence[Statement], since: int) -> tuple[int, str] | None:
    """Return the first number of statements, from `since`, with an alarm, and its kind."""
    for n in range(since, len(statements) + 1):
        if found := alarms(statements[:n]):
            return n, found[0].kind
    return None


def statement_of(row: Row, *, turn: int | None = None) -> Statement:
    """Return a record as a statement, at another turn if one is given."""
    number = row["turn"] if turn is None else turn
    return Statement.of(number, insight_of(row), values=row["values"])


def insight_of(row: Row) -> Insight:
    """Return a record as an insight."""
    declined = ("declined",) if row["abstained"] else ()
    return Insight(
        id=f"{row['seed']}/{row['turn']}",
        agent="xrd.quantify",
        measurement_ids=("m",),
        estimates={q: Estimate(v, s, u) for q, (v, s, u) in row["estimates"].items()},
        p_wrong=row["p_wrong"],
        novelty=row["novelty"],
        quality=row["quality"],
        abstained=row["abstained"],
        remarks=declined,
    )


def share(found: dict[int, list[float]]) -> str:
    """Return the share of deviations inside the 90 % interval, with its spread."""
    return mean({seed: [float(abs(z) <= Z_90) for z in zs] for seed, zs in found.items()})


def mean(found: dict[int, list[float]]) -> str:
    """Return a mean with its bootstrap over laboratories; a dash without any."""
    if not found:
        return "–"
    sums = np.array([[sum(v), len(v)] for v in found.values()])
    rng = np.random.default_rng(0)
    drawn = sums[rng.integers(len(sums), size=(2000, len(sums)))].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / np.maximum(drawn[:, 1], 1), (0.05, 0.95))
    total = sums.sum(axis=0)
    return f"{total[0] / max(total[1], 1):.3f} [{low:.3f}, {high:.3f}]"


def together(found: Deviations) -> dict[int, list[float]]:
    """Return the deviations of all quantities by laboratory."""
    every: dict[int, list[float]] = defaultdict(list)
    for by_seed in found.values():
        for seed, zs in by_seed.items():
            every[seed] += zs
    return every


def _consequential(row: Row) -> bool:
    key = "xrd.weight_fraction.rutile"
    return key in row["estimates"] and abs(row["estimates"][key][0] - row["truth"][key]) > 0.1


if __name__ == "__main__":
    main()
