"""The report tells a campaign completely, honestly, and without any network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from plotly.graph_objects import Figure

from orchestrator.errors import CampaignError, UnknownCampaign
from orchestrator.report import write_report
from orchestrator.store import Store
from tests.orchestrator.histories import open_store
from tests.orchestrator.reports import library, titania


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("history")
    with open_store(folder) as store:
        titania(store, 0, name="empty")
        titania(store, 3, name="all-failed", fails=lambda _: True)
        titania(store, 12, name="titania", status="finished", message="the budget is used up")
        library(store, 40, name="library", candidates=folder / "candidates.csv")
        library(store, 20, name="table-gone")
        yield store


@pytest.fixture(scope="module")
def pages(history: Store, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("reports")
    names = [record.id for record in history.campaigns()]
    return {n: write_report(history, n, folder).read_text(encoding="utf-8") for n in names}


def embedded(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found.group(1))


def visible(page: str) -> str:
    """Return the text a person reads, spaces collapsed."""
    parts: list[str] = []

    class Reader(HTMLParser):
        hidden = False

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.hidden = tag in ("script", "style")

        def handle_endtag(self, tag: str) -> None:
            self.hidden = False

        def handle_data(self, text: str) -> None:
            if not self.hidden:
                parts.append(text)

    Reader().feed(page)
    return " ".join(" ".join(parts).split())


def test_the_head_says_what_was_wanted_how_it_ended_and_what_it_took(pages: dict[str, str]) -> None:
    text = visible(pages["titania"])
    assert "Finished: the budget is used up." in text
    assert "Bring the rutile weight fraction to 0.5 within ± 0.05." in text
    assert "at most 250 Å is enough." in text
    # 12 actions of 9 h; 9 experiments at 50 and 3 failed ones at 20.
    assert "12 experiments (3 failed), 4.5 d (108 h) of laboratory time, 510 CHF" in text
    assert "the furnace line: furnace, diffractometer" in text
    assert "Simulated data" in text


def test_the_best_experiment_stands_with_settings_units_and_standard_deviations(
    pages: dict[str, str],
) -> None:
    text = visible(pages["titania"])
    # Experiment 4 is the nearest to half rutile among the small crystallites.
    assert "Best experiment: 4" in text
    assert "0.484 ± 0.012" in text
    assert "predicted 0.504 ± 0.030" in text
    assert "240.0 ± 8.0 Å" in text
    assert "665.2 °C" in text


def test_data_played_back_are_not_called_simulated(pages: dict[str, str]) -> None:
    text = visible(pages["library"])
    assert "Recorded data played back" in text
    assert "Simulated data" not in text
    assert "library.csv" in text


def test_every_plot_is_understood_by_plotly(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        for plot in embedded(page)["plots"].values():
            assert Figure(plot).layout.height, name


def test_failed_experiments_are_marked_and_doubtful_ones_are_hollow(pages: dict[str, str]) -> None:
    traces = {t["name"]: t for t in embedded(pages["titania"])["plots"]["progress-0"]["data"]}
    assert traces["failed"]["x"] == [1, 6, 11]
    assert traces["analysis doubtful"]["x"] == [3, 10]
    assert traces["analysis doubtful"]["marker"]["symbol"] == "circle-open"
    assert set(traces["measured ± std"]["error_y"]["array"]) == {0.012}


def test_the_line_of_the_best_so_far_follows_the_utility_of_all_targets(
    pages: dict[str, str],
) -> None:
    traces = {t["name"]: t for t in embedded(pages["titania"])["plots"]["progress-1"]["data"]}
    # Crystals only grow; the larger ones were accepted for their rutile fraction.
    assert traces["best so far"]["y"][0] == 200.0
    assert traces["best so far"]["y"][-1] == 240.0


def test_points_show_settings_with_units_when_pointed_at(pages: dict[str, str]) -> None:
    trace = embedded(pages["titania"])["plots"]["searched"]["data"][0]
    assert any("temperature: 665.2 °C" in text for text in trace["text"])
    assert any("dopant: Fe" in text for text in trace["text"])


def test_a_logarithmic_setting_has_a_logarithmic_axis_and_its_unit(pages: dict[str, str]) -> None:
    axis = embedded(pages["titania"])["plots"]["searched"]["layout"]["meta"]["dwell"]
    assert axis["type"] == "log"
    assert axis["title"]["text"] == "dwell (h)"


def test_patterns_come_with_the_fit_and_the_best_experiment_first(pages: dict[str, str]) -> None:
    curves = embedded(pages["titania"])["curves"]
    assert [c["number"] for c in curves] == [4, 0, 2, 3, 5, 7, 8, 9, 10]
    names = [column["name"] for column in curves[0]["columns"]]
    assert names == ["observed", "calculated", "background", "phase.anatase", "phase.rutile"]
    assert curves[0]["x_title"] == "2θ (°)"


def test_the_landscape_is_drawn_along_the_settings_with_the_shortest_length_scales(
    pages: dict[str, str],
) -> None:
    plots = embedded(pages["titania"])["plots"]
    landscape = plots["landscape-0-mean"]
    assert landscape["layout"]["xaxis"]["title"]["text"] == "temperature (°C)"
    heat = landscape["data"][0]
    # The rutile fraction rises with temperature.
    assert heat["z"][0][-1] > heat["z"][0][0]
    assert "landscape-1-std" in plots


def test_a_front_is_listed_and_every_listed_experiment_is_unbeaten(
    history: Store, pages: dict[str, str]
) -> None:
    told = re.search(r"no other beats in every target: ([\d, ]+)\.", visible(pages["library"]))
    front = {int(n) for n in told.group(1).split(",")}
    known = {n: o.outcomes for n, o in history.observations("library")}

    def beats(a: int, b: int) -> bool:
        gains = (known[a]["toughness"] - known[b]["toughness"], known[b]["mass"] - known[a]["mass"])
        return min(gains) >= 0 and max(gains) > 0

    assert front == {n for n in known if not any(beats(other, n) for other in known)}


def test_candidates_are_the_backdrop_and_their_lost_table_is_no_obstacle(
    pages: dict[str, str],
) -> None:
    def names(page: str) -> list[str]:
        return [t["name"] for t in embedded(page)["plots"]["searched"]["data"]]

    assert names(pages["library"]) == ["candidates", "tried"]
    assert names(pages["table-gone"]) == ["tried"]
    assert "parallel" in embedded(pages["table-gone"])["plots"]


def test_a_campaign_without_experiments_says_so(pages: dict[str, str]) -> None:
    text = visible(pages["empty"])
    assert "No experiment has ended yet." in text
    assert "sdlab resume empty" in text
    assert embedded(pages["empty"])["plots"] == {}


def test_a_campaign_in_which_all_failed_names_every_failure(pages: dict[str, str]) -> None:
    text = visible(pages["all-failed"])
    assert "Every one of the 3 experiments failed." in text
    assert text.count("the arm jammed") >= 6
    assert "Actions of instruments that did not succeed (3)" in text


def test_a_campaign_file_that_cannot_be_understood_still_gives_a_report(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        titania(store, 4, name="old", config={}, campaign_toml="name = 'old'\nsecret = 1\n")
        text = visible(write_report(store, "old", tmp_path).read_text(encoding="utf-8"))
    assert "cannot understand the campaign file" in text
    assert "0.010 ± 0.012" in text


def test_nothing_in_the_page_points_outside(pages: dict[str, str]) -> None:
    class Links(HTMLParser):
        found: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found += [v or "" for k, v in attrs if k in ("src", "href", "action", "srcset")]

    for page in pages.values():
        reader = Links()
        reader.feed(page)
        assert all(link.startswith(("#", "data:")) for link in reader.found)
        assert "default-src 'none'" in page
    assert pages["titania"].count("plotly.js v") == 1


def test_text_from_people_is_escaped_everywhere(tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
    with open_store(tmp_path) as store:
        changes = {"message": evil, "campaign_source": evil, "laboratory_toml": f"name = '{evil}'"}
        titania(store, 6, name="evil", remark=evil, **changes)
        store.record_event("evil", "note", evil, 2)
        page = write_report(store, "evil", tmp_path).read_text(encoding="utf-8")
    assert evil not in page
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    embedded(page)


def test_a_thousand_experiments_stay_a_page_that_can_be_mailed(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        library(store, 1000)
        path = write_report(store, "library-1", tmp_path)
    assert path.stat().st_size < 12e6
    page = path.read_text(encoding="utf-8")
    assert page.count("<tr") >= 1000
    assert "it is drawn for up to 300" in page


def test_an_unknown_campaign_is_an_error_that_leaves_no_page(
    history: Store, tmp_path: Path
) -> None:
    with pytest.raises(UnknownCampaign):
        write_report(history, "nobody", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_clear_error(history: Store, tmp_path: Path) -> None:
    blocked = tmp_path / "reports"
    blocked.write_text("in the way")
    with pytest.raises(CampaignError, match="cannot be written"):
        write_report(history, "empty", blocked)
    assert blocked.read_text() == "in the way"


def test_writing_again_replaces_the_page_and_leaves_nothing_beside_it(
    history: Store, tmp_path: Path
) -> None:
    first = write_report(history, "empty", tmp_path)
    first.write_text("old")
    assert write_report(history, "empty", tmp_path) == first
    assert "<h1>titania</h1>" in first.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["empty.html"]


def test_predictions_are_judged_by_how_often_their_intervals_held(pages: dict[str, str]) -> None:
    # Six experiments had a prediction and a result, each 0.02 off at a std of 0.03.
    text = visible(pages["titania"])
    assert "6 of 6 outcomes lay inside their 90 % interval (100 %;" in text
    assert "too few to judge by" in text
    plot = embedded(pages["titania"])["plots"]["calibration-0"]
    assert len(plot["data"][1]["x"]) == 6
    inside, outside = embedded(pages["titania"])["plots"]["residuals-0"]["data"][1:]
    # 0.02 below at a std of 0.03 and a noise of 0.012.
    assert inside["y"] == pytest.approx([-0.02 / 0.0323] * 6, abs=1e-3)
    assert outside["x"] == []


def test_a_damaged_curve_is_named_and_the_rest_is_still_told(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        titania(store, 3, name="scarred")
        for file in (tmp_path / "arrays").rglob("*.npy"):
            file.write_bytes(file.read_bytes()[:-8] + b"damaged!")
        page = write_report(store, "scarred", tmp_path).read_text(encoding="utf-8")
    assert "does not hold what its name promises" in visible(page)
    assert embedded(page)["curves"] == []
    assert "Best experiment" in visible(page)


def test_a_page_with_more_curves_than_fit_says_which_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.report.patterns.BUDGET", 60_000)
    with open_store(tmp_path) as store:
        titania(store, 12, name="many")
        page = write_report(store, "many", tmp_path).read_text(encoding="utf-8")
    curves = embedded(page)["curves"]
    assert curves[0]["number"] == 4
    assert len(json.dumps(curves)) < 70_000
    assert f"{len(curves)} of 9 experiments are shown" in visible(page)
