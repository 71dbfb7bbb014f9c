"""A campaign told "be this structure": knows what its agents know, and every decision replays."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.control import run_campaign
from orchestrator.examples import find_campaign
from orchestrator.launch import begin, prepare, with_changes
from orchestrator.replay.past import Past
from orchestrator.replay.replaying import replay
from orchestrator.store import Store
from planners.structural.planner import StructuralPlanner

SMALL = (
    ("most_atoms = 1000", "most_atoms = 160"),
    ("n_atoms = 923, bond = 2.82", "n_atoms = 147, bond = 2.82"),
    ("value = 0.15", "value = 0.2"),
    ("low = 2\nhigh = 12", "low = 2\nhigh = 5"),
)
"""Fewer and smaller clusters than the example has, so that the library is made in a second."""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    example = find_campaign("scattbo")
    text = example.read_text()
    for one, other in SMALL:
        assert one in text, one
        text = text.replace(one, other)
    (tmp_path / "scattbo_lab.toml").write_text((example.parent / "scattbo_lab.toml").read_text())
    path = tmp_path / "small.toml"
    path.write_text(text)
    return path


def test_the_planner_is_told_what_the_agents_know(small: Path) -> None:
    planner = prepare(small, dry_run=True).match.planner
    assert isinstance(planner, StructuralPlanner)
    assert set(planner.functions) >= {
        "pdf.distance_to_target.s_q",
        "pdf.distance_to_target.g_r",
    }


@pytest.mark.slow
async def test_the_wanted_cluster_is_made_and_every_decision_repeats(
    small: Path, tmp_path: Path
) -> None:
    prepared = with_changes(prepare(small, dry_run=True), seed=3, experiments=12)
    with Store.open(f"sqlite:///{tmp_path / 'sdlab.sqlite'}", tmp_path / "arrays") as store:
        run = begin(prepared, store)
        await run.laboratory.connect()
        ending = await run_campaign(run)
        assert "satisfies every target" in ending.reason
        last = store.experiment(run.id, ending.experiments - 1)
        assert last is not None
        assert "Foretold to make" in last.proposal.reason.text
        assert "icosahedron" in last.proposal.reason.text
        assert last.observation is not None
        read = last.observation.structure
        assert read.answers["pdf.type"].likeliest == "icosahedron"
        assert read.numbers["pdf.bond"].value == pytest.approx(2.82, rel=0.01)
        differing = [d for d in replay(Past.of(store, run.id)) if d.differs]
        assert not differing
