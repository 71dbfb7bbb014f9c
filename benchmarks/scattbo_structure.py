"""Does a laboratory that reads structures reach ScattBO's target in fewer experiments?

Each experiment's curve is read by `pdf.match`; a planner that is told R_wp alone stands beside it
in the same run, on the same seeds (`--scalar`). Steps to R_wp < 0.04, median and spread.

    python benchmarks/scattbo_structure.py --seeds 5 --scalar bayesian --records runs.jsonl

The library of `pdf.match` holds clusters of up to 2,100 atoms, the target's 923 among them, and
bonds from 2 to 5 Å; which setting moves what, and by which rule, is learnt from the readings.
`--without-target` takes the target's own cluster out of the library.
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
from scattbo.aiming import campaign, target_map  # noqa: E402
from scattbo.cases import CASES, Laboratory, laboratory  # noqa: E402
from scattbo.laboratory import EDITIONS, PUBLISHED  # noqa: E402
from scattbo.scoreboard import replay  # noqa: E402

from analysis.pdf.agents.match import MatchAgent, make  # noqa: E402
from analysis.pdf.curves import SCAN_Q_MAX  # noqa: E402
from analysis.pdf.matching import Scanner  # noqa: E402

SIX = tuple(name for name, case in CASES.items() if not case.measured)
LIBRARY = {"most_atoms": 2100, "bond_range": [2.0, 5.0], "fitted": 6, "element": "Au"}


def without_target(agent: MatchAgent, lab: Laboratory) -> None:
    """Take the cluster out of the agent's library that explains the target best."""
    missing = target_map(agent, lab)
    entries = [e for e in agent.scanner.entries if e.name != missing.target.name]
    agent.scanner = Scanner(entries, bond_range=agent.settings.bond_range, q_max=SCAN_Q_MAX)
    print(f"without {missing.target.name}", flush=True)


def known(records: Path | None) -> dict[tuple[object, ...], dict[str, object]]:
    """Return the runs already on file."""
    if records is None or not records.exists():
        return {}
    runs = [json.loads(line) for line in records.read_text().splitlines()]
    return {_key(run): run for run in runs}


def _key(run: dict[str, object]) -> tuple[object, ...]:
    return run["planner"], run["case"], run["seed"], run["budget"]


def show(case: str, planner: str, runs: list[dict[str, object]]) -> dict[str, object]:
    """Print one line of the table and return it."""
    steps = np.sort([float(r["steps"]) if r["steps"] else np.inf for r in runs])
    low, high = steps[int(0.25 * len(steps))], steps[int(np.ceil(0.75 * len(steps))) - 1]
    hit = float(np.isfinite(steps).mean())
    published = CASES[case].published
    print(
        f"{case:12}{planner:20}{len(steps):5}{hit:7.2f}{steps[0]:6.0f}{low:6.0f}"
        f"{np.median(steps):8.1f}{high:6.0f}{steps[-1]:7.0f}{published or '':>8}",
        flush=True,
    )
    row = {"case": case, "planner": planner, "runs": len(steps), "hit": hit}
    return row | {"steps": [None if s == np.inf else int(s) for s in steps]}


def main() -> None:
    """Run the campaigns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", default=",".join(SIX))
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
    on_file = known(said.records)
    rows, agent = [], None
    print("case        strategy             runs    hit  best  25 %  median  75 %  worst published")
    for case in said.case.split(","):
        lab = laboratory(CASES[case], EDITIONS[said.edition])
        for planner in [strategy, *filter(None, said.scalar.split(","))]:
            runs, misfits = [], None
            started = time.process_time()
            for seed in range(said.first, said.first + said.seeds):
                run = on_file.get((planner, case, seed, said.budget))
                if run is None and planner == strategy:
                    if misfits is None:
                        agent = agent or _agent(lab, without=said.without_target)
                        misfits = target_map(agent, lab)
                    run = campaign(lab, agent, misfits, seed=seed, budget=said.budget)
                elif run is None:
                    run = asdict(replay(lab, planner, settings={}, seed=seed, budget=said.budget))
                run["planner"] = planner
                runs.append(run)
                if said.records is not None and _key(run) not in on_file:
                    with said.records.open("a") as file:
                        file.write(json.dumps(run) + "\n")
            seconds = (time.process_time() - started) / len(runs)
            rows.append(show(case, planner, runs) | {"cpu_seconds_a_run": seconds})
    if said.json is not None:
        said.json.write_text(json.dumps(rows, indent=1))


def _agent(lab: Laboratory, *, without: bool) -> MatchAgent:
    agent = make(LIBRARY, Path())
    if without:
        without_target(agent, lab)
    return agent


if __name__ == "__main__":
    main()
