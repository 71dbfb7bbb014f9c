from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from ase.cluster import Octahedron
from pydantic import ValidationError

from analysis.conformance import check_agent
from analysis.errors import BadPattern
from analysis.pdf.agents.motifs import SIZE, Motifs, make
from analysis.pdf.cluster_forward import ClusterParameters, ClusterPDF
from analysis.pdf.transform import QRange
from instruments.formats import read_measurement
from instruments.measurement import Measurement
from tests.instruments.shared_data import data_set

R = np.arange(0.5, 12.0, 0.02)
START = datetime(2026, 1, 1, tzinfo=UTC)
MOTIF = np.asarray(Octahedron("Pt", 2, latticeconstant=3.92).positions)
CHAIN = np.array([[0.0, 0, 0], [3.1, 0, 0], [6.0, 0.8, 0], [8.9, 0, 0.5]]) + np.array([9.0, 0, 0])
"""Four atoms too far from the octahedron to touch it, at distances of their own."""


def measured(positions: np.ndarray, *, noise: float = 0.0) -> Measurement:
    model = ClusterPDF(positions, "Pt", R, QRange(0.7, 20.0))
    g_r = model.g_r(ClusterParameters(b_iso=0.4, q_damp=0.05)).numpy()
    return Measurement(
        id="pt/pdf/0",
        sample_id="pt",
        technique="pdf",
        x=R,
        y=g_r + noise * np.random.default_rng(0).normal(size=R.size),
        sigma=None,
        x_name="r",
        x_unit="Å",
        y_name="g_r",
        y_unit="1/Å²",
        instrument="test",
        simulated=True,
        started=START,
        finished=START,
        settings={"q_min": 0.7, "q_max": 20.0},
    )


def agent(folder: Path, **settings: object) -> Motifs:
    """Return the agent of a starting model that holds the octahedron first, then the chain."""
    lines = [f"Pt {x:.4f} {y:.4f} {z:.4f}" for x, y, z in np.concatenate([MOTIF, CHAIN])]
    (folder / "start.xyz").write_text("\n".join([str(len(lines)), "", *lines]) + "\n")
    return make({"model": "start.xyz", "fits": 128, **settings}, folder)


def test_it_conforms_and_names_the_atoms_that_scatter(tmp_path: Path) -> None:
    motifs = agent(tmp_path)
    insight = check_agent(motifs, [measured(MOTIF)], rng=np.random.default_rng(0))
    assert set(insight.estimates) == set(motifs.quantities)
    assert insight.estimates[SIZE].value == 6
    np.testing.assert_array_equal(insight.evidence["motif"].x, np.arange(1, 7))
    np.testing.assert_allclose(insight.evidence["motif"].columns["z"], MOTIF[:, 2], atol=1e-4)
    assert "Pt1, Pt2, Pt3, Pt4, Pt5, Pt6" in insight.remarks[0]
    # coordinates are written to four digits
    assert insight.quality["rw"] < 0.02
    assert insight.p_wrong is not None
    assert insight.p_wrong < 0.2


def test_atoms_of_the_sample_lower_rw_and_strangers_raise_it(tmp_path: Path) -> None:
    insight = agent(tmp_path).analyze([measured(MOTIF)], rng=np.random.default_rng(1))
    contribution = insight.evidence["contributions"].columns["contribution"]
    assert contribution[:6].max() < 0 < contribution[6:].min()


def test_noise_alone_makes_it_abstain(tmp_path: Path) -> None:
    nothing = replace(measured(MOTIF), y=np.random.default_rng(3).normal(size=R.size))
    insight = agent(tmp_path).analyze([nothing], rng=np.random.default_rng(0))
    assert insight.abstained
    assert "another starting model" in insight.remarks[0]
    assert "observed" in insight.evidence["pattern"].columns


def test_a_report_can_draw_the_fit(tmp_path: Path) -> None:
    insight = agent(tmp_path).analyze([measured(MOTIF)], rng=np.random.default_rng(0))
    columns = insight.evidence["pattern"].columns
    # the figure of a report wants these three
    assert set(columns) == {"observed", "calculated", "difference"}
    np.testing.assert_allclose(columns["observed"] - columns["calculated"], columns["difference"])


def test_data_without_a_signal_make_it_abstain(tmp_path: Path) -> None:
    upside_down = replace(measured(MOTIF), y=-np.abs(measured(MOTIF).y))
    insight = agent(tmp_path, zoom=0.0).analyze([upside_down], rng=np.random.default_rng(0))
    assert insight.abstained


def test_distances_beyond_the_zoom_are_said(tmp_path: Path) -> None:
    insight = agent(tmp_path).analyze([measured(1.03 * MOTIF)], rng=np.random.default_rng(0))
    assert any("limit of their zoom" in remark for remark in insight.remarks)


def test_a_cluster_that_occurs_twice_is_named_once(tmp_path: Path) -> None:
    aside = np.array([25.0, 0, 0])
    both = np.concatenate([MOTIF, MOTIF + aside, CHAIN - aside])
    lines = [f"Pt {x:.4f} {y:.4f} {z:.4f}" for x, y, z in both]
    (tmp_path / "twice.xyz").write_text("\n".join([str(len(lines)), "", *lines]) + "\n")
    motifs = make({"model": "twice.xyz", "fits": 256}, tmp_path)
    insight = motifs.analyze([measured(MOTIF)], rng=np.random.default_rng(0))
    assert insight.estimates[SIZE].value == 6
    assert "as well explained by 1 other piece(s) of as many atoms" in insight.remarks


def test_an_unknown_q_max_and_a_wrong_range_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPattern, match="does not state its Q_max"):
        agent(tmp_path).analyze(
            [replace(measured(MOTIF), settings={})], rng=np.random.default_rng(0)
        )
    with pytest.raises(ValidationError, match="must rise"):
        agent(tmp_path, r_range=(10.0, 2.0))


def test_the_twelve_tungsten_of_a_keggin_cluster_are_found() -> None:
    folder = data_set("pdf/ml_motex")
    measurement = read_measurement(folder / "DanMAX_AlphaKeggin.gr")
    motifs = make({"model": "starting_models/model_a.xyz"}, folder)
    insight = motifs.analyze([measurement], rng=np.random.default_rng(0))
    named = insight.evidence["contributions"].columns["motif"] > 0
    tungsten = motifs.model.positions[motifs.model.sampled]
    centre = tungsten[named].mean(axis=0)
    # the whole cluster: twelve tungsten on a sphere of 3.5 Å; every other one is farther away
    distance = np.linalg.norm(tungsten - centre, axis=1)
    assert named.sum() == 12
    np.testing.assert_allclose(distance[named], 3.53, atol=0.02)
    assert distance[~named].min() > 5
