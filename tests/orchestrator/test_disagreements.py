"""What agents disagreed on is told in the report and on the terminal, with how it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.agreeing.noting import AROSE, SETTLED, STANDS
from orchestrator.cli.showing import show_campaign, show_experiment
from orchestrator.report import write_report
from orchestrator.report.disagreements import about_disagreements, disagreements
from orchestrator.store import Store
from tests.orchestrator.reports import titania
from tests.orchestrator.test_report import visible

SAID = "rutile weight fraction: xrd.quantify says 0.3 ± 0.01, <b>pdf</b> says 0.6 ± 0.02"


def disputed(store: Store) -> str:
    name = titania(store, 3, name="disputed")
    store.record_event(name, AROSE, SAID, 0)
    store.record_event(name, SETTLED, "rutile weight fraction: settled at 0.31 ± 0.01", 0)
    store.record_event(name, AROSE, SAID, 2)
    store.record_event(name, STANDS, SAID, 2)
    store.record_event(name, AROSE, "anatase crystallite size: two values", 2)
    return name


def test_each_dispute_is_told_with_what_became_of_it(store: Store) -> None:
    found = disagreements(store.events(disputed(store)))
    assert [(d.number, d.state) for d in found] == [(0, "settled"), (2, "open"), (2, "under way")]
    assert found[0].became == "settled at 0.31 ± 0.01"
    assert found[0].said.startswith("xrd.quantify says")
    assert about_disagreements(found).startswith("On 2 samples")
    assert about_disagreements([]) == ""


def test_the_report_has_a_table_of_them_and_escapes_what_was_said(
    store: Store, tmp_path: Path
) -> None:
    page = write_report(store, disputed(store), tmp_path).read_text(encoding="utf-8")
    assert "<b>pdf</b>" not in page
    text = visible(page)
    assert "Where agents disagreed" in text
    assert "settled at 0.31 ± 0.01" in text
    assert "Where agents disagreed" not in visible(
        write_report(store, titania(store, 2, name="peace"), tmp_path).read_text(encoding="utf-8")
    )


def test_the_terminal_shows_them_with_their_experiment(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    record = store.campaign(disputed(store))
    show_campaign(store, record)
    assert "disputes  On 2 samples" in capsys.readouterr().out
    show_experiment(store, record, 2)
    told = capsys.readouterr().out
    assert "disputed  rutile weight fraction" in told
    assert "settled at" not in told
    show_experiment(store, record, 1)
    assert "disputed" not in capsys.readouterr().out.partition("\n")[2]
