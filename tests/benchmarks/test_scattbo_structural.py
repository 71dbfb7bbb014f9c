"""ScattBO's scoreboard by structure: the target is told as curves alone, and met."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ase", reason="the extra `benchmarks` is not installed")

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from scattbo.cases import CASES, laboratory
from scattbo.laboratory import PUBLISHED
from scattbo.structural import LIBRARY, aim, campaign, objective, reader


def test_the_objective_is_the_scoreboard_s() -> None:
    wanted = objective(laboratory(CASES["small-both"], PUBLISHED))
    assert wanted.quantities == ("pdf.distance_to_target.s_q", "pdf.distance_to_target.g_r")
    assert wanted.is_reached(dict.fromkeys(wanted.quantities, 0.039))
    assert not wanted.is_reached(
        dict.fromkeys(wanted.quantities, 0.039) | {wanted.quantities[0]: 1.0}
    )


@pytest.mark.slow
def test_the_target_told_as_a_file_is_met_within_twenty_experiments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(LIBRARY, "most_atoms", 1000)  # the target has 923 atoms
    lab = laboratory(CASES["small-sq"], PUBLISHED)
    target = aim(lab)
    [known] = [f for f in target.known_functions if f.quantity.endswith("s_q")]
    bonds = np.linspace(2.80, 2.84, 401)
    shown = known("icosahedron", np.column_stack([bonds, np.full(401, 923.0)]))
    assert bonds[shown.argmin()] == pytest.approx(3.99 / np.sqrt(2), abs=5e-4)
    run = campaign(lab, reader(), target, seed=0, budget=20)
    assert run["steps"] is not None
