"""pdf.novelty: what is known passes, what is not is flagged, and imperfections are forgiven."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from analysis.conformance import check_agent
from analysis.errors import BadPhase
from analysis.pdf.agents.novelty import Novelty, make
from analysis.pdf.cluster_forward import ClusterParameters, ClusterPDF
from analysis.pdf.clusters import Cluster, ideal_clusters
from analysis.pdf.imperfections import unexplained
from analysis.pdf.transform import QRange
from instruments.measurement import Measurement

FloatArray = NDArray[np.float64]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
R = np.arange(1.0, 21.0, 0.04)
Q_RANGE = QRange(1.0, 18.0)
SHAPES: dict[str, Cluster] = {c.kind: c for c in ideal_clusters(most_atoms=80, fewest_atoms=40)}
SMALL = {"most_atoms": 80, "simulations": 20}


@pytest.fixture(scope="module")
def agent() -> Novelty:
    return make(SMALL, Path())


def measurement(y_name: str, x: FloatArray, y: FloatArray) -> Measurement:
    over_r = y_name == "g_r"
    return Measurement(
        id="gold/pdf/0",
        sample_id="gold",
        technique="pdf",
        x=x,
        y=y,
        sigma=None,
        x_name="r" if over_r else "q",
        x_unit="Å" if over_r else "1/Å",
        y_name=y_name,
        y_unit="1/Å²" if over_r else "",
        instrument="test",
        simulated=True,
        started=NOW,
        finished=NOW,
        settings={"q_min": Q_RANGE.q_min, "q_max": Q_RANGE.q_max},
    )


def scattering(cluster: Cluster, y_name: str, *, bond: float = 2.8) -> Measurement:
    model = ClusterPDF(bond * cluster.positions, "Au", R, Q_RANGE)
    said = ClusterParameters(b_iso=0.5, q_damp=0.04)
    return measurement(
        y_name, R if y_name == "g_r" else model.q, getattr(model, y_name)(said).numpy()
    )


def novelty(agent: Novelty, m: Measurement) -> float:
    told = agent.analyze([m], rng=np.random.default_rng(0)).novelty
    assert told is not None
    return told


def test_it_conforms_and_knows_a_cluster_of_its_library(agent: Novelty) -> None:
    m = scattering(SHAPES["icosahedron"], "g_r")
    insight = check_agent(agent, [m], rng=np.random.default_rng(0))
    assert insight.novelty is not None
    assert insight.novelty < 0.1
    assert insight.remarks == ()


@pytest.mark.parametrize("y_name", ["s_q", "f_q"])
def test_curves_over_q_are_known_as_well(agent: Novelty, y_name: str) -> None:
    assert novelty(agent, scattering(SHAPES["decahedron"], y_name)) < 0.3


def test_a_lattice_that_was_taken_out_is_novel() -> None:
    without = make(SMALL | {"excluded": ["bcc"]}, Path())
    m = scattering(SHAPES["bcc"], "g_r")
    insight = without.analyze([m], rng=np.random.default_rng(0))
    assert insight.novelty is not None
    assert insight.novelty > 0.5
    assert "look as strange" in insight.remarks[0]


def test_no_more_known_samples_are_flagged_than_was_asked_for(agent: Novelty) -> None:
    watch = agent.watches[0]
    scores = np.array(watch.usual.scores)
    assert np.mean(watch.usual.p_value(scores) <= agent.settings.false_alarms) <= 0.05


def test_a_curve_seen_before_is_known_and_another_is_not(tmp_path: Path) -> None:
    for kind in ("icosahedron", "decahedron", "hcp"):
        m = scattering(SHAPES[kind], "g_r")
        header = f"qmin = {Q_RANGE.q_min}\nqmax = {Q_RANGE.q_max}\n#### start data\n"
        rows = "\n".join(f"{r:.3f} {g:.6f}" for r, g in zip(m.x, m.y, strict=True))
        (tmp_path / f"{kind}.gr").write_text(header + rows)
    watching = make({"clusters": False, "curves": str(tmp_path), "simulations": 40}, Path())
    noise = 0.02 * np.random.default_rng(0).normal(size=R.size)
    again = scattering(SHAPES["decahedron"], "g_r", bond=2.83)
    assert novelty(watching, replace(again, y=again.y + noise)) < 0.5
    other = scattering(SHAPES["bcc"], "g_r")
    assert novelty(watching, other) > 0.5


def test_the_shape_of_grains_and_slow_errors_are_forgiven_another_structure_is_not() -> None:
    calculated = scattering(SHAPES["icosahedron"], "g_r").y
    faded = calculated * (1 - 0.03 * (R - R[0]))
    assert unexplained(R, faded, calculated, q_max=18.0) < 0.01
    other = scattering(SHAPES["decahedron"], "g_r").y
    assert unexplained(R, other, calculated, q_max=18.0) > 0.1


def test_contradictory_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="nothing that is known"):
        make({"clusters": False}, Path())
    with pytest.raises(BadPhase, match="correct it"):
        make(SMALL | {"excluded": ["diamond"]}, Path())
    with pytest.raises(BadPhase, match="expected at least"):
        make({"clusters": False, "curves": str(tmp_path)}, Path())
