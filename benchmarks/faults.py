"""Does a campaign survive a laboratory in which every tenth action goes wrong?

The simulated furnace and diffractometer fail with each of their named faults, and sometimes hang:
the device never returns. The planner and the agent crash as often. Campaigns follow one another, in
virtual time, until so many physical actions have been carried out. What was really done to the
devices is noted beside the history, and then compared with it.

    python benchmarks/faults.py --actions 1000 --rate 0.1 --json out.json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from unreliable import HANG, QUANTITY, Chance, Counts, Guessing, Unreliable

from instruments.execution import Executor
from instruments.simulated.faults import DIFFRACTOMETER_FAULTS, FURNACE_FAULTS
from orchestrator.campaign import Campaign
from orchestrator.control import run_campaign
from orchestrator.errors import CampaignError
from orchestrator.examples import FOLDER
from orchestrator.failing.watchdog import GRACE, TOO_LONG
from orchestrator.laboratories.laboratory import Laboratory, build_laboratory, parse_laboratory
from orchestrator.laboratories.matching import Match
from orchestrator.people.asking import Nobody, Rehearsal
from orchestrator.run import Run
from orchestrator.store import Store
from orchestrator.store.records import ActionRecord, CampaignRecord
from orchestrator.toml_source import parse_toml, read_toml

EXPERIMENTS = 40
"""Experiments a campaign; then the next one begins with a laboratory that is as new."""

COUNTED = (
    "actions",
    "faulted",
    "never_settled",
    "never_acted",
    "acted_twice",
    "hung",
    "experiments",
    "failed",
    "failed_without_cause",
    "repeated",
    "agent_crashed",
    "planner_crashed",
)
"""What is summed over campaigns."""

TOO_LONG_FOR_REAL = 300.0
"""Real seconds after which a campaign in virtual time counts as hung."""


def campaign(seed: int) -> Campaign:
    """Return the titania campaign with the agent of this benchmark, retries allowed."""
    data = dict(read_toml(FOLDER / "tio2.toml").data)
    changed = {
        "seed": seed,
        "objective": {"targets": [{"quantity": QUANTITY, "goal": "maximize"}]},
        "budget": {"experiments": EXPERIMENTS},
        "planner": {"use": "random"},
        "agents": [{"use": "counts"}],
        "on_failure": {
            "synthesize_again": 1,
            "measure_again": 1,
            "measurement": "resynthesize",
            "analysis": "measure_again",
        },
    }
    return Campaign.model_validate({**data, **changed})


def laboratory(chance: Chance, seed: int) -> tuple[Laboratory, dict[str, Unreliable]]:
    """Return the simulated laboratory with every named fault switched on, and its devices."""
    source = read_toml(FOLDER / "tio2_lab.toml")
    known: dict[str, Mapping[str, object]] = {
        "furnace": FURNACE_FAULTS,
        "diffractometer": DIFFRACTOMETER_FAULTS,
    }
    text = source.text.replace("seed = 7", f"seed = {seed}")
    for name, kinds in known.items():
        rates = ", ".join(f"{kind} = {chance.each(len(kinds) + 1)!r}" for kind in kinds)
        driver = f'driver = "simulated.{name}"'
        text = text.replace(driver, f"{driver}\nsettings = {{ faults = {{ {rates} }} }}")
    file, parsed = parse_laboratory(parse_toml(text, source.path))
    built = build_laboratory(file, parsed, twin=True)
    devices: dict[str, Unreliable] = {}
    for name, executor in built.instruments.items():
        assert isinstance(executor, Executor)
        devices[name] = Unreliable(executor.device, chance, len(known[name]) + 1)
        executor.device = devices[name]
    return built, devices


async def one_campaign(store: Store, chance: Chance, number: int) -> dict[str, Any]:
    """Run one campaign to whatever end it comes to, and compare its history with what happened."""
    name, wanted = f"faults-{number}", campaign(number)
    store.create_campaign(_record(name, number))
    lab, devices = laboratory(chance, seed=number)
    match = Match(
        "furnace", ("diffractometer",), {"counts": Counts(chance)}, Guessing(chance, name)
    )
    person = Rehearsal(Nobody(name, store.questions))
    run = replace(Run(name, wanted, lab, match, store), person=person)
    await lab.connect()
    hung = False
    try:
        async with asyncio.timeout(TOO_LONG_FOR_REAL):
            end = (await run_campaign(run)).reason
    except TimeoutError:
        hung, end = True, "it hung"
    except CampaignError as error:
        end = f"{type(error).__name__}: {error}"
    await lab.disconnect()
    noted = {c: fault for device in devices.values() for c, fault in device.noted.items()}
    twice = sum(n > 1 for device in devices.values() for n in device.acts.values())
    return {"end": end, "hung": hung, "acted_twice": twice, **compare(store, name, noted)}


def compare(store: Store, name: str, noted: Mapping[str, str]) -> dict[str, Any]:
    """Return how the history of a campaign agrees with what its devices really did."""
    actions = {a.command_id: a for a in store.actions(name)}
    recorded = {command: _recorded(store, action) for command, action in actions.items()}
    wrong = [c for c, fault in noted.items() if fault and recorded.get(c) != fault]
    events = Counter(event.kind for event in store.events(name))
    observations = [o for _, o in store.observations(name)]
    return {
        "actions": len(actions),
        "faulted": sum(bool(fault) for fault in noted.values()),
        "never_settled": sum(a.settled is None for a in actions.values()),
        "not_recorded_by_name": wrong,
        "never_acted": len(set(actions) - set(noted)),
        "worst_overrun": max((_overrun(a) for a in actions.values()), default=0.0),
        "experiments": len(observations),
        "failed": sum(o.failed for o in observations),
        "failed_without_cause": sum(o.failed and not o.cause for o in observations),
        "repeated": sum(e.proposal.reason.repeats is not None for e in store.experiments(name)),
        "agent_crashed": events["agent_crashed"],
        "planner_crashed": events["planner_crashed"],
    }


def _recorded(store: Store, action: ActionRecord) -> str:
    """Return the fault that the history knows of an action, empty if it went well."""
    if action.settled == "aborted":
        return HANG  # nobody but the watchdog stops anything here
    if action.fault or action.settled != "succeeded":
        return action.fault or str(action.settled)
    experiment = store.experiment(action.campaign_id, action.number)
    assert experiment is not None
    measurement_id = json.loads(action.arguments).get("measurement_id")
    taken = [m for m in experiment.measurements if m.id == measurement_id]
    return taken[0].flags[0] if taken and taken[0].flags else ""


def _overrun(action: ActionRecord) -> float:
    """Return the laboratory time beyond what a hung action may take [s]."""
    if action.finished is None or action.sent is None:
        return float("inf")
    took = (action.finished - action.sent).total_seconds()
    return took - (TOO_LONG * (action.expected or 0.0) + GRACE)


def _record(name: str, seed: int) -> CampaignRecord:
    now = datetime.now(UTC)
    return CampaignRecord(
        id=name, name="faults", status="created", message="", created=now, updated=now,
        campaign_toml="", campaign_source="", laboratory_toml="", laboratory_source="",
        seed=seed, dry_run=True, config={},
    )  # fmt: skip


async def strike(actions: int, *, rate: float, seed: int, folder: Path) -> dict[str, Any]:
    """Run campaigns until so many actions have been carried out; return what came of it all."""
    chance = Chance(rate, seed)
    found: list[dict[str, Any]] = []
    began = time.perf_counter()
    with Store.open(f"sqlite:///{folder / 'sdlab.sqlite'}", folder / "arrays") as store:
        while sum(one["actions"] for one in found) < actions:
            number = 1000 * seed + len(found)
            found.append(await one_campaign(store, chance, number))
            done = sum(one["actions"] for one in found)
            print(f"{done:>5} actions: {found[-1]['end']}", file=sys.stderr, flush=True)
    total = {key: sum(one[key] for one in found) for key in COUNTED}
    return {
        "campaigns": len(found),
        **total,
        "faulted_share": total["faulted"] / total["actions"],
        "not_recorded_by_name": [c for one in found for c in one["not_recorded_by_name"]],
        "worst_overrun_s": max(one["worst_overrun"] for one in found),
        "struck": dict(sorted(chance.struck.items())),
        "ends": dict(Counter(one["end"] for one in found)),
        "seconds": round(time.perf_counter() - began, 1),
    }


def verdict(found: Mapping[str, Any]) -> list[str]:
    """Return every promise that was broken."""
    promises = {
        "an action never settled": found["never_settled"],
        "a device acted twice for a command": found["acted_twice"],
        "a recorded command never reached its device": found["never_acted"],
        "a fault is not in the history by its name": len(found["not_recorded_by_name"]),
        "a failed experiment has no cause": found["failed_without_cause"],
        "a campaign hung": found["hung"],
        "an action took longer than the watchdog allows": found["worst_overrun_s"] > 1.0,
        "a crash of the agent was not told": found["agent_crashed"] != found["struck"]["agent"],
        "a crash of the planner was not told": found["planner_crashed"]
        != found["struck"]["planner"],
        "a campaign ended without a reason": not all(found["ends"]),
    }
    return [promise for promise, broken in promises.items() if broken]


def main() -> None:
    """Strike, print, and exit with 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--actions", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=0.1, help="share of actions that go wrong")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(
            strike(options.actions, rate=options.rate, seed=options.seed, folder=Path(folder))
        )
    for key, value in found.items():
        print(f"{key:<22} {value}")
    broken = verdict(found)
    print("broken promises:", "; ".join(broken) or "none")
    if options.json:
        options.json.write_text(json.dumps({**found, "broken": broken}, indent=1))
    if broken:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
