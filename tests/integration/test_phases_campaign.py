"""A campaign whose agent finds out by itself which phases are there: `xrd.phases` on the twin."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestrator.examples import FOLDER
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
