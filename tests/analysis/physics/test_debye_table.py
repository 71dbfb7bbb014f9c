"""The table of a cluster's Debye sum: every pair once, and as exact as the sum over pairs."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.physics.debye_table import (
    debye_sum,
    direct_debye_sum,
    pair_distances,
    tabulate,
)
from instruments.simulated.gold import positions

CLUSTERS = [("icosahedron", 5), ("decahedron", 3), ("octahedron", 6), ("body-centred", 6)]
"""Each of several blocks of pairs or just one."""


@pytest.mark.parametrize(("kind", "size"), CLUSTERS)
def test_the_sum_over_joined_distances_equals_the_sum_over_pairs(kind: str, size: int) -> None:
    atoms = positions(kind, size)
    x = np.array([5.0, 11.3, 20.0, 33.7, 45.0])
    joined = debye_sum(pair_distances(atoms), x)
    # joined distances err by (x · 5e-4)² / 24 of a term, 2e-5 at x = 45
    assert joined == pytest.approx(direct_debye_sum(atoms, x), abs=2e-5)


def test_the_table_is_finer_than_the_fastest_oscillation() -> None:
    pairs = pair_distances(positions("decahedron", 8))
    x = np.random.default_rng(0).uniform(5.0, 45.0, 50)
    assert tabulate(pairs, x_max=45.1)(x) == pytest.approx(debye_sum(pairs, x), abs=1e-4)


def test_every_pair_is_counted_once() -> None:
    atoms = positions("icosahedron", 7)
    pairs = pair_distances(atoms)
    assert len(atoms) == 923
    assert pairs.count.sum() == 923 * 922 / 2


@pytest.mark.parametrize(("kind", "size"), [*CLUSTERS, ("octahedron", 2)])
def test_the_table_holds_from_the_number_of_atoms_to_large_q(kind: str, size: int) -> None:
    pairs = pair_distances(positions(kind, size))
    table = tabulate(pairs, x_max=140.0)
    assert table(0.0) == pytest.approx(pairs.n_atoms - 1)
    x = np.random.default_rng(1).uniform(0.05, 140.0, 60)
    # the split on an even grid errs by (x · 2.5e-4)² / 12 of a term before its mean is given back
    assert table(x) == pytest.approx(debye_sum(pairs, x), abs=1e-4)
