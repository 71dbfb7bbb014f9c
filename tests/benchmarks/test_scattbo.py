"""ScattBO's laboratory: known distances, sums checked pair by pair, and the author's own losses."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ase", reason="the extra `benchmarks` is not installed")

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from scattbo.cases import CASES, laboratory, simulated_curve
from scattbo.laboratory import (
    PRESENT,
    PUBLISHED,
    SMALL,
    kind_and_size,
    pressure_of,
)
from scattbo.scattering import Q_GRID, rwp
from scattbo.scoreboard import random_median, replay, summary

GOLD = 2.884
"""Distance of neighbours in gold, Å: 4.078 Å / sqrt(2)."""


@pytest.mark.parametrize("solvent", ["Others", "Methanol"])
def test_neighbours_in_gold_stand_at_2_88_angstrom(solvent: str) -> None:
    """An octahedron and a decahedron of gold, both of face-centred pieces."""
    point = {"pH": 9.0, "pressure": pressure_of(GOLD), "solvent": solvent}
    r, g = simulated_curve("gr", point, PUBLISHED)
    peak = r[(r > 2.4) & (r < 3.4)][g[(r > 2.4) & (r < 3.4)].argmax()]
    # Q_max = 10 Å⁻¹ broadens the peak to 0.4 Å, and its neighbours lean on it
    assert peak == pytest.approx(GOLD, abs=0.03)


def test_gold_diffracts_at_the_111_reflection() -> None:
    point = {"pH": 11.9, "pressure": pressure_of(GOLD), "solvent": "Others"}
    q, s = simulated_curve("sq", point, PUBLISHED)
    assert q[s.argmax()] == pytest.approx(2 * np.pi * np.sqrt(3) / 4.078, abs=0.03)


def test_the_target_fits_itself() -> None:
    lab = laboratory(CASES["small-both"], PUBLISHED)
    assert lab.misfits(PUBLISHED.target) == {"sq": 0.0, "gr": 0.0}
    assert lab.is_met(lab.misfits(PUBLISHED.target))


def test_one_shell_more_or_less_is_no_hit() -> None:
    lab = laboratory(CASES["small-sq"], PUBLISHED)
    for ph in (8.7, 10.6):
        assert lab.misfits({**PUBLISHED.target, "pH": ph})["sq"] > 0.1


RECORDED = [
    ("small-sq", 10.1535161523, 75.8426634713, "Ethanol", 1.9959),
    ("small-gr", 2.9017169140, 16.0683363995, "Methanol", 0.8411),
]
"""First experiments of two recorded runs of Dragonfly, from the author's repository."""


@pytest.mark.parametrize(("case", "ph", "pressure", "solvent", "loss"), RECORDED)
def test_losses_equal_the_record_of_a_published_run(
    case: str, ph: float, pressure: float, solvent: str, loss: float
) -> None:
    lab = laboratory(CASES[case], PUBLISHED)
    found = lab.misfits({"pH": ph, "pressure": pressure, "solvent": solvent})
    assert list(found.values()) == [pytest.approx(loss, abs=1e-4)]


def test_the_coarse_r_of_the_later_edition_hides_its_target() -> None:
    lab = laboratory(CASES["small-gr"], PRESENT)
    assert lab.misfits(PRESENT.target)["gr"] == pytest.approx(0.0422, abs=1e-4)


def test_acidity_sets_the_size_and_the_solvent_the_kind() -> None:
    point = {"pH": 7.0, "pressure": 50.0}
    found = [kind_and_size({**point, "solvent": s}, PUBLISHED) for s in ("Ethanol", "Methanol")]
    assert found == [("icosahedron", 6), ("decahedron", 6)]
    assert kind_and_size({**point, "solvent": "Methanol"}, PRESENT) == ("decahedron", 5)


def test_a_misfit_ignores_no_scale() -> None:
    s = np.sin(Q_GRID)
    assert rwp(s, 1.1 * s) == pytest.approx(0.1)


def test_a_campaign_counts_its_first_experiments_and_repeats_itself() -> None:
    lab = laboratory(CASES["small-gr"], PUBLISHED)
    first, again = (replay(lab, "bayesian", settings={}, seed=3, budget=6) for _ in range(2))
    assert first == again
    assert len(first.losses) == 6
    assert all(SMALL.space().contains(p) for p in first.points)


def test_a_run_without_a_hit_is_worse_than_every_other() -> None:
    lab = laboratory(CASES["small-gr"], PUBLISHED)
    missed = replay(lab, "random", settings={}, seed=0, budget=3)
    found = summary([missed, replace(missed, steps=7)])
    assert (found["hit"], found["best"], found["median"]) == (0.5, 7.0, float("inf"))


def test_random_choice_needs_as_many_as_the_geometric_distribution_says() -> None:
    assert random_median(0.5) == 1
    assert random_median(0.01) == 69
    assert random_median(0.0) == float("inf")
