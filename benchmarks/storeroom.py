"""What do stock and custody cost a physical action, beside the journal's own record of it?

Actions (an experiment is a synthesis in one of 20 crucibles and a measurement) are written down in
the transactions of a campaign, with and without the storeroom, in turn. CPU time of this process,
so that a busy disk or machine does not count; the history is one of a dry run.

    python benchmarks/storeroom.py --experiments 1000 --json out.json
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from instruments.commands import Command, Measure, Outcome, Synthesize
from instruments.measurement import Measurement, Reading
from instruments.sample import Sample
from orchestrator.examples import find_campaign
from orchestrator.launch import begin, prepare
from orchestrator.run import Run
from orchestrator.storage.keeping import Keeper, KeepsNothing
from orchestrator.store import ActionRecord, Store
from planners.proposal import Observation, Proposal, Reason

RECIPE = {"temperature": 600.0, "dwell": 2.0, "ramp": 5.0, "dopant": 1.0}


def action(run: Run, number: int, instrument: str, order: Command, keeper: Keeper) -> float:
    """Write one action down as the journal does, and return the CPU time of it [s]."""
    now = run.laboratory.clock.now()
    estimated = run.laboratory.check(instrument, order)
    record = ActionRecord(
        f"{run.id}/{number}/{order.kind}/0", run.id, number, order.kind, 0, instrument, "", "", now
    )
    began = time.process_time()
    with run.history.together(run.id):
        run.history.record_action(record)
        keeper.before(record, order, estimated)
    outcome = settled(record, order, dict(estimated.consumed))
    with run.history.together(run.id):
        keeper.after(record, order, outcome)
        run.history.settle_action(
            replace(record, sent=now, settled="succeeded", consumed=outcome.consumed)
        )
    return time.process_time() - began


def settled(record: ActionRecord, order: Command, consumed: dict[str, float]) -> Outcome:
    """Return the outcome of a command that succeeded."""
    at, name = record.intended, record.instrument
    value: Sample | Measurement
    if isinstance(order, Synthesize):
        value = sample(order, name, record)
    else:
        nothing = np.empty(0)
        value = Measurement(
            id=order.measurement_id, sample_id=order.sample.id, technique="table",
            x=nothing, y=nothing, sigma=None, x_name="", x_unit="", y_name="", y_unit="",
            instrument=name, simulated=True, started=at, finished=at,
            readings={"counts": Reading(1.0, None, "")},
        )  # fmt: skip
    return Outcome(record.command_id, "succeeded", value, at, at, simulated=True, consumed=consumed)


def sample(order: Synthesize, made_by: str, record: ActionRecord) -> Sample:
    """Return the sample that was ordered."""
    at = record.intended
    return Sample(
        id=order.sample_id,
        number=order.number,
        recipe=order.recipe,
        made_by=made_by,
        simulated=True,
        started=at,
        finished=at,
    )


def experiment(run: Run, number: int, keeper: Keeper) -> list[float]:
    """Return what the two actions of an experiment cost [s]."""
    run.history.record_proposal(
        run.id, number, Proposal(values=RECIPE, reason=Reason(planner="fixed", text="")), seed=[1]
    )
    order = Synthesize(sample_id=f"{run.id}/{number}", number=number, recipe=RECIPE)
    at = run.laboratory.clock.now()
    made = ActionRecord("", run.id, number, "synthesize", 0, "furnace", "", "", at)
    look = Measure(measurement_id=f"{order.sample_id}/0", sample=sample(order, "furnace", made))
    costs = [
        action(run, number, "furnace", order, keeper),
        action(run, number, "diffractometer", look, keeper),
    ]
    run.history.record_observation(
        run.id, number, Observation(values=RECIPE, failed=True, failure="-")
    )
    return costs


def measured(experiments: int) -> dict[str, float]:
    """Return percentiles of what an action costs with and without the storeroom [ms]."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        store = Store.open(f"sqlite:///{path / 'sdlab.sqlite'}", path / "arrays")
        prepared = prepare(find_campaign("tio2"), dry_run=True)
        lab = replace(
            prepared.laboratory, vessels={"crucible": 20}, vessel_kinds={"furnace": "crucible"}
        )
        run = begin(replace(prepared, laboratory=lab), store)
        keepers: dict[str, Keeper] = {"without": KeepsNothing(), "with": run.storeroom}
        costs: dict[str, list[float]] = {name: [] for name in keepers}
        for number in range(2 * experiments):
            name = ("without", "with")[number % 2]
            costs[name] += experiment(run, number, keepers[name])
        store.close()
    plain, kept = (1e3 * np.reshape(costs[name], (-1, 2)) for name in keepers)
    return {
        "experiments": experiments,
        "action without [ms]": float(np.median(plain)),
        "synthesis, storeroom alone [ms]": float(np.median(kept[:, 0]) - np.median(plain[:, 0])),
        "measurement, storeroom alone [ms]": float(np.median(kept[:, 1]) - np.median(plain[:, 1])),
        "last tenth / first tenth": float(
            np.median(kept[-len(kept) // 10 :]) / np.median(kept[: len(kept) // 10])
        ),
    }


def main() -> None:
    """Measure, print a table, and write JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--experiments", type=int, default=300)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = measured(arguments.experiments)
    for name, value in found.items():
        print(f"{name:<36} {value:>10.3f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
