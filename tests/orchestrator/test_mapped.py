"""The map of phases on a campaign's page."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from orchestrator.campaign import Campaign
from orchestrator.errors import BadFile
from orchestrator.examples import FOLDER
from orchestrator.launch import prepare
from orchestrator.report.figures.region_map import RegionPlaces, in_triangle, region_map_figure
from orchestrator.report.html import write_report
from orchestrator.report.mapped import mapped
from orchestrator.report.story import read_story
from orchestrator.store import Store
from planners.proposal import Observation, Proposal, Reason
from tests.orchestrator.reports import begin
from tests.planners.mapping.world import COLUMNS, observed, places

CAMPAIGN = """
name = "map"

[[objective.targets]]
quantity = "hardness"
goal = "maximize"

[objective.phase_map]
of = "xrd.class"

[budget]
experiments = 40

[planner]
use = "phase_map"

[[measurements]]
technique = "xrd"

[[agents]]
use = "readings"
"""


def recorded(store: Store, n: int, *, blind: bool = False, text: str = CAMPAIGN) -> str:
    """Record `n` experiments of a library with three regions."""
    listed = {"columns": list(COLUMNS), "rows": [tuple(map(float, row)) for row in places()]}
    parsed = tomllib.loads(text)
    campaign = Campaign.model_validate({**parsed, "space": {"candidates": listed}})
    name = begin(
        store, campaign, text, name="map-1", config=campaign.model_dump(mode="json")
    )  # fmt: skip
    for i in range(n):
        told = observed(i)
        if blind:
            told = Observation(values=told.values, outcomes=told.outcomes)
        reason = Reason(planner="phase_map", text="Fills the space.")
        store.record_proposal(name, i, Proposal(values=told.values, reason=reason), seed=[11, i, 0])
        store.record_observation(name, i, told)
    return name


def test_the_page_names_regions_their_experiments_and_what_comes_next(
    store: Store, tmp_path: Path
) -> None:
    name = recorded(store, 20)
    found = mapped(read_story(store, name))
    assert found is not None
    assert found.picture is not None
    assert {row[0] for row in found.rows} <= {"phase 0", "phase 1", "phase 2"}
    assert sum(int(row[2]) for row in found.rows) == 20
    assert len(found.coming) == 3
    page = write_report(store, name, tmp_path).read_text()
    assert "Map of phases" in page
    assert found.picture.data_uri in page


def test_without_readings_the_page_says_that_there_is_no_map(store: Store) -> None:
    found = mapped(read_story(store, recorded(store, 10, blind=True)))
    assert found is not None
    assert found.picture is None
    assert "no map yet" in found.about


def test_a_campaign_that_asks_for_no_map_has_none(store: Store) -> None:
    text = CAMPAIGN.replace('[objective.phase_map]\nof = "xrd.class"\n', "")
    assert mapped(read_story(store, recorded(store, 6, text=text))) is None


@pytest.mark.parametrize("planner", ["bayesian", "structure"])
def test_a_planner_that_makes_no_map_is_refused_before_anything_moves(
    tmp_path: Path, planner: str
) -> None:
    text = (FOLDER / "tio2_map.toml").read_text()
    (tmp_path / "tio2_lab.toml").write_text((FOLDER / "tio2_lab.toml").read_text())
    asked = tmp_path / "map.toml"
    asked.write_text(text)
    assert prepare(asked).campaign.objective.phase_map is not None
    asked.write_text(text.replace('use = "phase_map"', f'use = "{planner}"'))
    with pytest.raises(BadFile, match="makes no map of phases"):
        prepare(asked)


def test_the_corners_of_a_triangle_are_pure_components() -> None:
    corners = in_triangle(np.eye(3))
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    np.testing.assert_allclose(sides, 1.0)


@pytest.mark.parametrize("axes", [("iron", "nickel"), ("Fe", "Ga", "Pd")])
def test_more_regions_than_colours_are_drawn(axes: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    at = rng.random((40, 2))
    index = np.arange(40) % 11
    picture = region_map_figure(
        RegionPlaces(at, at[:5], at[5:7], axes),
        names=[f"region {k}" for k in range(11)],
        index=index,
        sure=rng.random(40),
        doubt=rng.random(40),
        title="eleven regions",
    )
    assert picture.data.startswith(b"\x89PNG")
