"""`sdlab explain` tells what the model learnt, why an experiment was chosen, what came of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from orchestrator.cli import main
from orchestrator.errors import CampaignError, UnknownCampaign
from orchestrator.home import open_store
from orchestrator.report.explained import Explained, explain_campaign, known_then
from orchestrator.report.explained_words import alternative_rows, outcome_rows
from orchestrator.report.importance import importance_plots
from orchestrator.report.story import read_story
from orchestrator.store import Store
from planners.proposal import Alternative, Observation, Prediction, Proposal, Reason
from tests.orchestrator.reports import RUTILE, SIZE, library, titania

Sdlab = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    with open_store(folder) as store:
        titania(store, 0, name="empty")
        library(store, 40, name="library", candidates=folder / "candidates.csv")
        titania(store, 20, name="titania")
        _propose(store, "titania", 20)
    return folder


@pytest.fixture(scope="module")
def store(home: Path) -> Iterator[Store]:
    with open_store(home) as opened:
        yield opened


@pytest.fixture(scope="module")
def explained(store: Store) -> Explained:
    return explain_campaign(store, read_story(store, "titania"))


@pytest.fixture
def sdlab(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path) -> Sdlab:
    monkeypatch.setenv("SDLAB_HOME", str(home))

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sdlab", "explain", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def _propose(store: Store, campaign: str, number: int) -> None:
    """Record a proposal under way, with two alternatives."""
    values = {"temperature": 670.0, "dwell": 2.0, "dopant": "Fe"}
    others = tuple(
        Alternative(
            values={**values, "temperature": t},
            acquisition_value=-3.0 - i,
            predicted={RUTILE: Prediction(mean=0.4, std=0.05)},
        )
        for i, t in enumerate((640.0, 720.0))
    )
    reason = Reason(
        planner="bayesian",
        text="Highest expected improvement.",
        acquisition="qLogNEI",
        acquisition_value=-2.0,
        predicted={RUTILE: Prediction(mean=0.5, std=0.04)},
        alternatives=others,
    )
    proposal = Proposal(values=values, reason=reason)
    store.record_proposal(campaign, number, proposal, seed=[11, number, 0])


def test_temperature_that_made_the_rutile_is_what_matters_to_it(explained: Explained) -> None:
    rutile = next(e for e in explained.now if e.quantity == RUTILE)
    assert rutile.n_observations == 16
    assert rutile.importances[0].name == "temperature"
    assert rutile.importances[0].total.value > 0.9
    assert rutile.slices[0].name == "temperature"


def test_latest_experiment_is_explained_from_what_was_known_when_it_was_chosen(
    explained: Explained,
) -> None:
    chosen = explained.chosen
    assert chosen is not None
    assert chosen.number == 20
    assert chosen.known == 20
    why = chosen.why[RUTILE]
    total = why.average + sum(c.amount.value for c in why.contributions)
    assert total == pytest.approx(why.predicted.mean)
    # the truth at 670 degC is 0.5
    assert why.predicted.mean == pytest.approx(0.5, abs=0.05)


def test_an_early_experiment_knows_nothing_of_later_ones(store: Store) -> None:
    story = read_story(store, "titania")
    found = explain_campaign(store, story, experiment=6).chosen
    assert found is not None
    assert found.known == 6
    assert [o.values for o in known_then(store, story, story.by_number[6])] == [
        o.values for _, o in story.done[:6]
    ]


def test_the_first_experiment_had_no_model(store: Store) -> None:
    found = explain_campaign(store, read_story(store, "titania"), experiment=0).chosen
    assert found is not None
    assert found.why == {}
    assert "needs two" in found.no_model


def test_alternatives_stand_beside_what_was_taken(explained: Explained) -> None:
    assert explained.chosen is not None
    rows = alternative_rows(explained.chosen, {"temperature": "degC"})
    assert rows is not None
    assert rows.headings == ["", "taken", "1", "2"]
    cells = {row[0]: row[1:] for row in rows.cells}
    assert cells["temperature (°C)"] == ["670", "640", "720"]
    assert cells["qLogNEI"] == ["−2", "−3", "−4"]


def test_prediction_stands_beside_the_outcome_in_standard_deviations(store: Store) -> None:
    chosen = explain_campaign(store, read_story(store, "titania"), experiment=7).chosen
    assert chosen is not None
    rows = outcome_rows(chosen, {})
    assert rows is not None
    (row,) = rows.cells
    # predicted 0.02 too high with a std of 0.03, observed with one of 0.012
    off = -0.02 / np.hypot(0.03, 0.012)
    assert row[3] == f"{off:.2g} std, inside".replace("-", "−")


def test_a_list_whose_table_is_there_is_explained_over_its_rows(store: Store) -> None:
    found = explain_campaign(store, read_story(store, "library"), quantity="toughness")
    (toughness,) = found.now
    order = [i.name for i in toughness.importances]
    assert set(order[:2]) == {"n_struts", "thickness"}
    assert toughness.importances[2].total.value < 0.05


def test_an_explanation_survives_its_journey_through_json(explained: Explained) -> None:
    assert Explained.model_validate_json(explained.model_dump_json()) == explained


def test_unknown_experiments_and_quantities_are_refused_in_words(store: Store) -> None:
    story = read_story(store, "titania")
    with pytest.raises(UnknownCampaign, match="0 to 20"):
        explain_campaign(store, story, experiment=99)
    with pytest.raises(CampaignError, match=SIZE):
        explain_campaign(store, story, quantity="colour")
    with pytest.raises(UnknownCampaign, match="none yet"):
        explain_campaign(store, read_story(store, "empty"), experiment=0)


def test_the_command_prints_importances_contributions_alternatives_and_writes_files(
    sdlab: Sdlab, tmp_path: Path, explained: Explained
) -> None:
    page, numbers, folder = tmp_path / "a" / "why.html", tmp_path / "why.json", tmp_path / "png"
    code, out, err = sdlab("titania", "--html", page, "--json", numbers, "--figures", folder)
    assert (code, err) == (0, "")
    for words in (
        "What matters to the rutile weight fraction",
        "Why experiment 20: rutile weight fraction",
        "average over the space",
        "Weighed, and not taken",
        "under way",
        str(page),
    ):
        assert words in out
    assert Explained.model_validate(json.loads(numbers.read_text())) == explained
    pictures = sorted(folder.glob("*.png"))
    assert len(pictures) == 8  # two quantities: contributions, bars, slices, surface
    for path in pictures:
        with Image.open(path) as image:
            assert len(set(image.convert("L").tobytes())) > 10
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 8
    assert "://" not in text
    assert "<script" not in text


def test_the_command_says_when_nothing_can_be_explained_yet(sdlab: Sdlab, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    code, out, _ = sdlab("empty", "--html", page)
    assert code == 0
    assert "no model yet" in out
    assert "no experiment yet" in out
    assert "needs two" in page.read_text(encoding="utf-8")
    code, _, err = sdlab("titania", "-e", "99")
    assert code == 1
    assert "no experiment 99" in err


def test_the_report_of_a_campaign_draws_what_matters_or_says_why_not(store: Store) -> None:
    plots, text = importance_plots(read_story(store, "titania"))
    assert [p.name for p in plots] == ["importance-0", "importance-1"]
    assert "Sobol'" in text
    shares = plots[0].traces[1]
    assert shares["y"][-1] == "temperature"
    assert shares["x"][-1] > 0.9
    plots, text = importance_plots(read_story(store, "empty"))
    assert plots == []
    assert "there are 0" in text


def test_a_failed_experiment_is_told_with_its_reason(store: Store) -> None:
    chosen = explain_campaign(store, read_story(store, "titania"), experiment=6).chosen
    assert chosen is not None
    assert chosen.observation is not None
    assert chosen.observation.failed
    rows = outcome_rows(chosen, {})
    assert rows is not None
    assert rows.cells[0][3] == "failed"
    assert "the arm jammed" in rows.note


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine; install `chromium`")
def test_the_page_fits_into_a_narrow_window(sdlab: Sdlab, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    sdlab("titania", "--html", page)
    shot = tmp_path / "shot.png"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=520,3000"]
    done = subprocess.run(
        [str(CHROMIUM), *flags, f"--screenshot={shot}", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert shot.exists(), done.stderr
    with Image.open(shot) as image:
        # the right margin stays empty: nothing wider than the window was cut off
        margin = np.asarray(image.convert("L"))[:, 500:504]
    assert (margin > 230).mean() > 0.99


def test_what_an_experiment_knew_is_taken_from_the_record_where_it_says_so(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        titania(store, 6, name="late")
        values = {"temperature": 600.0, "dwell": 1.0, "dopant": "Nb"}
        proposal = Proposal(values=values, reason=Reason(planner="random", text="Drawn."))
        store.record_proposal("late", 6, proposal, seed=[11, 6, 0], told=4)
        store.record_observation(
            "late", 6, Observation(values=values, outcomes={RUTILE: 0.3}, cost=1)
        )
        story = read_story(store, "late")
        assert len(known_then(store, story, story.by_number[6])) == 4
