"""A campaign in a process of its own that kills itself in a turn which measures a sample again.

    python -m tests.integration.acting_victim FOLDER [WHERE]

``WHERE`` is ``sent`` (the measurement is under way), ``measured`` (it is recorded, and nobody has
read it), ``weighed`` (a further one is under way) or ``never``.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.control import run_campaign
from orchestrator.errors import UnknownCampaign
from orchestrator.run import Run
from orchestrator.store import Store
from planners.actions.records import Option
from planners.proposal import Observation
from tests.orchestrator import bakery
from tests.orchestrator.actors import Repeater
from tests.orchestrator.conftest import record
from tests.orchestrator.test_acting import Averaging, wanted

TURN = 3
"""The turn that measures the first sample again."""


def rule(known: Sequence[Observation], options: Sequence[Option]) -> Option | None:
    """Measure the first sample again once three are known, and further while it lies there."""
    first = next((o for o in options if o.again.experiment == 0), None)
    if first is None or len(known) < TURN or known[first.row].stds[bakery.QUANTITY] < 0.04:
        return None
    return first


def die() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


class Striking(Averaging):
    """Kills the process when it is to read what was measured again."""

    def analyze(self, measurements: Sequence[Any], *, rng: Any) -> Any:
        if any("-turn" in m.id for m in measurements):
            die()
        return super().analyze(measurements, rng=rng)


def begun(store: Store, where: str) -> Run:
    """Return the campaign, with the blow prepared."""
    lab = bakery.laboratory()
    campaign = wanted(budget={"experiments": 6}, further={"seconds": 1000.0})
    run = bakery.run(store, Repeater(rule), laboratory=lab, campaign=campaign)
    agent = Striking() if where == "measured" else Averaging()
    meter = lab.instruments["meter"].device  # type: ignore[attr-defined]

    class Falling(type(meter)):  # type: ignore[misc]
        async def act(self, action: Any, command: Any) -> Any:
            step = action.command_id.rpartition("/")[0]
            if (where == "sent" and step.endswith(f"turn{TURN}")) or (
                where == "weighed" and step.endswith(f"turn{TURN}-more")
            ):
                die()
            return await super().act(action, command)

    meter.__class__ = Falling
    return replace(run, match=replace(run.match, agents={"taster": agent}))


async def live(folder: Path, where: str) -> None:
    """Run the campaign in a folder to its end, or to its death."""
    with Store.open(f"sqlite:///{folder / 'sdlab.sqlite'}", folder / "arrays") as store:
        try:
            store.campaign("bread-1")
        except UnknownCampaign:
            store.create_campaign(record("bread-1"))
        run = begun(store, where)
        await run.laboratory.connect()
        await run_campaign(run)


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), sys.argv[2]))
