"""How far one structure is from another: curves, and type, bond and size."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.insight import Estimate, Insight
from analysis.pdf.clusters import ideal_clusters
from analysis.pdf.library import Entry, shells
from analysis.pdf.targets import Belief, MisfitMap, belief, descriptor_distance, rwp, shape_misfit

Q = np.arange(2.0, 10.0, 0.05)
BONDS = (2.7, 3.0)


SHAPES = {c.parent: c for c in ideal_clusters(most_atoms=150, fewest_atoms=50)}


def entry(parent: str) -> Entry:
    cluster = SHAPES[parent]
    distance, weight = shells(cluster.positions, np.ones(len(cluster)))
    return Entry(parent, cluster.kind, cluster.lattice, len(cluster), distance, weight)


@pytest.fixture(scope="module")
def misfits() -> MisfitMap:
    entries = [entry(name) for name in ("icosahedron 3", "icosahedron 4", "octahedron 5-0")]
    return MisfitMap((entries[0], 2.88), entries, q=Q, powers=[0.0, 1.0], bond_range=BONDS)


def known(bond: float = 2.88, atoms: float = 55.0, **types: float) -> Belief:
    return Belief(types or {"fcc": 1.0}, (np.log(bond), 0.0), (np.log(atoms), 0.0))


def test_rwp_of_nothing_is_one_and_of_itself_zero() -> None:
    y = np.sin(Q)
    assert rwp(y, np.zeros_like(y)) == pytest.approx(1.0)
    assert rwp(y, y) == 0.0


def test_a_scale_changes_rwp_and_not_the_misfit_of_shape() -> None:
    y = np.sin(Q)
    assert rwp(y, 2 * y) == pytest.approx(1.0)
    assert shape_misfit(y, 2 * y) == pytest.approx(0.0, abs=1e-7)
    assert shape_misfit(y, -y) == 1.0


def test_equal_certain_structures_are_no_distance_apart() -> None:
    assert descriptor_distance(known(), known()) == 0.0


def test_distances_grow_with_bond_size_type_and_doubt() -> None:
    here = known()
    unsure = Belief({"fcc": 1.0}, (np.log(2.88), 0.01), (np.log(55.0), 0.0))
    assert descriptor_distance(here, known(icosahedron=1.0)) == pytest.approx(1.0)
    assert descriptor_distance(here, known(2.88 * np.exp(0.01))) == pytest.approx(1.0)
    assert descriptor_distance(here, known(atoms=55 * np.exp(0.3))) == pytest.approx(1.0)
    assert descriptor_distance(here, unsure) == pytest.approx(1.0)
    assert descriptor_distance(here, known(3.6)) > descriptor_distance(here, known(3.2))


def test_the_map_is_least_at_the_target(misfits: MisfitMap) -> None:
    bonds = np.log(np.linspace(2.75, 2.98, 231))
    atoms = np.full_like(bonds, np.log(55.0))
    along = misfits.at("icosahedron", atoms, bonds)
    # bonds in steps of 0.001 Å, the map's own of 0.0009 Å
    assert np.exp(bonds[along.argmin()]) == pytest.approx(2.88, abs=0.001)
    assert along.min() < 0.01
    assert along[0] > 0.3


def test_another_size_and_another_type_misfit(misfits: MisfitMap) -> None:
    here = np.log([2.88])
    assert misfits.at("icosahedron", np.log([147.0]), here)[0] > 0.05
    assert misfits.at("octahedron", np.log([85.0]), here)[0] > 0.3


def test_an_insight_becomes_a_belief_and_an_abstention_none() -> None:
    said = Insight(
        "a/pdf.match",
        "pdf.match",
        ("a",),
        {"pdf.bond": Estimate(2.5, 0.05, "Å"), "pdf.n_atoms": Estimate(100.0, 10.0, "")},
        class_probabilities={"pdf.type": {"fcc": 0.8, "hcp": 0.2}},
    )
    found = belief(said)
    assert found is not None
    assert found.type == "fcc"
    assert found.bond == pytest.approx((np.log(2.5), 0.02))
    assert found.atoms == pytest.approx((np.log(100.0), 0.1))
    silent = Insight("a/pdf.match", "pdf.match", ("a",), abstained=True, remarks=("no",))
    assert belief(silent) is None
