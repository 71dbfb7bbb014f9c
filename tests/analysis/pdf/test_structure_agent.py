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
from analysis.pdf.structure.network import N_LATENT, N_PLANE
from analysis.pdf.structure.plane import place_of, signposts, way_between
from analysis.pdf.structure.settings import AGENT, RECIPES, command
from analysis.pdf.structure.shapes import placed
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
        shapes = decoded(agent.trained.network, np.zeros((1, N_LATENT)), lattice)
        assert all(mask.sum() >= 4 for _, mask in shapes)


@pytest.mark.slow
def test_the_way_between_two_structures_starts_and_ends_with_them(agent: StructureAgent) -> None:
    network = agent.trained.network
    ends = []
    for parent in ("octahedron 4-0", "icosahedron 3"):
        shape = placed(SHAPES[parent])
        assert shape is not None
        ends.append(place_of(network, shape))
    way = way_between(network, *ends, stops=5)
    assert len(way) == 5
    for stop in way:
        size = float(signposts(network, stop.z[None, :N_PLANE]).n_atoms[0])
        assert stop.mask.sum() == pytest.approx(size, abs=0.6)
        assert stop.sites.lattice == LATTICES[int(stop.p_lattice.argmax())]
        apart = [np.linalg.norm(stop.z - z) for z in ends]
        # on the straight line between the two, ends included
        assert sum(apart) == pytest.approx(np.linalg.norm(ends[0] - ends[1]))


@pytest.mark.slow
def test_signposts_of_the_plane_are_probabilities_and_sizes(agent: StructureAgent) -> None:
    points = np.array([[0.0, 0.0], [1.0, -1.0]])
    told = signposts(agent.trained.network, points)
    assert told.p_lattice.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert (told.n_atoms > 0).all()
    plane = agent.trained.plane
    assert plane.z.shape == (len(plane.kind), N_LATENT)


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
