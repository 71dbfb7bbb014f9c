"""Does a laboratory that reads structures reach ScattBO's target in fewer experiments?

Each experiment's curves are read by `pdf.match`, and the planner `structure` knows through
`pdf.target` what any structure would show beside the target's curves. A planner that is told R_wp
alone stands beside it in the same run, on the same seeds (`--scalar`). Steps until R_wp is below
the scoreboard's thresholds, median and spread.

    python benchmarks/scattbo_structure.py --seeds 20 --scalar bayesian --records runs.jsonl
    python benchmarks/scattbo_structure.py --case exp-sq,exp-gr,exp-both --edition 2024-11

The library of `pdf.match` holds clusters of up to 2,100 atoms, the simulated target's 923 among
them, and bonds from 2 to 5 Å; which setting moves what is learnt from the readings.
`--without-target` takes the target's own cluster out of that library. Measured targets need the
recorded curves (SDLAB_DATA).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import numpy as np  # noqa: E402  after the thread counts
from scattbo.cases import CASES, Laboratory, laboratory  # noqa: E402
from scattbo.laboratory import EDITIONS, PUBLISHED  # noqa: E402
from scattbo.scoreboard import replay  # noqa: E402
from scattbo.structural import aim, campaign, reader, without  # noqa: E402

from analysis.pdf.agents.match import MatchAgent  # noqa: E402
from analysis.pdf.agents.target import TargetAgent  # noqa: E402

SIX = tuple(name for name, case in CASES.items() if not case.measured)
TARGET = "icosahedron 7"
"""How the library names the simulated target's cluster."""

Record = dict[str, object]


def known(records: Path | None) -> dict[tuple[object, ...], Record]:
    """Return the runs already on file."""
    if records is None or not records.exists():
        return {}
    runs = [json.loads(line) for line in records.read_text().splitlines()]
    return {_key(run): run for run in runs}


def _key(run: Record) -> tuple[object, ...]:
    edition = run.get("edition", PUBLISHED.name)
    return run["planner"], run["case"], edition, run["seed"], run["budget"]


def show(case: str, edition: str, planner: str, runs: list[Record]) -> Record:
    """Print one line of the table and return it."""
    steps = np.sort([float(str(r["steps"])) if r["steps"] else np.inf for r in runs])
    low, high = steps[int(0.25 * len(steps))], steps[int(np.ceil(0.75 * len(steps))) - 1]
    hit = float(np.isfinite(steps).mean())
    published = CASES[case].published
    print(
        f"{case:15}{edition:9}{planner:20}{len(steps):5}{hit:7.2f}{steps[0]:6.0f}{low:6.0f}"
        f"{np.median(steps):8.1f}{high:6.0f}{steps[-1]:7.0f}{published or '':>8}",
        flush=True,
    )
    row: Record = {"case": case, "edition": edition, "planner": planner, "hit": hit}
    return row | {"steps": [None if s == np.inf else int(s) for s in steps]}


class Readers:
    """The agents of the benchmark, made when first needed."""

    def __init__(self, *, without_target: bool) -> None:
        self._without = without_target
        self._reader: MatchAgent | None = None
        self._aims: dict[str, TargetAgent] = {}

    def run(self, lab: Laboratory, *, seed: int, budget: int) -> Record:
        """Return one campaign by structure."""
        if self._reader is None:
            self._reader = reader()
            if self._without:
                without(self._reader, TARGET)
        name = f"{lab.case.name} {lab.edition.name}"
        if name not in self._aims:
            self._aims = {name: aim(lab)}
        return campaign(lab, self._reader, self._aims[name], seed=seed, budget=budget)


def main() -> None:
    """Run the campaigns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", default=",".join(SIX), help=", ".join(CASES))
    parser.add_argument("--edition", default=PUBLISHED.name, choices=sorted(EDITIONS))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--scalar", default="", help="planners told R_wp alone, such as bayesian")
    parser.add_argument("--without-target", action="store_true")
    parser.add_argument("--records", type=Path, help="JSONL; runs on it are not run again")
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    strategy = "structure-without" if said.without_target else "structure"
    readers = Readers(without_target=said.without_target)
    data = Path(os.environ.get("SDLAB_DATA", "../shared/data")) / "pdf" / "scattbo"
    on_file = known(said.records)
    rows = []
    print(
        "case           edition  strategy             runs    hit  best  25 %  median  75 %  worst"
    )
    for case in said.case.split(","):
        lab = laboratory(CASES[case], EDITIONS[said.edition], data)
        for planner in [strategy, *filter(None, said.scalar.split(","))]:
            runs = []
            started = time.process_time()
            for seed in range(said.first, said.first + said.seeds):
                run = on_file.get((planner, case, said.edition, seed, said.budget))
                if run is None:
                    if planner == strategy:
                        run = readers.run(lab, seed=seed, budget=said.budget)
                    else:
                        run = asdict(
                            replay(lab, planner, settings={}, seed=seed, budget=said.budget)
                        )
                    run["planner"] = planner
                    if said.records is not None:
                        with said.records.open("a") as file:
                            file.write(json.dumps(run) + "\n")
                runs.append(run)
            seconds = (time.process_time() - started) / len(runs)
            row = show(case, said.edition, planner, runs)
            rows.append(row | {"cpu_seconds_a_run": seconds})
    if said.json is not None:
        said.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
