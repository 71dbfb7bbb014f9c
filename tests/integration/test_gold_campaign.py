"""Campaigns in ScattBO's laboratory: grown, measured, read by `pdf.match`, from end to end."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from orchestrator.examples import FOLDER
from tests.integration.conftest import Sdlab
from tests.integration.test_resume import errors, history, start, told

HEAD = """
name = "gold"
laboratory = "{laboratory}"
seed = 1
{space}
[[objective.targets]]
quantity = "pdf.n_atoms"
goal = "match"
value = 10000
tolerance = 10
[budget]
experiments = 2
[planner]
use = "random"
[[measurements]]
technique = "pdf"
[[measurements]]
technique = "pdf"
settings = {{ curve = "g_r" }}
[[agents]]
use = "pdf.match"
[agents.settings]
most_atoms = 60
bond_range = [2.1, 4.6]
element = "Au"
fitted = 3
"""

SOLUTION = """
[[space.parameters]]
type = "continuous"
name = "pH"
low = 2
high = 6
[[space.parameters]]
type = "continuous"
name = "pressure"
low = 15
high = 80
unit = "a.u."
[[space.parameters]]
type = "categorical"
name = "solvent"
categories = ["Ethanol", "Others"]
"""

ROBOT = """
[[space.parameters]]
type = "continuous"
name = "temperature"
low = 20
high = 60
unit = "degC"
[[space.parameters]]
type = "continuous"
name = "uv"
low = 0
high = 5
step = 1
unit = "lamps"
[[space.parameters]]
type = "mixture"
name = "volumes"
components = ["volume_a", "volume_b", "volume_c", "volume_d", "volume_e", "volume_f"]
[[space.parameters]]
type = "continuous"
name = "speed_d"
low = 2000
high = 4096
unit = "a.u."
[synthesis.settings]
uv_a = 0
led = 7
"""


def campaign(folder: Path, laboratory: str, space: str) -> Path:
    shutil.copy(FOLDER / laboratory, folder / laboratory)
    path = folder / "gold.toml"
    path.write_text(HEAD.format(laboratory=laboratory, space=space))
    return path


@pytest.mark.parametrize(
    ("laboratory", "space", "reactor"),
    [
        ("scattbo_lab.toml", SOLUTION, "reactor"),
        ("scattbo_robot_lab.toml", ROBOT, "robot"),
    ],
)
def test_a_campaign_runs_in_either_reactor(
    sdlab: Sdlab, tmp_path: Path, laboratory: str, space: str, reactor: str
) -> None:
    path = campaign(tmp_path, laboratory, space)
    said = sdlab("run", path, "--dry-run", "-n", "2")
    assert said.code == 0, said.err
    shown = sdlab("show", "last", "-e", "1").out
    for word in (reactor, "beamline", "pdf.match", "pdf.n_atoms", "succeeded"):
        assert word in shown, shown


def test_the_packaged_robot_campaign_compares_with_its_target(sdlab: Sdlab) -> None:
    said = sdlab("run", "scattbo_robot", "--dry-run", "-n", "1")
    assert said.code == 0, said.err
    assert "pdf.distance_to_target = " in said.out


def test_a_campaign_beyond_the_reactor_is_refused_before_it_starts(
    sdlab: Sdlab, tmp_path: Path
) -> None:
    space = SOLUTION.replace("high = 80", "high = 120")
    said = sdlab("run", campaign(tmp_path, "scattbo_lab.toml", space), "--dry-run")
    assert said.code != 0
    assert "pressure = 120 a.u. is above the limit 100 a.u." in said.err


@pytest.mark.slow
def test_a_campaign_that_is_killed_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    path = campaign(tmp_path, "scattbo_lab.toml", SOLUTION)
    calm, wild = tmp_path / "calm", tmp_path / "wild"
    for home in (calm, wild):
        home.mkdir()
    begin = ("run", str(path), "--dry-run", "-n", "3")
    assert start(calm, *begin).wait() == 0, errors(calm)
    process = start(wild, *begin)
    while not any(e.observation for e in history(wild)[1]):
        assert process.poll() is None, errors(wild)
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    campaign_id, experiments = history(wild)
    assert len(told(experiments)) < 3 or experiments[-1].observation is None
    assert start(wild, "resume", campaign_id).wait() == 0, errors(wild)
    assert told(history(wild)[1]) == told(history(calm)[1])
