"""What people read of actions: faults of a file, and what a sample measured again looks like."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from orchestrator.acting.words import again_in_words
from orchestrator.cli import showing
from orchestrator.control import run_campaign
from orchestrator.errors import BadFile
from orchestrator.examples import FOLDER
from orchestrator.export.experiment_table import experiments_table
from orchestrator.launch import prepare
from orchestrator.report.artifacts import gather, render
from orchestrator.report.listing import rows
from orchestrator.report.story import Story
from orchestrator.report.summary import summary
from orchestrator.run import Run
from orchestrator.store import Store
from planners.actions.records import MeasureAgain
from tests.orchestrator.actors import first_after
from tests.orchestrator.test_acting import begun, wanted

CAMPAIGN = (FOLDER / "tio2_actions.toml").read_text()


def attempt(folder: Path, campaign: str) -> None:
    for name, text in (
        ("tio2_actions.toml", campaign),
        ("tio2_actions_lab.toml", (FOLDER / "tio2_actions_lab.toml").read_text()),
    ):
        (folder / name).write_text(text)
    prepare(folder / "tio2_actions.toml")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('use = "bayesian"', 'use = "sobol"', "sobol chooses new samples only"),
        ("counting_time = 2.0", "counting_tme = 2.0", "no setting 'counting_tme'"),
        ("counting_time = 2.0", "counting_time = 900.0", "above the limit 120"),
        ('measure]]\ntechnique = "xrd"', 'measure]]\ntechnique = "pdf"', "not measure 'pdf'"),
        ('then = "tell"', 'then = "shout"', "'tell' or 'wait'"),
        ("replicate = true", "replicates = true", "replicates"),
    ],
)
def test_each_misfit_of_actions_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert old in CAMPAIGN
    with pytest.raises(BadFile) as caught:
        attempt(tmp_path, CAMPAIGN.replace(old, new))
    assert words in str(caught.value)
    assert all(fault.line > 0 for fault in caught.value.faults)


def test_a_longer_count_is_told_as_a_multiple_of_the_planned_one() -> None:
    planned = {"measurements": [{"technique": "table", "settings": {"repeats": 2}}]}
    again = MeasureAgain(experiment=12, technique="table", settings={"repeats": 8})
    told = again_in_words(again, wanted(**planned))
    assert told == "sample of experiment 12 again: table, repeats 8 (4 × as planned)"
    assert again_in_words(again, None) == "sample of experiment 12 again: table, repeats 8"


async def _story(store: Store) -> Story:
    run, _ = await begun(store, first_after({2: 0}))
    await run_campaign(run)
    return _story_of(store, run)


def _story_of(store: Store, run: Run) -> Story:
    record = store.campaign(run.id)
    return Story(
        record=record,
        campaign=run.campaign,
        problem="",
        laboratory={},
        candidates=None,
        experiments=store.experiments(run.id),
        actions=store.actions(run.id),
        events=store.events(run.id),
    )


async def test_a_report_counts_turns_and_tells_samples_once(store: Store) -> None:
    story = await _story(store)
    assert [n for n, _ in story.ended] == [0, 1, 2, 3]
    assert [n for n, _ in story.done] == [0, 1, 3]
    assert story.known[0].supersedes == 0
    said = " ".join(text for _, text in summary(story).facts)
    assert "4 experiments (1 measured an earlier sample again)" in said
    remarks = [row.cells[-2].text for row in rows(story)]
    assert "superseded by experiment 2, which measured the sample again" in remarks[0]
    assert "sample of experiment 0 again: table, repeats 4" in remarks[2]


async def test_an_artifact_says_which_sample_was_measured_again(store: Store) -> None:
    run, _ = await begun(store, first_after({2: 0}))
    await run_campaign(run)
    pages = {a.key: str(a.data) for a in render(gather(run, 2))}
    expected = "**Proposed** sample of experiment 0 again: table, repeats 4"
    assert expected in pages["experiment-bread-1"]
    assert "**4 of 4 experiments**" in pages["campaign-bread-1"]
    best = pages["best-bread-1"]
    assert best.count('"experiment"') == 3  # a sample, not a turn, is best


async def test_the_table_for_others_says_what_replaces_what(store: Store) -> None:
    story = await _story(store)
    records = experiments_table(story.record, story.experiments).records
    assert [r.get("measures_again") for r in records] == [None, None, 0, None]
    assert [r.get("supersedes") for r in records] == [None, None, 0, None]
    assert [r.get("superseded_by") for r in records] == [2, None, None, None]


async def test_the_terminal_tells_of_a_second_look(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _story(store)
    console = Console(width=160, record=True, force_terminal=False)
    monkeypatch.setattr(showing, "console", console)
    showing.show_campaign(store, store.campaign("bread-1"))
    showing.show_experiment(store, store.campaign("bread-1"), 2)
    text = console.export_text()
    assert "measured again in 2" in text
    assert "asked     sample of experiment 0 again: table, repeats 4" in text


async def test_the_best_sample_is_told_as_it_was_read_last(store: Store) -> None:
    run, _ = await begun(store, first_after({1: 0}), budget={"experiments": 2})
    await run_campaign(run)
    best = summary(_story_of(store, run)).best
    assert best is not None
    assert best.number == 0
    assert "measured again later" in best.verdict
    assert "± 0.045" in best.outcomes[0][1]  # of five repeats, where the first look had one
