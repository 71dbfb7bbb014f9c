"""How many points of an oxide spread must an instrument measure to map its phases?

Al-Li-Fe (Le Bras et al. 2014; simulated, 231 compositions, six phases of which one shifts) is
replayed as an instrument. Twelve patterns at a time are measured; `xrd.demix` reads all patterns so
far together, without a list of phases, and the planner `phase_map` makes a map of the amounts and
chooses the next twelve. `random` draws them instead; both maps are made by the same method.

Truth is used for scoring alone: a phase is present from a share of 5 %, and the phases that
`xrd.demix` found meet true ones one to one, as their parts of the measured patterns are alike. Told
are

- `regions`: the share of all 231 compositions whose set of phases is exactly right; the system has
  17 such regions, and one phase too many or too few is wrong,
- `phases`: the share of all compositions and true phases of which presence or absence is right; a
  found phase that is no true one counts in `regions` alone.

`--oracle` gives true shares (std 0.01) instead of readings: what the choice and the map are worth
without errors of reading. Constants of map and choice were chosen on other, simulated spreads
(`analysis.xrd.demixing_worlds`, seeds 0 to 5).

    python benchmarks/al_li_fe_map.py --seeds 20 --records records.jsonl
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
import numpy.typing as npt  # noqa: E402
from demixing import PRESENT, Set, al_li_fe  # noqa: E402
from planning.paired import add_record, read_records  # noqa: E402
from scipy.optimize import linear_sum_assignment  # noqa: E402

from analysis.insight import Insight  # noqa: E402
from analysis.xrd.agents.demix import make as make_demix  # noqa: E402
from instruments.measurement import Measurement  # noqa: E402
from orchestrator.scoring import structure_of  # noqa: E402
from planners import CandidateList, Objective, Observation, Planner, SearchSpace, Target  # noqa: E402
from planners.baselines import make_random  # noqa: E402
from planners.benchmarking import bootstrap  # noqa: E402
from planners.encoding import Encoding  # noqa: E402
from planners.mapping.charting import chart_of  # noqa: E402
from planners.mapping.planner import make as make_phase_map  # noqa: E402
from planners.objective import PhaseMapWish  # noqa: E402
from planners.structure import Reading, Structure  # noqa: E402

Array = npt.NDArray[np.float64]
Record = dict[str, Any]

COLUMNS = ("Al", "Li", "Fe")
FAMILY = "xrd.demixed_fraction"
OBJECTIVE = Objective(
    targets=(Target(quantity="patterns", goal="maximize"),),
    phase_map=PhaseMapWish(of=FAMILY, share=1.0),
)
FIRST, BATCH = 9, 12

CHECKED = (33, 57)
"""Numbers of patterns at which the map of the arm `random` is made; choosing needs none."""
START = datetime(2026, 1, 1, tzinfo=UTC)


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--arms", default="phase_map,random")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=int, default=57, help="patterns; 57 are 25 %% of all")
    parser.add_argument("--oracle", action="store_true", help="true shares instead of readings")
    parser.add_argument("--records", type=Path, help="file of replays, added to and resumed")
    parser.add_argument("--json", type=Path, help="where to write the numbers of the table")
    return parser.parse_args()


def main() -> None:
    """Replay what is missing, then print and write."""
    asked = arguments()
    warnings.simplefilter("ignore")
    records = {_key(r): r for r in read_records(asked.records)}
    wanted = [
        (arm, seed, asked.budget, asked.oracle)
        for seed in range(asked.first, asked.first + asked.seeds)
        for arm in asked.arms.split(",")
    ]
    for key in wanted:
        if key not in records:
            records[key] = record_of(*key)
            add_record(asked.records, records[key])
            print(f"replayed {key}", file=sys.stderr)
    report = tell([records[k] for k in wanted], asked.arms.split(","))
    if asked.json is not None:
        asked.json.write_text(json.dumps(report, indent=1))


def record_of(arm: str, seed: int, budget: int, oracle: bool) -> Record:
    """Return one replay, its map scored after every batch, as data for a line of JSON."""
    data, space = spread(), _space()
    planner: Planner = make_random({}) if arm == "random" else make_phase_map({"seed": seed})
    rows = _opening(seed)
    scores = []
    while True:
        if arm != "random" or len(rows) in CHECKED:
            structures, owners = _true(rows) if oracle else read(rows, seed=seed)
            told = [_observation(row, s) for row, s in zip(rows, structures, strict=True)]
            scores.append([len(rows), *score(told, owners)])
        else:
            told = [_observation(row, Structure()) for row in rows]
        if len(rows) >= budget:
            break
        found = planner.propose(
            space,
            OBJECTIVE,
            observations=told,
            n=min(BATCH, budget - len(rows)),
            rng=np.random.default_rng([seed, len(rows)]),
        )
        index = {tuple(map(float, c)): i for i, c in enumerate(data.composition)}
        rows += [index[tuple(float(p.values[c]) for c in COLUMNS)] for p in found]
    return {
        "arm": arm,
        "seed": seed,
        "budget": budget,
        "oracle": oracle,
        "rows": rows,
        "scores": scores,
    }


def read(rows: Sequence[int], *, seed: int) -> tuple[list[Structure], dict[str, int]]:
    """Return what `xrd.demix` reads of patterns, and which true phase each found one is."""
    agent = make_demix({"most_phases_in_sample": 3, "subtract_background": False}, Path())
    insights = agent.analyze_together(
        [_measured(row) for row in rows], rng=np.random.default_rng([seed, len(rows)])
    )
    # What an agent abstains from stays unread, but is measured all the same.
    structures = [structure_of([insight]) for insight in insights]
    return structures, _owners(rows, insights)


def score(told: Sequence[Observation], owners: dict[str, int]) -> tuple[float, float]:
    """Return the shares of regions and of phases that the map has right, over all compositions.

    Parameters
    ----------
    owners : name of a found phase → the true one; those of no true phase, -1, have to be absent.
    """
    data = spread()
    true = _shares(data) >= PRESENT
    chart = chart_of(Encoding(_space()), told, of=FAMILY)
    found = np.zeros_like(true)
    strange = np.zeros(len(true), dtype=np.bool_)
    if chart is not None:
        points = [dict(zip(COLUMNS, map(float, c), strict=True)) for c in data.composition]
        there = chart.probabilities(Encoding(_space()).encode(points)) >= 0.5
        for name, column in zip(chart.names, there.T, strict=True):
            if owners.get(name, -1) < 0:
                strange |= column
            else:
                found[:, owners[name]] |= column
    right = found == true
    return float((right.all(axis=1) & ~strange).mean()), float(right.mean())


def tell(records: list[Record], arms: list[str]) -> dict[str, Any]:
    """Print the table; return its numbers."""
    rng = np.random.default_rng(0)
    print("\n| patterns | share | " + " | ".join(f"{a}: regions | phases" for a in arms) + " |")
    print("|---" * (2 + 2 * len(arms)) + "|")
    report: dict[str, Any] = {}
    for n in sorted({scored[0] for r in records for scored in r["scores"]}):
        cells = []
        for arm in arms:
            of_arm = [r for r in records if r["arm"] == arm]
            table = np.array([s[1:] for r in of_arm for s in r["scores"] if s[0] == n])
            for k, name in enumerate(("regions", "phases")):
                if not len(table):
                    cells.append("–")
                    continue
                low, high = bootstrap(list(table[:, k]), rng=rng)
                report[f"{arm} {n} {name}"] = [float(table[:, k].mean()), low, high, len(table)]
                cells.append(f"{table[:, k].mean():.3f} ({low:.3f} to {high:.3f})")
        print(f"| {n} | {n / len(spread().patterns):.0%} | " + " | ".join(cells) + " |")
    return report


@cache
def spread() -> Set:
    """Return the spread with its truth."""
    return al_li_fe()


@cache
def _space() -> SearchSpace:
    rows = tuple(tuple(map(float, c)) for c in spread().composition)
    return SearchSpace(candidates=CandidateList(columns=COLUMNS, rows=rows))


def _opening(seed: int) -> list[int]:
    """Return the random patterns that both arms begin with."""
    n = len(spread().patterns)
    return [int(i) for i in np.random.default_rng(seed).choice(n, FIRST, replace=False)]


def _observation(row: int, structure: Structure) -> Observation:
    composition = map(float, spread().composition[row])
    return Observation(
        values=dict(zip(COLUMNS, composition, strict=True)),
        outcomes={"patterns": 1.0},
        structure=structure,
    )


def _measured(row: int) -> Measurement:
    data = spread()
    return Measurement(
        id=f"oxide-{row}/xrd/0",
        sample_id=f"oxide-{row}",
        technique="xrd",
        x=data.q,
        y=data.patterns[row],
        sigma=None,
        x_name="q",
        x_unit="1/Å",
        y_name="intensity",
        y_unit="",
        instrument="recorded",
        simulated=True,
        started=START,
        finished=START,
        settings={},
    )


def _owners(rows: Sequence[int], insights: Sequence[Insight]) -> dict[str, int]:
    """Return number of a found phase → the true phase it resembles most, one to one."""
    curves = [i.evidence["pattern"].columns for i in insights]
    names = sorted({c for columns in curves for c in columns if c.startswith("phase.")})
    found = np.array([[columns[name] for columns in curves] for name in names])
    true = spread().parts[list(rows)].transpose(1, 0, 2)
    heights = spread().patterns[list(rows)].max(axis=1)
    left = found.reshape(len(names), -1)
    right = (true / heights[None, :, None]).reshape(len(true), -1)
    norms = np.outer(np.linalg.norm(left, axis=1), np.linalg.norm(right, axis=1)) + 1e-12
    pairs = zip(*linear_sum_assignment(-(left @ right.T) / norms), strict=True)
    met = {int(a): int(b) for a, b in pairs}
    return {name.removeprefix("phase."): met.get(k, -1) for k, name in enumerate(names)}


def _true(rows: Sequence[int]) -> tuple[list[Structure], dict[str, int]]:
    shares = _shares(spread())[list(rows)]
    names = [str(k + 1) for k in range(shares.shape[1])]
    structures = [
        Structure(
            numbers={
                f"{FAMILY}.{name}": Reading(value=float(v), std=0.01)
                for name, v in zip(names, row, strict=True)
            }
        )
        for row in shares
    ]
    return structures, {name: k for k, name in enumerate(names)}


def _shares(data: Set) -> Array:
    heights = data.parts.max(axis=2)
    return np.asarray(heights / heights.sum(axis=1, keepdims=True))


def _key(record: Record) -> tuple[str, int, int, bool]:
    return record["arm"], record["seed"], record["budget"], record["oracle"]


if __name__ == "__main__":
    main()
