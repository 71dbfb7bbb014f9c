"""What is believed of a structure, and how far two beliefs are apart."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.insight import Estimate, Insight
from analysis.pdf.beliefs import Belief, belief, descriptor_distance


def known(bond: float = 2.88, atoms: float = 55.0, **types: float) -> Belief:
    return Belief(types or {"fcc": 1.0}, (np.log(bond), 0.0), (np.log(atoms), 0.0))


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
