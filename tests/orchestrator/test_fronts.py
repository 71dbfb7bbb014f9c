"""The front of a campaign: who is on it, how much it dominates, and how people are told."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from orchestrator.campaign import Campaign
from orchestrator.cli.printing import print_front
from orchestrator.fronts import front_of
from orchestrator.report import write_report
from orchestrator.report.artifacts import View, render
from orchestrator.report.front import front_plots, size_in_words
from orchestrator.report.story import read_story
from orchestrator.store.records import Experiment
from planners.objective import Objective
from planners.proposal import Observation, Outlook, Proposal, Reason
from tests.orchestrator import bakery
from tests.orchestrator.histories import open_store
from tests.orchestrator.reports import begin, library

TWO = Objective.model_validate(
    {
        "targets": [
            {"quantity": "a.strength", "goal": "maximize", "unit": "J", "scale": 2.0},
            {"quantity": "a.mass", "goal": "minimize", "unit": "g"},
        ],
        "constraints": [{"quantity": "a.mass", "upper": 10}],
        "combine": "front",
    }
)


def seen(strength: float, mass: float) -> Observation:
    return Observation(values={}, outcomes={"a.strength": strength, "a.mass": mass})


DONE = [
    seen(0.0, 10.0),
    seen(4.0, 8.0),
    Observation(values={}, failed=True, failure="spilt"),
    seen(9.0, 12.0),
    seen(8.0, 9.0),
    seen(3.0, 9.5),
]
"""Strength and mass; the third failed and the fourth is too heavy."""


def test_what_failed_or_breaks_a_constraint_is_not_on_the_front() -> None:
    found = front_of(TWO, DONE)
    assert found is not None
    assert found.counted == (0, 1, 4, 5)
    assert found.members == (1, 4)


def test_the_hypervolume_is_told_in_the_units_of_the_targets_with_its_reference() -> None:
    found = front_of(TWO, DONE)
    assert found is not None
    # Above strength 0 and below mass 10: 4 x 2 and 8 x 1 less their overlap 4 x 1, of 8 x 2.
    assert found.course.tolist() == [0.0, 4.0, 6.0, 6.0]  # in scaled utilities
    assert found.share == pytest.approx(12 / 16)
    assert size_in_words(TWO, found) == (
        "The front dominates 75 % of the box between the worst value of each target "
        "(strength 0 J, mass 10 g) and the best (strength 8 J, mass 8 g): hypervolume 12 J·g."
    )


def test_without_an_experiment_that_counts_there_is_no_front_and_alone_it_has_no_size() -> None:
    assert front_of(TWO, DONE[2:4]) is None
    assert front_of(bakery.campaign().objective, DONE) is None
    alone = front_of(TWO, DONE[:1])
    assert alone is not None
    assert alone.share is None
    assert "has no size yet" in size_in_words(TWO, alone)


def test_the_terminal_lists_the_front_and_its_size(capsys: pytest.CaptureFixture[str]) -> None:
    print_front(TWO, list(enumerate(DONE)))
    told = " ".join(capsys.readouterr().out.split())
    assert "1 a.strength = 4 · a.mass = 8 4 a.strength = 8 · a.mass = 9" in told
    assert "The front dominates 75 % of the box" in told


def embedded(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found.group(1))["plots"]


def test_the_report_draws_two_targets_with_the_front_as_a_staircase(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        library(store, 40)
        story = read_story(store, "library-1")
        page = write_report(store, "library-1", tmp_path).read_text(encoding="utf-8")
    plots = embedded(page)
    steps, beaten, front = plots["front-0-1"]["data"]
    assert len(front["x"]) == len(story.front)
    assert len(front["x"]) + len(beaten["x"]) == 40
    # Across the stairs nothing that was beaten lies better: tougher and lighter than a corner.
    for x, y in zip(beaten["x"], beaten["y"], strict=True):
        assert any(a >= x and b <= y for a, b in zip(front["x"], front["y"], strict=True))
    assert set(zip(front["x"], front["y"], strict=True)) <= set(
        zip(steps["x"], steps["y"], strict=True)
    )
    moves = np.abs(np.diff([steps["x"], steps["y"]], axis=1))
    assert np.all(moves.min(axis=0) == 0)  # each piece goes straight across or straight up
    course = plots["hypervolume"]["data"][0]["y"]
    assert np.all(np.diff(course) >= 0)
    assert "of the box between the worst value of each target" in page


def test_three_targets_are_drawn_in_pairs_and_a_match_by_its_distance(tmp_path: Path) -> None:
    targets = [
        {"quantity": "a.strength", "goal": "maximize"},
        {"quantity": "a.mass", "goal": "minimize"},
        {"quantity": "a.size", "goal": "match", "value": 5.0, "tolerance": 0.5},
    ]
    space = bakery.campaign().space.model_dump()
    campaign = bakery.campaign(objective={"targets": targets, "combine": "front"}, space=space)
    rows = [(1.0, 2.0, 5.5), (2.0, 3.0, 4.0), (0.5, 2.5, 7.0)]
    with open_store(tmp_path) as store:
        begin(store, Campaign.model_validate(campaign), "", name="three")
        for i, row in enumerate(rows):
            point = {"temperature": 100.0 + i, "time": 1.0}
            proposal = Proposal(values=point, reason=Reason(planner="x", text="Drawn."))
            store.record_proposal("three", i, proposal, seed=[0])
            told = dict(zip(("a.strength", "a.mass", "a.size"), row, strict=True))
            store.record_observation("three", i, Observation(values=point, outcomes=told))
        plots = {p.name: p for p in front_plots(read_story(store, "three"))}
    assert list(plots) == ["front-0-1", "front-0-2", "front-1-2", "hypervolume"]
    by_name = {t["name"]: t for t in plots["front-0-2"].traces}
    assert by_name["on the front"]["y"] == [0.5, 1.0]
    assert by_name["beaten"]["y"] == [2.0]
    assert "distance of size from 5" in plots["front-0-2"].layout["yaxis"]["title"]["text"]


def test_the_page_beside_a_turn_tells_the_front_and_what_the_model_expected() -> None:
    outlook = Outlook(probability_of_improvement=0.25, expected_improvement=0.04)
    reason = Reason(planner="x", text="Hoped so.", outlook=outlook)
    now, point = datetime(2026, 1, 1, tzinfo=UTC), {"temperature": 120.0, "time": 1.0}
    told = [o.model_copy(update={"values": point}) for o in DONE]
    proposal = Proposal(values=point, reason=reason)
    latest = Experiment(5, proposal, (0,), None, (), (), told[-1], now, now)
    campaign = bakery.campaign(objective=TWO.model_dump())
    known = list(enumerate(told))
    view = View("bread-1", campaign, latest, known, {}, {}, known)
    pages = {a.key: str(a.data) for a in render(view)}
    assert "On the front: experiments 1, 4. The front dominates 75 %" in pages["campaign-bread-1"]
    expected = "**Outlook** improvement with probability 25 %, expected improvement 0.04"
    assert expected in pages["experiment-bread-1"]
