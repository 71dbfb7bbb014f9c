"""People see alarms, truths and coverage where they look: page, terminal, artifact."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli.app import app
from orchestrator.errors import CampaignError
from orchestrator.home import open_store
from orchestrator.report.artifacts import gather, render
from orchestrator.report.html import render as page
from orchestrator.report.story import read_story
from orchestrator.store import Store
from tests.orchestrator.conftest import record
from tests.orchestrator.trust.test_trust_in_the_loop import Q, bake, tell, true_colour


async def test_an_alarm_and_how_intervals_held_stand_on_the_page(store: Store) -> None:
    run = await bake(store, 13, doubts_from=10)
    tell(store, 0, 1)
    text = page(read_story(store, run.id), store)
    assert "How far agents are believed" in text
    assert "unknown phase of taster" in text
    assert "0% (" in text


async def test_a_campaign_without_alarms_and_truths_has_no_such_section(store: Store) -> None:
    run = await bake(store, 2)
    assert "How far agents are believed" not in page(read_story(store, run.id), store)


async def test_the_artifact_of_a_turn_tells_the_alarm_that_is_on(store: Store) -> None:
    run = await bake(store, 13, doubts_from=10)
    [campaign, *_] = render(gather(run, 12))
    assert "**Alarm:** unknown phase of taster" in str(campaign.data)


async def test_a_person_tells_a_truth_and_sees_to_an_alarm_at_the_terminal(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.create_campaign(record("bread-1"))
        await bake(store, 13, doubts_from=10)
        value = true_colour(store, 2)
    told = CliRunner().invoke(
        app,
        ["truth", "bread-1", "2", Q, str(value), "-s", "colorimeter", "--home", str(tmp_path)],
    )
    assert told.exit_code == 0, told.output
    seen = CliRunner().invoke(app, ["alarms", "bread-1", "--home", str(tmp_path)])
    assert "ALARM" in seen.output
    assert "0% of 1 truths" in seen.output
    off = CliRunner().invoke(
        app, ["alarms", "bread-1", "--resolved", "new flour", "--home", str(tmp_path)]
    )
    assert "seen to: unknown_phase of taster" in off.output
    with open_store(tmp_path) as store:
        kinds = [event.kind for event in store.events("bread-1")]
    assert kinds.count("alarm_resolved") == 1


@pytest.mark.parametrize(("number", "quantity"), [("99", Q), ("0", "x")])
async def test_a_truth_of_nothing_ends_with_an_error(
    tmp_path: Path, number: str, quantity: str
) -> None:
    with open_store(tmp_path) as store:
        store.create_campaign(record("bread-1"))
        await bake(store, 1)
    words = ["truth", "bread-1", number, quantity, "0.3", "--home", str(tmp_path)]
    assert isinstance(CliRunner().invoke(app, words).exception, CampaignError)
