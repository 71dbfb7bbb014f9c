"""A server that dies stops no campaign and loses nothing."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from instruments.commands import Command
from instruments.device import Action
from orchestrator.loop import turn
from orchestrator.run import Run
from orchestrator.under_prefect.afterwards import publish_missed
from orchestrator.under_prefect.flows import Patience, PrefectTurns, seen_in_prefect
from orchestrator.under_prefect.health import is_alive
from orchestrator.under_prefect.server import Server, ensure_server
from tests.prefect.conftest import Api

pytestmark = pytest.mark.prefect


async def test_server_killed_within_and_between_turns(
    server: Server, prefect_home: Path, api: Api, bread: Callable[..., Run]
) -> None:
    run = bread()
    await run.laboratory.connect()
    oven = run.laboratory.instruments["oven"].device
    bake = oven.act

    async def bake_and_kill(action: Action, command: Command) -> object:
        if command.number == 1:
            os.kill(server.pid, signal.SIGKILL)
            while is_alive(server.api_url):
                await asyncio.sleep(0.05)
        return await bake(action, command)

    oven.act = bake_and_kill
    async with PrefectTurns(patience=Patience(close=1.0)) as turns:
        await turns.take(run, 0)
        within = await turns.take(run, 1)
        after = await turns.take(run, 2)
        assert not within.failed
        assert not after.failed
        assert len(oven.acts) == 3, "an action was repeated or lost"
        assert [n for n, _ in run.history.observations(run.id)] == [0, 1, 2]

        again = await asyncio.to_thread(ensure_server, prefect_home)
        assert again.started_now
        assert again.port == server.port
        turns._try_again_at = 0.0
        await turns.take(run, 3)
    shown = {r["name"]: r["state"]["type"] for r in api.flow_runs(run.id)}
    assert shown["bread-e000"] == "COMPLETED"
    assert shown["bread-e001"] == "COMPLETED", "the turn that the server missed was not settled"
    assert shown["bread-e002"] == "COMPLETED", "the turn without Prefect was not added"
    assert shown["bread-e003"] == "COMPLETED"
    later = {r["name"]: r for r in api.flow_runs(run.id) if "added-later" in r["tags"]}
    # On a busy machine the server may not have heard even of the beginning of the turn it died in.
    assert {"bread-e002"} <= set(later) <= {"bread-e001", "bread-e002"}
    added = later["bread-e002"]
    assert "added from the history afterwards" in added["state"]["message"]
    assert {"campaign", "experiment", "best"} <= {
        key.split("-")[0] for key in api.artifacts(added["id"])
    }


async def test_turns_that_nobody_showed_are_shown_once_when_the_campaign_is_resumed(
    api: Api, bread: Callable[..., Run]
) -> None:
    run = bread()
    await run.laboratory.connect()
    for number in range(3):
        await turn(run, number)
    for _ in range(2):
        async with seen_in_prefect(run):
            pass
    assert [r["name"] for r in api.flow_runs(run.id)] == [f"bread-e{n:03d}" for n in range(3)]
    assert await publish_missed(run) == 0
