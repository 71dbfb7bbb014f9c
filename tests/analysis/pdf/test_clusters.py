from __future__ import annotations

import numpy as np
import pytest
from ase.cluster.cubic import BodyCenteredCubic, FaceCenteredCubic, SimpleCubic
from scipy.spatial.distance import cdist, pdist

from analysis.errors import BadSettings
from analysis.pdf.clusters import (
    LATTICES,
    Cluster,
    cut_clusters,
    deduplicated,
    ideal_clusters,
    with_defects,
)

SMALL = ideal_clusters(most_atoms=100)


def named(parent: str) -> Cluster:
    return next(c for c in ideal_clusters() if c.parent == parent)


def test_all_seven_types_are_there_within_the_size_asked_for() -> None:
    assert {c.kind for c in SMALL} == set(LATTICES)
    assert max(map(len, SMALL)) <= 100
    assert min(map(len, SMALL)) >= 5


def test_the_shortest_distance_is_the_unit() -> None:
    for cluster in SMALL:
        assert pdist(cluster.positions).min() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("parent", "n_atoms"), [("icosahedron 2", 13), ("icosahedron 3", 55), ("octahedron 6-0", 146)]
)
def test_magic_numbers(parent: str, n_atoms: int) -> None:
    assert len(named(parent)) == n_atoms


@pytest.mark.parametrize(
    ("kind", "make", "constant"),
    [
        ("fcc", FaceCenteredCubic, 2**0.5),
        ("bcc", BodyCenteredCubic, 2 / 3**0.5),
        ("sc", SimpleCubic, 1.0),
    ],
)
def test_layered_shapes_are_those_of_ase(kind: str, make: type, constant: float) -> None:
    surfaces = ((1, 0, 0), (1, 1, 0), (1, 1, 1))
    own = [c for c in SMALL if c.kind == kind][:6]
    assert len(own) >= 4
    for cluster in own:
        layers = tuple(map(int, cluster.size.split("-")))
        theirs = make("Au", surfaces, layers, latticeconstant=constant).positions
        np.testing.assert_allclose(
            np.sort(pdist(theirs)), np.sort(pdist(cluster.positions)), atol=1e-9
        )


def test_every_atom_touches_another() -> None:
    for cluster in SMALL:
        near = cdist(cluster.positions, cluster.positions) < 1.07
        assert near.sum(axis=1).min() > 1, cluster.parent


def test_no_geometry_is_listed_twice_however_it_is_turned() -> None:
    turned = [
        Cluster(c.kind, c.size, c.parent, c.positions[::-1] @ np.diag([-1.0, 1.0, -1.0]) + 3.0)
        for c in SMALL
    ]
    assert len(deduplicated([*SMALL, *turned])) == len(SMALL)


def test_defects_keep_their_parent_and_take_corner_atoms() -> None:
    whole = named("octahedron 4-0")
    damaged = with_defects(whole, rng=np.random.default_rng(3))
    assert damaged.parent == whole.parent
    removed = len(whole) - len(damaged)
    assert 1 <= removed <= 0.12 * len(whole) + 1
    inside = np.array([(cdist([p], damaged.positions) < 1e-9).any() for p in whole.positions])
    neighbours = (cdist(whole.positions, whole.positions) < 1.2).sum(axis=1)
    assert neighbours[~inside].max() <= neighbours[inside].min() + 1e-9 or removed > 6


def test_cuts_repeat_with_their_seed_and_stay_on_the_lattice() -> None:
    one = cut_clusters(5, rng=np.random.default_rng(7), atoms=(12, 60))
    two = cut_clusters(5, rng=np.random.default_rng(7), atoms=(12, 60))
    assert [c.size for c in one] == [c.size for c in two]
    for first, second in zip(one, two, strict=True):
        np.testing.assert_array_equal(first.positions, second.positions)
    assert {c.kind for c in one} == {"sc", "fcc", "bcc", "hcp"}
    for cluster in one:
        assert 12 <= len(cluster) <= 60
        assert pdist(cluster.positions).min() == pytest.approx(1.0)


def test_an_empty_range_of_sizes_is_refused() -> None:
    with pytest.raises(BadSettings, match="clusters of 50 to 20 atoms"):
        ideal_clusters(most_atoms=20, fewest_atoms=50)
