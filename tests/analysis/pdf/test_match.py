"""pdf.match: clusters are told apart by their curves, and strangers are refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.spatial.distance import pdist

from analysis.conformance import check_agent
from analysis.errors import BadPattern, BadPhase
from analysis.insight import Insight
from analysis.pdf.agents.match import LATTICE, TYPE, MatchAgent, make
from analysis.pdf.cluster_forward import ClusterParameters, ClusterPDF
from analysis.pdf.clusters import Cluster, ideal_clusters
from analysis.pdf.library import shells
from analysis.pdf.matching import fit
from analysis.pdf.transform import QRange
from analysis.pdf.weighing import doubt
from analysis.physics.scattering_factors import scattering_factor
from instruments.formats import read_measurement
from instruments.measurement import Measurement
from tests.instruments.shared_data import data_set

START = datetime(2026, 1, 1, tzinfo=UTC)
R = np.arange(1.0, 25.0, 0.02)
Q_RANGE = QRange(1.0, 18.0)
TRUE = ClusterParameters(b_iso=0.6, q_damp=0.04)
SHAPES = {c.parent: c for c in ideal_clusters(most_atoms=150, fewest_atoms=50)}
SOME = ["icosahedron 3", "decahedron 3-2-1", "octahedron 5-0", "bcc 4-4-8", "hcp 3-4-4"]


@pytest.fixture(scope="module")
def agent() -> MatchAgent:
    return make({"most_atoms": 150, "element": "Au", "fitted": 6}, Path())


def measured(y_name: str, x: np.ndarray, y: np.ndarray) -> Measurement:
    axis, unit = ("r", "Å") if y_name == "g_r" else ("q", "1/Å")
    return Measurement(
        id="gold/pdf/0",
        sample_id="gold",
        technique="pdf",
        x=x,
        y=y,
        sigma=None,
        x_name=axis,
        x_unit=unit,
        y_name=y_name,
        y_unit="",
        instrument="test",
        simulated=True,
        started=START,
        finished=START,
        settings={"q_min": Q_RANGE.q_min, "q_max": Q_RANGE.q_max},
    )


def scattering(cluster: Cluster, y_name: str, *, bond: float = 2.88) -> Measurement:
    """Return an exact curve of gold, in a scale of its own."""
    model = ClusterPDF(bond * cluster.positions, "Au", R, Q_RANGE)
    x = R if y_name == "g_r" else model.q
    return measured(y_name, x, 3.0 * getattr(model, y_name)(TRUE).numpy())


def read(agent: MatchAgent, m: Measurement) -> Insight:
    return agent.analyze([m], rng=np.random.default_rng(0))


def test_it_conforms(agent: MatchAgent) -> None:
    m = scattering(SHAPES["icosahedron 3"], "s_q")
    insight = check_agent(agent, [m], rng=np.random.default_rng(0))
    assert insight.p_wrong is not None
    assert insight.p_wrong < 0.05


@pytest.mark.parametrize("parent", SOME)
def test_a_cluster_is_found_by_its_pair_distribution_function(
    agent: MatchAgent, parent: str
) -> None:
    cluster = SHAPES[parent]
    insight = read(agent, scattering(cluster, "g_r"))
    lattices = insight.class_probabilities[LATTICE]
    assert max(lattices, key=lattices.__getitem__) == cluster.lattice
    assert insight.quality["rw"] < 0.02
    # one model made both, on other grids of Q
    assert insight.estimates["pdf.bond"].value == pytest.approx(2.88, abs=0.003)
    assert insight.estimates["pdf.n_atoms"].value == pytest.approx(len(cluster), rel=0.06)


@pytest.mark.parametrize("y_name", ["i_q", "s_q", "f_q"])
def test_every_curve_tells_the_same(agent: MatchAgent, y_name: str) -> None:
    cluster = SHAPES["decahedron 3-2-1"]
    insight = read(agent, scattering(cluster, y_name, bond=2.7))
    kinds = insight.class_probabilities[TYPE]
    assert max(kinds, key=kinds.__getitem__) == "decahedron"
    assert insight.estimates["pdf.bond"].value == pytest.approx(2.7, abs=0.003)
    assert insight.estimates["pdf.b_iso"].value == pytest.approx(TRUE.b_iso, abs=0.05)


def test_noise_widens_what_is_stated(agent: MatchAgent) -> None:
    clean = scattering(SHAPES["hcp 3-4-4"], "s_q")
    noise = np.random.default_rng(0).normal(scale=0.3 * clean.y.std(), size=clean.y.shape)
    noisy = replace(clean, y=clean.y + noise)
    stds = [read(agent, m).estimates["pdf.bond"].std for m in (clean, noisy)]
    assert stds[0] is not None
    assert stds[1] is not None
    assert stds[1] > 2 * stds[0]


def test_a_curve_of_nothing_is_refused(agent: MatchAgent) -> None:
    q = np.arange(1.0, 18.0, 0.02)
    noise = np.random.default_rng(1).normal(size=q.shape)
    insight = read(agent, measured("s_q", q, noise))
    assert insight.abstained
    assert "widen bond_range" in insight.remarks[0]


def test_shells_hold_every_pair_once() -> None:
    positions = SHAPES["bcc 4-4-8"].positions
    distance, weight = shells(positions, np.ones(len(positions)))
    pairs = pdist(positions)
    assert weight.sum() == pytest.approx(2 * len(pairs) / len(positions))
    assert (weight * distance).sum() == pytest.approx(2 * pairs.sum() / len(positions))


def test_shells_weigh_unlike_atoms_by_their_product() -> None:
    _, weight = shells(np.array([[0.0, 0, 0], [1.0, 0, 0]]), np.array([1.0, 3.0]))
    # 2 · 1 · 3 / (2 · 2²)
    assert weight == pytest.approx([0.75])


def test_a_folder_of_structures_is_matched(tmp_path: Path) -> None:
    for parent in ("icosahedron 3", "bcc 4-4-8"):
        cluster = SHAPES[parent]
        lines = [f"Au {x:.6f} {y:.6f} {z:.6f}" for x, y, z in 2.85 * cluster.positions]
        name = parent.replace(" ", "_")
        (tmp_path / f"{name}.xyz").write_text("\n".join([str(len(cluster)), name, *lines]))
    agent = make({"clusters": False, "folder": str(tmp_path)}, Path())
    insight = read(agent, scattering(SHAPES["bcc 4-4-8"], "g_r"))
    assert insight.class_probabilities[TYPE]["bcc_4-4-8"] > 0.9
    assert insight.estimates["pdf.bond"].value == pytest.approx(2.88, abs=0.003)


def test_a_lattice_that_the_library_lacks_is_doubted(agent: MatchAgent) -> None:
    reading = agent.read(scattering(SHAPES["hcp 3-4-4"], "g_r"))
    matches = agent.match(reading)
    without = [m for m in matches if m.entry.lattice != "hcp"]
    assert doubt(matches, reading) < 0.1
    assert doubt(without, reading) > 0.5


@pytest.mark.slow
def test_grains_of_a_crystal_file_are_matched() -> None:
    folder = data_set("pdf/reference_structures")
    agent = make({"clusters": False, "folder": str(folder), "r_range": (1.5, 15.0)}, Path())
    m = read_measurement(data_set("pdf") / "srfit_examples/ni-q27r60-xray.gr")
    insight = read(agent, m)
    kinds = insight.class_probabilities[TYPE]
    assert max(kinds, key=kinds.__getitem__) == "Ni"
    # a = 3.524 Å over √2
    assert insight.estimates["pdf.bond"].value == pytest.approx(2.492, abs=0.003)


@pytest.mark.slow
def test_no_fit_of_the_whole_library_is_better() -> None:
    agent = make({"most_atoms": 90}, Path())
    whole = SHAPES["octahedron 5-0"]
    damaged = replace(whole, positions=whole.positions[6:])
    reading = agent.read(scattering(damaged, "g_r"))
    every = [fit(c, reading).rw for c in agent.scanner.scan(reading)]
    assert agent.match(reading)[0].rw == pytest.approx(min(every), abs=1e-3)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadPhase, match=r"no \.xyz or \.cif"):
        make({"clusters": False, "folder": str(tmp_path)}, Path())


def test_an_intensity_needs_an_element() -> None:
    agent = make({"most_atoms": 20, "fitted": 1}, Path())
    with pytest.raises(BadPattern, match="say element"):
        read(agent, scattering(SHAPES["icosahedron 3"], "i_q"))


def test_the_form_factor_is_divided_out(agent: MatchAgent) -> None:
    m = scattering(SHAPES["icosahedron 3"], "i_q")
    s_q = scattering(SHAPES["icosahedron 3"], "s_q")
    f = scattering_factor("Au", m.x)
    assert m.y / f**2 == pytest.approx(s_q.y)
    assert read(agent, m).quality["rw"] == pytest.approx(read(agent, s_q).quality["rw"], abs=1e-3)


@pytest.mark.parametrize(
    "settings", [{"clusters": False}, {"bond_range": (3.0, 2.0)}, {"unheard": 1}]
)
def test_contradictory_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        make(settings, Path())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "lattice"),
    [
        ("experimental/Pt_particle.gr", "fcc"),
        ("simulated/Icosahedron_shell_3.gr", "icosahedron"),
        ("simulated/SC_h_2_k_2_l_7.gr", "sc"),
    ],
)
def test_published_curves_are_of_the_right_lattice(file: str, lattice: str) -> None:
    agent = make({"q_min": 1.0, "q_max": 22.0, "fitted": 4}, Path())
    insight = read(agent, read_measurement(data_set("pdf/deepstruc") / file))
    lattices = insight.class_probabilities[LATTICE]
    assert max(lattices, key=lattices.__getitem__) == lattice
