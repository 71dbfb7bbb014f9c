"""A turn that measures an earlier sample again, as Prefect shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from orchestrator.run import Run
from orchestrator.under_prefect.flows import PrefectTurns
from tests.orchestrator.actors import Repeater, first_after
from tests.orchestrator.test_acting import Averaging, wanted
from tests.prefect.conftest import Api
from tests.prefect.test_turns import _eventually

pytestmark = pytest.mark.prefect


async def test_a_second_look_makes_nothing_and_says_what_it_measures(
    api: Api, bread: Callable[..., Run]
) -> None:
    run = bread(campaign=wanted())
    planner = Repeater(first_after({2: 0}))
    match = replace(run.match, planner=planner, agents={"taster": Averaging()})
    run = replace(run, match=match)
    await run.laboratory.connect()
    async with PrefectTurns() as turns:
        told = [await turns.take(run, number) for number in range(3)]
    assert told[2].supersedes == 0
    shown = api.flow_runs(run.id)[2]
    assert shown["state"]["type"] == "COMPLETED"
    await _eventually(lambda: len(api.task_runs(shown["id"])) == 4)
    names = sorted(t["name"] for t in api.task_runs(shown["id"]))
    assert [n.split()[0].rstrip(":") for n in names] == ["analyze", "measure", "plan", "score"]
    assert names[1] == f"measure meter: {run.id}/0 again"
    page = api.artifacts(shown["id"])[f"experiment-{run.id}"]["data"]
    assert "sample of experiment 0 again: table, repeats 4" in page
