"""How much shorter is a campaign with several samples in flight, and how much could it be?

The packaged titania campaign with four furnaces and one diffractometer runs on the simulated
laboratory, once with one sample at a time and once with several, from the same seed and to the
same number of experiments. Times are the laboratory's. No campaign can be shorter than its busiest
instrument (or group of equal ones) works, which gives the factor that the laboratory allows.

    python benchmarks/in_flight.py --experiments 20 --json out.json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from pathlib import Path

from orchestrator.campaign import PlannerChoice
from orchestrator.control import run_campaign
from orchestrator.examples import find_campaign
from orchestrator.launch import Prepared, begin, prepare, with_changes
from orchestrator.standing import hours_used
from orchestrator.store import Store


def prepared(in_flight: int, experiments: int, planner: str) -> Prepared:
    """Return the example with another number of samples in flight, running to its budget."""
    ready = with_changes(
        prepare(find_campaign("tio2_parallel"), dry_run=True), experiments=experiments
    )
    campaign = ready.campaign
    stop = campaign.stop.model_copy(update={"when_reached": False})
    changes = {"in_flight": in_flight, "stop": stop, "planner": PlannerChoice(use=planner)}
    ready = Prepared(
        campaign.model_copy(update=changes),
        ready.laboratory,
        ready.match,
        ready.campaign_source,
        ready.laboratory_source,
        True,
    )
    return with_changes(ready, seed=campaign.seed + 1)  # matches the planner anew


async def measured(in_flight: int, experiments: int, planner: str) -> dict[str, float]:
    """Run one campaign; return its laboratory hours and those of its instruments."""
    ready = prepared(in_flight, experiments, planner)
    with (
        tempfile.TemporaryDirectory() as folder,
        Store.open(f"sqlite:///{folder}/sdlab.sqlite", Path(folder) / "arrays") as store,
    ):
        run = begin(ready, store)
        clock = ready.laboratory.clock
        began = clock.now()
        await ready.laboratory.connect()
        ending = await run_campaign(run)
        hours = (clock.now() - began).total_seconds() / 3600
        actions = store.actions(run.id)
    furnaces = [a for a in actions if a.step == "synthesize"]
    n_furnaces = len(ready.match.synthesizers)
    meter = hours_used([a for a in actions if a.step != "synthesize"])
    return {
        "in_flight": in_flight,
        "experiments": ending.experiments,
        "hours": hours,
        "furnace_hours": hours_used(furnaces),
        "diffractometer_hours": meter,
        "bound_hours": max(hours_used(furnaces) / n_furnaces, meter),
    }


def main() -> None:
    """Run the campaigns and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--experiments", type=int, default=20)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--planner", default="sobol")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = [
        asyncio.run(measured(n, options.experiments, options.planner)) for n in options.in_flight
    ]
    one = rows[0]
    print(f"{options.experiments} experiments, {options.planner} planner, times of the laboratory")
    print(f"{'in flight':>9} {'hours':>8} {'shorter by':>10} {'allowed':>8} {'of it':>6}")
    for row in rows:
        row["factor"] = one["hours"] / row["hours"]
        busiest = one["hours"] / row["bound_hours"]
        row["allowed"] = min(row["in_flight"], busiest)
        print(
            f"{row['in_flight']:>9.0f} {row['hours']:>8.1f} {row['factor']:>10.2f} "
            f"{row['allowed']:>8.2f} {row['factor'] / row['allowed']:>6.0%}"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
