"""Campaigns whose agent finds its phases by itself, on the twin and on real scans."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from orchestrator.examples import FOLDER
from tests.instruments.shared_data import data_set
from tests.integration.conftest import Sdlab

AGENT = """
[[agents]]
use = "xrd.phases"
[agents.settings]
phases = ["anatase", "rutile", "corundum", "halite"]
recipe = "tiny"
"""


@pytest.fixture
def campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the titania campaign, which aims at rutile alone and names candidates only."""
    monkeypatch.setenv("SDLAB_CACHE", str(tmp_path / "cache"))
    text = (FOLDER / "tio2.toml").read_text()
    head, _, rest = text.partition('[[objective.targets]]\nquantity = "xrd.crystallite_size')
    budget = "[budget]" + rest.partition("[budget]")[2]
    before, _, _ = budget.partition("[[agents]]")
    shutil.copy(FOLDER / "tio2_lab.toml", tmp_path / "tio2_lab.toml")
    path = tmp_path / "phases.toml"
    path.write_text(head + before + AGENT)
    return path


def test_untrained_candidates_stop_a_campaign_before_anything_is_made(
    sdlab: Sdlab, campaign: Path
) -> None:
    said = sdlab("run", campaign, "--dry-run", "-n", "2")
    assert said.code != 0
    assert "sdlab train xrd.phases" in said.err
    assert "no campaign" in sdlab("list").out.lower()


@pytest.mark.slow
def test_a_campaign_finds_its_phases_and_its_history_tells_them(
    sdlab: Sdlab, campaign: Path
) -> None:
    trained = sdlab("train", "xrd.phases", "--recipe", "tiny", "--settings", campaign)
    assert trained.code == 0, trained.err
    said = sdlab("run", campaign, "--dry-run", "-n", "3")
    assert said.code == 0, said.err
    shown = sdlab("show", "last", "-e", "1").out
    assert "xrd.phases" in shown
    assert "xrd.weight_fraction.anatase =" in shown or "xrd.weight_fraction.rutile =" in shown
    assert " more are 0" in shown
    assert "xrd.weight_fraction.halite" not in shown


LABORATORY = """
name = "weighed mixtures"
seed = 0
[instruments.shelf]
driver = "replay.synthesizer"
[instruments.shelf.settings]
table = "mixtures.csv"
[instruments.shelf.settings.features]
mixture = {{ }}
[instruments.diffractometer]
driver = "replay.recorder"
[instruments.diffractometer.settings]
table = "mixtures.csv"
[instruments.diffractometer.settings.features]
mixture = {{ }}
[instruments.diffractometer.settings.pattern]
technique = "xrd"
folder = "{folder}/patterns"
file = "scan"
"""
CAMPAIGN = """
name = "the most nickel oxide"
laboratory = "mixtures_lab.toml"
[space.candidates]
table = "mixtures.csv"
columns = ["mixture"]
[[objective.targets]]
quantity = "xrd.weight_fraction.NiO_225"
goal = "maximize"
[budget]
experiments = 4
[planner]
use = "sobol"
[[measurements]]
technique = "xrd"
[[agents]]
use = "xrd.phases"
[agents.settings]
phases = "{folder}/reference_cifs"
recipe = "tiny"
"""


@pytest.mark.slow
def test_real_patterns_are_read_in_a_replayed_campaign(
    sdlab: Sdlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = data_set("xrd/dara_mixtures")
    monkeypatch.setenv("SDLAB_CACHE", str(tmp_path / "cache"))
    names = [f"mixture_{k:02d}" for k in range(1, 5)]
    rows = ["mixture,scan", *(f"{n},{n}_2min.xrdml" for n in names)]
    (tmp_path / "mixtures.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "mixtures_lab.toml").write_text(LABORATORY.format(folder=folder))
    campaign = tmp_path / "mixtures.toml"
    campaign.write_text(CAMPAIGN.format(folder=folder))
    trained = sdlab("train", "xrd.phases", "--recipe", "tiny", "--settings", campaign)
    assert trained.code == 0, trained.err
    said = sdlab("run", campaign)
    assert said.code == 0, said.err
    table = sdlab("show", "last").out
    weighed = pd.read_csv(folder / "truth.csv")
    nickel = weighed[weighed["structure"] == "NiO_225"].set_index("mixture")["mass_fraction"]
    best = nickel.reindex(names).idxmax()
    assert best in table
    assert f"{nickel[best]:.1f}" in table  # the weighed share, to one digit, among the shown ones
