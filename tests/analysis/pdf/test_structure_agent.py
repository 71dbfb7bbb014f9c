"""pdf.structure as a campaign meets it: trained once, tiny, on clusters of 60 atoms at most."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.io import read as read_atoms
from pydantic import ValidationError

from analysis import weights
from analysis.conformance import check_agent
from analysis.errors import BadSettings, WeightsNotTrained
from analysis.pdf.agents.structure import LATTICE, StructureAgent, make
from analysis.pdf.cluster_forward import ClusterParameters
from analysis.pdf.clusters import ideal_clusters
from analysis.pdf.structure.drawing import decoded
from analysis.pdf.structure.settings import AGENT, RECIPES, command
from analysis.pdf.structure.sites import LATTICES
from analysis.pdf.training.structure_curves import Truth, simulated_without_faults
from analysis.pdf.training.structure_trainer import parts, train
from analysis.pdf.transform import QRange
from analysis.weights import read_card
from instruments.measurement import Measurement

SETTINGS = {"recipe": "tiny", "draws": 2}
TRUTH = Truth(2.75, ClusterParameters(b_iso=0.4, delta2=1.0, q_damp=0.04), QRange(0.8, 18.0))
SHAPES = {c.parent: c for c in ideal_clusters(most_atoms=60)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(weights.VARIABLE, str(cache))
        return train({}, cache, recipe="tiny", seed=0, told=lambda what, done, of: None)


@pytest.fixture
def trained(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(weights.VARIABLE, str(folder.parents[2]))
    return folder


@pytest.fixture
def agent(trained: Path, tmp_path: Path) -> StructureAgent:
    return make({**SETTINGS, "elements": ["Pt"], "write_to": "drawn"}, tmp_path)


def curve(parent: str) -> Measurement:
    return simulated_without_faults(SHAPES[parent].positions, TRUTH)


@pytest.mark.slow
def test_it_conforms_and_names_the_lattice(agent: StructureAgent) -> None:
    insight = check_agent(agent, [curve("decahedron 2-2-0")], rng=np.random.default_rng(0))
    lattices = insight.class_probabilities[LATTICE]
    assert max(lattices, key=lattices.__getitem__) == "decahedron"
    assert insight.estimates["pdf.bond"].value == pytest.approx(TRUTH.bond, abs=0.01)
    assert "observed" in insight.evidence["g_r"].columns


@pytest.mark.slow
def test_structures_are_written_with_their_bond(agent: StructureAgent) -> None:
    cluster = SHAPES["octahedron 4-0"]
    agent.analyze([curve("octahedron 4-0")], rng=np.random.default_rng(0))
    files = sorted((agent.folder / "drawn").glob("*.xyz"))
    assert len(files) == agent.settings.written
    atoms = read_atoms(files[0])
    assert set(atoms.get_chemical_symbols()) == {"Pt"}
    assert len(atoms) == pytest.approx(len(cluster), abs=4)
    distances = atoms.get_all_distances()
    assert distances[distances > 0].min() == pytest.approx(TRUTH.bond, abs=0.01)


@pytest.mark.slow
def test_noise_is_refused(agent: StructureAgent) -> None:
    m = curve("octahedron 4-0")
    insight = agent.analyze(
        [replace(m, y=np.random.default_rng(2).normal(size=m.y.shape))],
        rng=np.random.default_rng(0),
    )
    assert insight.abstained
    assert "bond_range" in insight.remarks[0]


@pytest.mark.slow
def test_the_card_speaks_of_clusters_that_were_not_learnt(trained: Path) -> None:
    card = read_card(trained)
    assert 0 <= card.figures["unseen.lattice_right"] <= 1
    assert card.reliability["the structure is wrong"]


@pytest.mark.slow
def test_points_of_the_plane_become_shapes_on_every_lattice(agent: StructureAgent) -> None:
    for lattice in LATTICES:
        shapes = decoded(agent.trained.network, np.zeros((1, 8)), lattice)
        assert all(mask.sum() >= 4 for _, mask in shapes)


def test_parents_stand_on_one_side_of_the_split() -> None:
    split = parts(RECIPES["tiny"], seed=3)
    groups = [{c.parent for c in part} for part in (split.learnt, split.calibration, split.test)]
    assert sum(map(len, groups)) == len(set.union(*groups))
    assert min(map(len, groups)) > 5


def test_what_is_missing_is_named_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path))
    with pytest.raises(WeightsNotTrained, match=command("tiny", 7)):
        make({"recipe": "tiny", "seed": 7}, tmp_path)
    with pytest.raises(BadSettings, match=f"{AGENT} has no recipe"):
        make({"recipe": "huge"}, tmp_path)


@pytest.mark.parametrize("settings", [{"bond_range": (3.0, 2.0)}, {"draws": 0}, {"unheard": 1}])
def test_contradictory_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        make(settings, Path())
