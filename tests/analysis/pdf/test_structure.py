"""Sites, searches and comparison behind pdf.structure: known crystals come back."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from analysis.pdf.cluster_forward import ClusterParameters
from analysis.pdf.clusters import Cluster, ideal_clusters, with_defects
from analysis.pdf.structure.comparing import position_error
from analysis.pdf.structure.disposing import Effort, Ranked, disposed
from analysis.pdf.structure.drawing import Draw
from analysis.pdf.structure.elements import element_probabilities, metal_bond, possible_bonds
from analysis.pdf.structure.fitting import fit_shape
from analysis.pdf.structure.moves import steps
from analysis.pdf.structure.regularity import ATOM, HEIGHT, cost, description
from analysis.pdf.structure.search import Ledger
from analysis.pdf.structure.shapes import placed, random_shapes
from analysis.pdf.structure.sites import LATTICES, sites_of
from analysis.pdf.structure.sums import PairSums
from analysis.pdf.training.structure_calibration import reading_of
from analysis.pdf.training.structure_curves import (
    FAULTS,
    Fault,
    Truth,
    simulated_with,
    simulated_without_faults,
)
from analysis.pdf.transform import QRange

SHAPES: dict[str, Cluster] = {c.parent: c for c in ideal_clusters(most_atoms=150)}
TRUTH = Truth(2.7, ClusterParameters(b_iso=0.4, delta2=1.5, q_damp=0.04), QRange(0.8, 20.0))


@pytest.mark.parametrize("lattice", LATTICES)
def test_neighbours_on_sites_are_one_bond_apart(lattice: str) -> None:
    sites = sites_of(lattice)
    assert pdist(sites.positions).min() == pytest.approx(1.0, abs=1e-6)
    # sums over shells take the mean distance of pairs within 0.6 % of the bond
    assert sites.distance[0] == pytest.approx(1.0, abs=0.003)


@pytest.mark.parametrize("lattice", LATTICES)
def test_pair_counts_hold_every_pair_once(lattice: str) -> None:
    sites = sites_of(lattice)
    mask = np.linalg.norm(sites.positions, axis=1) < 2.6
    counts, distances = sites.pair_counts(mask), pdist(sites.positions[mask])
    assert counts.sum() == len(distances)
    assert counts @ sites.distance == pytest.approx(distances.sum(), rel=1e-3)


@pytest.mark.parametrize("lattice", ["hcp", "decahedron", "fcc"])
def test_pair_counts_of_steps_are_those_of_a_fresh_count(lattice: str) -> None:
    whole = sites_of(lattice)
    start = np.linalg.norm(whole.positions - whole.centres[-1], axis=1) < 2.2
    sites, kept = whole.near(start, margin=1.5)
    mask = start[kept]
    shapes = steps(mask, sites, sites.shifted())
    rows = np.random.default_rng(0).normal(size=(len(sites.distance), 50))
    ledger = Ledger.of(sites, PairSums(rows, rows[0]), mask)
    assert len(shapes) > 50
    fresh = np.stack([sites.pair_counts(s) for s in shapes])
    assert np.allclose(ledger.counts_of(shapes), fresh)
    moved, anew = ledger.moved_to(shapes[-1]), Ledger.of(sites, ledger.sums, shapes[-1])
    assert np.array_equal(moved.reach, anew.reach)
    assert np.allclose(moved.counts, fresh[-1])


def test_rw_of_pair_counts_is_that_of_the_curve_at_its_best_scale() -> None:
    rng = np.random.default_rng(1)
    rows, y, counts = rng.normal(size=(6, 40)), rng.normal(size=40), rng.random(6)
    f = counts @ rows
    y = y + 2 * f
    residual = y - float(f @ y) / float(f @ f) * f
    wanted = np.linalg.norm(residual) / np.linalg.norm(y)
    assert PairSums(rows, y).rw(counts[None])[0] == pytest.approx(wanted)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_bond_is_off_by_about_its_std_whatever_the_fault(fault: Fault) -> None:
    cluster = SHAPES["octahedron 5-1"]
    shape, sites, rng = placed(cluster), sites_of("fcc"), np.random.default_rng(3)
    assert shape is not None
    _, index = cKDTree(sites.positions).query(shape.atoms - shape.atoms[0])
    mask = np.isin(np.arange(len(sites)), index)
    assert mask.sum() == len(cluster)
    off = []
    for _ in range(20):
        truth, curve = simulated_with(fault, cluster.positions, rng=rng)
        fit = fit_shape(sites, mask, truth.bond, reading_of(curve))
        off.append((fit.bond - truth.bond) / fit.bond_std)
    # twenty squares of a normal number: between 0.5 and 1.7, and stds are rough themselves
    assert 0.4 < np.sqrt(np.mean(np.square(off))) < 2.0


def test_every_type_of_cluster_fits_on_the_sites() -> None:
    for kind in ("sc", "fcc", "bcc", "hcp", "icosahedron", "decahedron", "octahedron"):
        cluster = next(c for c in SHAPES.values() if c.kind == kind and len(c) > 25)
        shape = placed(cluster)
        assert shape is not None
        assert np.sort(pdist(shape.atoms)) == pytest.approx(np.sort(pdist(cluster.positions)))
        assert len(shape.vacant) > 0


def test_random_shapes_are_between_the_sizes_asked_for() -> None:
    sizes = [m.sum() for m, _ in random_shapes(6, rng=np.random.default_rng(0), atoms=(20, 90))]
    assert min(sizes) >= 20
    # whole layers are taken, so that the last one may go beyond
    assert np.median(sizes) <= 90


@pytest.mark.parametrize(
    ("parent", "lattice"),
    [("hcp 3-4-4", "hcp"), ("octahedron 5-1", "fcc"), ("decahedron 2-2-1", "decahedron")],
)
def test_a_sphere_is_refined_into_the_crystal_behind_a_curve(parent: str, lattice: str) -> None:
    cluster = SHAPES[parent]
    reading = reading_of(simulated_without_faults(cluster.positions, TRUTH))
    sites = sites_of(lattice)
    starts = []
    for centre in sites.centres[:2]:
        radius = np.linalg.norm(sites.positions - centre, axis=1)
        mask = radius <= np.sort(radius)[len(cluster) - 5]
        starts.append(Ranked(Draw(np.zeros(8), 1.0, sites, mask), TRUTH.bond, 1.0))
    found = disposed(starts, reading, Effort(starts=len(starts)))
    assert found[0].fit.rw < 0.005
    assert position_error(found[0].positions, TRUTH.bond * cluster.positions) < 0.05
    assert found[0].mask.sum() == len(cluster)


def test_position_error_ignores_turns_of_the_lattice_and_missing_atoms() -> None:
    cluster = SHAPES["decahedron 2-2-1"]
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1.0]])
    turned = 2.7 * cluster.positions @ turn
    assert position_error(2.7 * cluster.positions, turned) < 1e-6
    fewer = with_defects(cluster, rng=np.random.default_rng(0))
    assert position_error(2.7 * fewer.positions, turned) < 1e-6


def test_position_error_counts_an_atom_in_the_wrong_place() -> None:
    sites = sites_of("fcc")
    mask = np.linalg.norm(sites.positions, axis=1) < 2.1
    moved = mask.copy()
    outer = np.flatnonzero(mask)[np.linalg.norm(sites.positions[mask], axis=1).argmax()]
    heights = sites.positions @ sites.positions[outer]
    free = np.flatnonzero(~mask & (heights < heights[mask].min() + 0.1))
    moved[outer] = False
    moved[free[np.linalg.norm(sites.positions[free], axis=1).argmin()]] = True
    error = position_error(2.7 * sites.positions[mask], 2.7 * sites.positions[moved])
    assert 2.7 / mask.sum() < error < 0.5


def test_a_crystal_is_told_in_few_words_and_a_ragged_one_in_many() -> None:
    sites = sites_of("fcc")
    radius = np.linalg.norm(sites.positions, axis=1)
    octahedron = np.abs(sites.positions).sum(axis=1) < 3 * np.sqrt(0.5) * 2 + 0.01
    assert description(octahedron, sites) == pytest.approx(HEIGHT)
    far = octahedron & (radius > 0.99 * radius[octahedron].max())
    without_one = octahedron.copy()
    without_one[np.flatnonzero(far)[0]] = False
    # one corner missing: the crystal and an atom, or a face of its own there
    assert HEIGHT < description(without_one, sites) <= HEIGHT + ATOM
    ragged = octahedron & (np.random.default_rng(0).random(len(sites)) > 0.1)
    assert description(ragged, sites) > description(without_one, sites)


def test_of_two_shapes_that_fit_alike_the_plainer_one_costs_less() -> None:
    assert cost(0.05, 5.0, n_independent=180) < cost(0.0499, 60.0, n_independent=180)
    assert cost(0.01, 60.0, n_independent=180) < cost(0.05, 5.0, n_independent=180)


def test_metals_have_their_neighbours_where_the_lattice_puts_them() -> None:
    # a = 3.92 Å over √2, and a = 2.87 Å times √3/2
    assert metal_bond("Pt") == pytest.approx(2.77, abs=0.01)
    assert metal_bond("Fe") == pytest.approx(2.485, abs=0.01)
    assert possible_bonds(["Pt"], (1.9, 3.6)) == pytest.approx((2.55, 2.99), abs=0.01)
    p = element_probabilities(["Pt", "Fe"], 2.76)
    assert p["Pt"] > 0.99
