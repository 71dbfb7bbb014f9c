"""What a person finds in Prefect, and what Prefect may never do to an experiment."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable

import pytest
from prefect.cache_policies import NO_CACHE

from orchestrator.errors import LaboratoryRefused
from orchestrator.run import Run
from orchestrator.under_prefect import tasks
from orchestrator.under_prefect.attempt import experiment
from orchestrator.under_prefect.flows import PrefectTurns, seen_in_prefect
from orchestrator.under_prefect.reconcile import reconcile
from tests.orchestrator import bakery
from tests.prefect.conftest import Api

pytestmark = pytest.mark.prefect


async def _eventually(seen: Callable[[], bool], *, seconds: float = 20) -> None:
    """Return when the server has worked off its queue of events."""
    for _ in range(int(seconds / 0.2)):
        if seen():
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"the server showed nothing within {seconds:g} s")


@pytest.mark.parametrize("task", [tasks.synthesize, tasks.measure], ids=["synthesize", "measure"])
def test_prefect_may_neither_cache_nor_repeat_a_physical_action(task: object) -> None:
    assert task.cache_policy == NO_CACHE
    assert task.persist_result is False
    assert task.retries == 0


async def test_experiment_17_is_found_at_a_glance(api: Api, bread: Callable[..., Run]) -> None:
    run = bread()
    await run.laboratory.connect()
    async with seen_in_prefect(run) as take_turn:
        observation = await take_turn(run, 17)
    assert observation == run.history.experiment(run.id, 17).observation
    (shown,) = api.flow_runs(run.id)
    assert shown["name"] == "bread-e017"
    assert set(shown["tags"]) == {f"campaign:{run.id}", "experiment:017", "sdlab"}
    assert shown["parameters"] == {"campaign_id": run.id, "number": 17}
    assert shown["state"]["type"] == "COMPLETED"
    assert bakery.QUANTITY in shown["state"]["message"]
    await _eventually(lambda: len(api.task_runs(shown["id"])) == 5)
    names = sorted(t["name"] for t in api.task_runs(shown["id"]))
    assert [n.split()[0].rstrip(":") for n in names] == [
        "analyze",
        "measure",
        "plan",
        "score",
        "synthesize",
    ]
    assert names[-1].startswith("synthesize oven: temperature ")


async def test_the_flow_run_carries_tables_and_figures(api: Api, bread: Callable[..., Run]) -> None:
    run = bread()
    await run.laboratory.connect()
    async with PrefectTurns() as turns:
        for number in range(3):
            await turns.take(run, number)
    artifacts = api.artifacts(api.flow_runs(run.id)[2]["id"])
    assert set(artifacts) == {
        f"{kind}-{run.id}" for kind in ("campaign", "experiment", "best", "budget")
    }
    assert artifacts[f"budget-{run.id}"]["data"] == pytest.approx(50)
    rows = json.loads(artifacts[f"best-{run.id}"]["data"])
    values = [float(row["colour"].split()[0]) for row in rows]
    assert len(values) == 3
    assert values == sorted(values, reverse=True)
    page = artifacts[f"campaign-{run.id}"]["data"]
    image = page.split("data:image/png;base64,")[1].split(")")[0]
    assert base64.b64decode(image).startswith(b"\x89PNG")
    assert len(image) < 50_000


async def test_a_failed_experiment_is_no_failed_run_but_its_task_is(
    api: Api, bread: Callable[..., Run]
) -> None:
    run = bread(laboratory=bakery.laboratory(bad=frozenset({0})))
    await run.laboratory.connect()
    async with PrefectTurns() as turns:
        observation = await turns.take(run, 0)
    assert observation.failed
    (shown,) = api.flow_runs(run.id)
    assert (shown["state"]["type"], shown["state"]["name"]) == ("COMPLETED", "NoResult")
    assert "jam" in shown["state"]["message"]
    await _eventually(lambda: len(api.task_runs(shown["id"])) == 2)
    states = {t["name"].split()[0]: t["state_type"] for t in api.task_runs(shown["id"])}
    assert states == {"plan:": "COMPLETED", "synthesize": "FAILED"}


async def test_an_error_of_the_laboratory_passes_through_unchanged(
    api: Api, bread: Callable[..., Run]
) -> None:
    run = bread()  # nobody connected it
    async with PrefectTurns() as turns:
        with pytest.raises(LaboratoryRefused, match="oven is not connected"):
            await turns.take(run, 0)
    assert [r["state"]["type"] for r in api.flow_runs(run.id)] == ["FAILED"]


async def test_a_cancelled_turn_ends_at_once_and_is_shown_as_crashed(
    api: Api, bread: Callable[..., Run]
) -> None:
    run = bread()
    await run.laboratory.connect()
    clock = run.laboratory.clock
    async with PrefectTurns() as turns:
        with clock.hold():  # the oven bakes for ever
            taking = asyncio.create_task(turns.take(run, 0))
            acts = run.laboratory.instruments["oven"].device.acts
            await _eventually(lambda: bool(acts))
            taking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await taking
    assert [r["state"]["type"] for r in api.flow_runs(run.id)] == ["CRASHED"]


async def test_runs_that_nobody_runs_are_closed_by_what_the_history_knows(
    api: Api, bread: Callable[..., Run]
) -> None:
    from prefect.client.orchestration import get_client
    from prefect.states import Running

    run = bread()
    async with get_client() as client:
        for number in (0, 1):
            labels = [f"campaign:{run.id}", f"experiment:{number:03d}"]
            await client.create_flow_run(
                experiment, name=f"e{number}", tags=labels, state=Running()
            )
    assert await reconcile(run.id, finished={0}) == 2
    assert [r["state"]["type"] for r in api.flow_runs(run.id)] == ["COMPLETED", "CRASHED"]
    assert await reconcile(run.id) == 0


async def test_an_experiment_started_from_elsewhere_has_no_laboratory(server: object) -> None:
    async with PrefectTurns():
        with pytest.raises(RuntimeError, match="sdlab resume bread-9"):
            await experiment("bread-9", 0)
