"""The live display: nothing cut short or wrapped on a small terminal, and what was said stays."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from orchestrator.cli.screen import Screen
from orchestrator.control import run_campaign
from orchestrator.store import Store
from planners.baselines import make_random
from tests.orchestrator import bakery


@pytest.fixture
def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=80, height=24, highlight=False)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def test_the_display_says_now_best_and_progress_in_whole_words(
    store: Store, terminal: Console
) -> None:
    run = bakery.run(store, make_random({}))
    with Screen(run, terminal) as screen:
        watched = screen.watching(run)
        await watched.laboratory.connect()
        await run_campaign(watched)
    told = text_of(terminal)
    for word in ("now       experiment", "best      experiment", "progress  6 of at most 6"):
        assert word in told


async def test_the_best_value_is_shown_whole(store: Store, terminal: Console) -> None:
    run = bakery.run(store, make_random({}))
    with Screen(run, terminal) as screen:
        watched = screen.watching(run)
        await watched.laboratory.connect()
        await run_campaign(watched)
    values = [o.outcomes[bakery.QUANTITY] for _, o in store.observations(run.id)]
    last = text_of(terminal).rpartition("best      ")[2].splitlines()[0]
    assert f"· {max(values):.4g}" in last


async def test_rows_fit_a_small_terminal_under_names_and_units(store: Store) -> None:
    paper = Console(file=io.StringIO(), width=80, highlight=False)
    run = bakery.run(store, make_random({}))
    with Screen(run, paper) as screen:
        watched = screen.watching(run)
        await watched.laboratory.connect()
        await run_campaign(watched)
    heading, units, *rows = text_of(paper).splitlines()
    assert "temperature" in heading
    assert units.split()[:2] == ["degC", "h"]
    assert len(rows) == 6
    assert all(len(line) <= 80 for line in (heading, units, *rows))


def test_what_was_said_stays_and_a_count_of_seconds_does_not(
    store: Store, terminal: Console
) -> None:
    run = bakery.run(store, make_random({}))
    assert run.laboratory.simulated
    screen = Screen(run, terminal)
    screen.say("starting the server (3 s)")
    assert "starting" not in text_of(terminal)
    screen.say("going on without Prefect: its port is taken")
    assert text_of(terminal).count("going on without Prefect") == 1


def test_what_a_real_instrument_asks_for_stays_in_sight(store: Store, terminal: Console) -> None:
    run = bakery.run(store, make_random({}))
    real = replace(run, laboratory=replace(run.laboratory, simulated=False))
    screen = Screen(real, terminal)
    screen.say("oven: open the door")
    assert "open the door" in text_of(terminal)
