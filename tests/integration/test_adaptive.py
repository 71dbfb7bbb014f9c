"""A campaign whose diffractometer counts again where its agent asks, from request to insight."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.integration.conftest import Sdlab

CAMPAIGN = """
name = "which phases"
laboratory = "lab.toml"
seed = 4
[[space.parameters]]
type = "continuous"
name = "temperature"
low = 690
high = 720
unit = "degC"
[synthesis.settings]
dopant_element = "Fe"
dopant = 0.5
dwell = 2
ramp = 5
[[objective.targets]]
quantity = "xrd.weight_fraction.rutile"
goal = "maximize"
[budget]
experiments = 1
[planner]
use = "random"
{further}
[[measurements]]
technique = "xrd"
[measurements.settings]
step = 0.04
counting_time = 0.02
[[agents]]
use = "xrd.adaptive"
[agents.settings]
phases = ["anatase", "rutile", "brookite", "quartz"]
longest = 2.0
sure = 0.9999
least_gain = 0.001
"""

LABORATORY = """
name = "twin"
seed = 7
[instruments.furnace]
driver = "simulated.furnace"
[instruments.diffractometer]
driver = "simulated.diffractometer"
[instruments.diffractometer.settings]
peak_rate = 1000
"""

FURTHER = "[further]\nseconds = {seconds}\nmost = 1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lab.toml").write_text(LABORATORY)
    return tmp_path


def ran(sdlab: Sdlab, folder: Path, further: str) -> None:
    campaign = folder / "campaign.toml"
    campaign.write_text(CAMPAIGN.format(further=further))
    said = sdlab("run", campaign, "--dry-run")
    assert said.code == 0, said.out + said.err


def rows(home: Path, query: str) -> list[tuple]:
    with sqlite3.connect(home / "sdlab.sqlite") as database:
        return database.execute(query).fetchall()


def test_the_segment_that_is_asked_for_is_counted_and_read(
    sdlab: Sdlab, folder: Path, home: Path
) -> None:
    ran(sdlab, folder, FURTHER.format(seconds=1500))
    steps = [step for (step,) in rows(home, "select step from action where number = 0")]
    assert steps[:3] == ["synthesize", "measure-0", "measure-0-more"]
    told = [json.loads(c) for (c,) in rows(home, "select contents from insight where number = 0")]
    request = told[0]["next_measurement"]
    assert request["technique"] == "xrd"
    [ordered] = rows(
        home, "select arguments from action where number = 0 and step = 'measure-0-more'"
    )
    settings = json.loads(ordered[0])["settings"]
    for name, value in request["settings"].items():
        assert settings[name] == value
    width = settings["two_theta_max"] - settings["two_theta_min"]
    assert 0 < width < 50  # the planned scan runs over 60 degrees
    assert len(told[1]["measurement_ids"]) == 2
    again = sdlab("replay", "last")
    assert again.code == 0, again.out
    assert "decisions identical" in again.out


def test_the_campaign_says_how_much_time_a_sample_may_take(
    sdlab: Sdlab, folder: Path, home: Path
) -> None:
    ran(sdlab, folder, FURTHER.format(seconds=100))  # less than the overhead of a scan
    steps = {step for (step,) in rows(home, "select step from action")}
    assert steps == {"synthesize", "measure-0"}
