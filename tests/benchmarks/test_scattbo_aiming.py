"""What the laboratory that reads structures learns from its readings."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ase", reason="the extra `benchmarks` is not installed")

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from scattbo.aiming import Aim, campaign, target_map
from scattbo.beliefs import Property, Types, coordinates
from scattbo.cases import CASES, laboratory
from scattbo.laboratory import LARGE, PUBLISHED, SMALL

from analysis.pdf.agents.match import make

LABELS = (False, False, True)


def settings(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.random((n, 2)), rng.integers(0, 2, n)])


def test_the_setting_that_moves_a_property_is_found() -> None:
    x = settings(6, 0)
    y = 0.4 * x[:, 1]
    model = Property(x, y, np.full(6, 1e-4), is_label=LABELS, spread=0.2)
    best = model.models[int(model.weight.argmax())][0]
    assert best == (1,)
    new = settings(20, 1)
    forecast = model.forecast(new)
    assert forecast.weight @ forecast.mean == pytest.approx(0.4 * new[:, 1], abs=0.005)


def test_little_is_sure_before_a_second_reading() -> None:
    model = Property(
        np.array([[0.5, 0.5, 0.0]]), np.zeros(1), np.full(1, 1e-4), is_label=LABELS, spread=0.2
    )
    forecast = model.forecast(np.array([[0.5, 0.5, 0.0], [0.9, 0.9, 1.0]]))
    here, there = forecast.weight @ forecast.std
    assert there > 10 * here


def test_types_that_follow_a_label_are_foretold_by_it() -> None:
    x = settings(8, 2)
    seen = [{"fcc": 1.0} if label == 0 else {"hcp": 1.0} for label in x[:, 2]]
    types = Types(x, seen, names=("fcc", "hcp", "bcc"), is_label=LABELS)
    shares = types.forecast(np.array([[0.1, 0.9, 0.0], [0.1, 0.9, 1.0]]))
    assert shares.sum(axis=1) == pytest.approx(1.0)
    assert shares[0, 0] > 0.9
    assert shares[1, 1] > 0.9


def test_coordinates_span_the_unit_cube() -> None:
    corners = [
        {"pH": 0.0, "pressure": 0.0, "solvent": "Ethanol"},
        {"pH": 14.0, "pressure": 100.0, "solvent": "Others"},
    ]
    assert coordinates(LARGE.space(), corners) == pytest.approx(np.array([[0, 0, 0], [1, 1, 3]]))


@pytest.mark.slow
def test_the_target_is_reached_within_twenty_experiments() -> None:
    lab = laboratory(CASES["small-sq"], PUBLISHED)
    agent = make({"most_atoms": 1500, "bond_range": [2.0, 5.0], "fitted": 4}, Path())
    misfits = target_map(agent, lab)
    assert misfits.target.name == "icosahedron 7"
    run = campaign(lab, agent, misfits, seed=0, budget=20)
    assert run["steps"] is not None
    assert Aim(SMALL.space(), misfits).propose(np.random.default_rng(0))["pH"] >= SMALL.ph[0]
